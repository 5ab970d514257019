/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mirror.h"

#include "deferred.h"
#include "guests.h"
#include "lanes.h"
#include "world.h"

#include <stddef.h>
#include <string.h>

/* A domain is published as one that libvirt does not answer for, after so long. */
#define HANGS_AFTER    (2 * SEC)
#define HANGS_ACCURACY (200 * MSEC)

/* The properties of a domain that are kept; texts as hashes. */
typedef struct {
    bool there;
    guint name;
    guint title;
    guint state;
    int id;
    int persistent;
    int autostart;
    int available;
    int has_managed_save;
    unsigned problems;
    uint64_t job;
    guint disks;
} Copy;

/* A property, its bit, and where it is in a Copy. */
typedef struct {
    DomainChanges bit;
    const char *name;
    size_t offset;
    size_t size;
} Property;

#define PROPERTY(symbol, member)                                                                   \
    {                                                                                              \
        DOMAIN_CHANGED(symbol), #symbol, offsetof(Copy, member), sizeof(((Copy *)0)->member)       \
    }

static const Property properties[] = {
    PROPERTY(NAME, name),
    PROPERTY(TITLE, title),
    PROPERTY(STATE, state),
    PROPERTY(ID, id),
    PROPERTY(PERSISTENT, persistent),
    PROPERTY(AUTOSTART, autostart),
    PROPERTY(AVAILABLE, available),
    PROPERTY(HAS_MANAGED_SAVE, has_managed_save),
    PROPERTY(PROBLEMS, problems),
    PROPERTY(JOB, job),
    PROPERTY(DISKS, disks),
};

static struct {
    Copy domains[GUESTS_MAX];
    GPtrArray *changed; /* Domain: to be told at the next flush */
    GArray *jobs;       /* uint64_t: the numbers of those that are there */
    Deferred *turn_end;
    bool available;
    Status status;
} mirror;

static void
on_turn_end(void *userdata)
{
    mirror_flush();
}

static void
release_domain(gpointer domain)
{
    domain_unref(domain);
}

void
mirror_begin(struct sd_event *event)
{
    memset(mirror.domains, 0, sizeof mirror.domains);
    mirror.changed = g_ptr_array_new_with_free_func(release_domain);
    mirror.jobs = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    mirror.turn_end = deferred_new(event, DEFERRED_TURN_END, on_turn_end, NULL);
    mirror.available = false;
    mirror.status = STATUS_STARTING;
}

void
mirror_end(void)
{
    g_ptr_array_unref(mirror.changed);
    g_array_unref(mirror.jobs);
    deferred_free(mirror.turn_end);
}

/* --- jobs --------------------------------------------------------------------------------- */

static bool
find_job(uint64_t number, unsigned *ret)
{
    for (unsigned i = 0; i < mirror.jobs->len; i++) {
        *ret = i;
        if (g_array_index(mirror.jobs, uint64_t, i) == number)
            return true;
    }
    return false;
}

void
mirror_job_added(const JobObject *job)
{
    unsigned place;

    REQUIRE(!find_job(job->number, &place), "A job is added twice");
    g_array_append_val(mirror.jobs, job->number);
}

void
mirror_job_removed(const JobObject *job)
{
    unsigned place;

    if (find_job(job->number, &place))
        g_array_remove_index_fast(mirror.jobs, place);
    else
        fault("A job is removed that is not there");
    for (unsigned i = 0; i < GUESTS_MAX; i++)
        REQUIRE(!mirror.domains[i].there || mirror.domains[i].job != job->number,
                "A job is removed that a domain still has");
}

/* --- domains ------------------------------------------------------------------------------ */

/* A bit for each kind. */
static unsigned
problems_of(const Domain *domain)
{
    unsigned kinds = 0;

    for (unsigned i = 0; domain->problems && i < domain->problems->len; i++)
        kinds |= 1U << ((const Problem *)domain->problems->pdata[i])->kind;
    return kinds;
}

/* A sum of all that is told of them. */
static guint
disks_of(const Domain *domain)
{
    Rows rows = domain_config_rows(&domain->config, HARDWARE_DISKS);
    g_autoptr(GBytes) bytes = g_bytes_new_static(rows.data, rows.size);

    return g_bytes_hash(bytes);
}

static Copy
copy_of(const Domain *domain)
{
    return (Copy){
        .there = true,
        .name = g_str_hash(domain->name),
        .title = g_str_hash(domain->title),
        .state = g_str_hash(domain->state_name),
        .id = domain->id,
        .persistent = domain->persistent,
        .autostart = domain->autostart,
        .available = domain->available,
        .has_managed_save = domain->has_managed_save,
        .problems = problems_of(domain),
        .job = domain->job,
        .disks = disks_of(domain),
    };
}

static bool
differs(const Copy *a, const Copy *b, const Property *property)
{
    return memcmp((const char *)a + property->offset, (const char *)b + property->offset,
                  property->size) != 0;
}

static void
require_job(const Copy *copy, const char *name)
{
    unsigned place;

    REQUIRE(copy->job == 0 || find_job(copy->job, &place), "%s has a job that is not there", name);
}

void
mirror_domain_added(Domain *domain)
{
    Copy *copy = &mirror.domains[guests_find(domain->uuid)->number];

    REQUIRE(!copy->there, "%s is added twice", domain->name);
    REQUIRE(domain->unsignaled == 0, "%s is added with changes to be told", domain->name);
    *copy = copy_of(domain);
    require_job(copy, domain->name);
}

void
mirror_domain_removed(Domain *domain)
{
    Copy *copy = &mirror.domains[guests_find(domain->uuid)->number];

    REQUIRE(copy->there, "%s is removed and is not there", domain->name);
    g_ptr_array_remove(mirror.changed, domain);
    copy->there = false;
}

void
mirror_domain_changed(Domain *domain)
{
    REQUIRE(domain->unsignaled != 0, "%s is said to have changed, and has not", domain->name);
    if (!g_ptr_array_find(mirror.changed, domain, NULL))
        g_ptr_array_add(mirror.changed, domain_ref(domain));
    deferred_schedule(mirror.turn_end);
}

/* Take over the properties that are told, and nothing else. */
static void
apply_changes(Domain *domain)
{
    Copy *copy = &mirror.domains[guests_find(domain->uuid)->number];
    Copy now = copy_of(domain);

    for (unsigned i = 0; i < G_N_ELEMENTS(properties); i++) {
        const Property *property = &properties[i];

        if (!(domain->unsignaled & property->bit))
            continue;
        REQUIRE(differs(copy, &now, property), "%s of %s is told again", property->name,
                domain->name);
        memcpy((char *)copy + property->offset, (const char *)&now + property->offset,
               property->size);
    }
    domain->unsignaled = 0;
    require_job(copy, domain->name);
}

void
mirror_flush(void)
{
    while (mirror.changed->len > 0) {
        apply_changes(mirror.changed->pdata[0]);
        g_ptr_array_remove_index(mirror.changed, 0);
    }
}

/* --- the connection ----------------------------------------------------------------------- */

void
mirror_connection_changed(const Core *core, ConnectionChanges changes)
{
    const ConnectionState *state = connection_state(core->connection);
    bool available = state->status == STATUS_AVAILABLE;

    REQUIRE(((changes & CONNECTION_CHANGED(STATUS)) != 0) == (state->status != mirror.status),
            "A status is told twice, or not at all");
    REQUIRE(((changes & CONNECTION_CHANGED(AVAILABLE)) != 0) == (available != mirror.available),
            "Available is told twice, or not at all");
    REQUIRE(state->status != STATUS_STARTING || changes == 0 || mirror.status == STATUS_STARTING,
            "It starts again");
    REQUIRE(available == (state->status_message[0] == '\0') || state->status == STATUS_STARTING,
            "The status is without a reason, or there is one for nothing");
    mirror.status = state->status;
    mirror.available = available;
}

/* --- the law ------------------------------------------------------------------------------ */

/* It is available with libvirt, except for one whose read hangs. */
static void
check_available(const Domain *domain, unsigned number)
{
    uint64_t since = lanes_read_hangs_since(domain->uuid);

    if (domain->available) {
        REQUIRE(mirror.available, "vm%u is available and libvirt is not", number);
        REQUIRE(since == NEVER || world_now() <= since + HANGS_AFTER + HANGS_ACCURACY,
                "vm%u is available, and libvirt does not answer for it", number);
    } else if (mirror.available) {
        REQUIRE(since != NEVER && world_now() >= since + HANGS_AFTER,
                "vm%u is not available, and libvirt is", number);
    }
}

static void
check_domain(const Core *core, unsigned number)
{
    const Copy *copy = &mirror.domains[number];
    const Domain *domain = cache_find(core->cache, guests_get(number)->uuid);
    const Job *job = jobs_find(core->jobs, guests_get(number)->uuid);
    Copy now;

    REQUIRE(copy->there == (domain != NULL), "vm%u came or went, and nothing was told", number);
    if (!domain)
        return;
    REQUIRE(domain->job == (job ? job->object.number : 0), "vm%u does not tell its operation",
            number);
    now = copy_of(domain);
    for (unsigned i = 0; i < G_N_ELEMENTS(properties); i++)
        REQUIRE(!differs(copy, &now, &properties[i]), "%s of vm%u changed, and nothing was told",
                properties[i].name, number);
    check_available(domain, number);
}

void
mirror_check(const Core *core)
{
    for (unsigned i = 0; i < guests_count(); i++)
        check_domain(core, i);
}
