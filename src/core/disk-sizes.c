/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "disk-sizes.h"

#include "clock.h"
#include "hypervisor-list.h"
#include "hypervisor-storage.h"
#include "units.h"

/* libvirt gives up waiting after 30 s. */
#define GAVE_UP_USEC (25 * SEC)
/* Each may hang on a QEMU, and takes one of libvirtd's workers then. */
#define RUNNING_MAX  2

struct DiskSizes {
    LanePool *lane_pool;
    Cache *cache;
    Refresher *refresher;
    GQueue waiting;     /* UUIDs, each once */
    GPtrArray *running; /* SizesCall */
    GHashTable *asked;  /* UUID -> Asked */
};

/* The last read of a domain. */
typedef struct {
    int id;                /* in this run */
    char *disks;           /* of these disks: text_of_disks() */
    GHashTable *allocated; /* DiskCapacities.allocated of that read; NULL: there was none */
    bool opens_none;       /* libvirt answers without opening an image */
    bool in_turn;          /* on this connection its process has answered */
    bool again;            /* read the capacities again */
} Asked;

typedef struct {
    Call call;
    DiskSizes *sizes;
    char uuid[UUID_LENGTH + 1];
    uint64_t asked_at;
    bool sizes_wanted;  /* else the state alone */
    bool outdated;      /* a capacity has changed meanwhile */
    int id;             /* of the domain's run */
    char *disks;        /* text_of_disks() */
    GHashTable *before; /* Asked.allocated, where they are read again; else NULL */
    DiskCapacities *found;
    DomainState state; /* when it was found */
} SizesCall;

static void pump(DiskSizes *sizes);

static void
free_asked(gpointer data)
{
    Asked *asked = data;

    g_free(asked->disks);
    g_clear_pointer(&asked->allocated, g_hash_table_unref);
    g_free(asked);
}

DiskSizes *
disk_sizes_new(LanePool *lane_pool, Cache *cache, Refresher *refresher)
{
    DiskSizes *sizes = g_new0(DiskSizes, 1);

    sizes->lane_pool = lane_pool;
    sizes->cache = cache;
    sizes->refresher = refresher;
    g_queue_init(&sizes->waiting);
    sizes->running = g_ptr_array_new();
    sizes->asked = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_asked);
    return sizes;
}

void
disk_sizes_free(DiskSizes *sizes)
{
    if (!sizes)
        return;
    g_queue_clear_full(&sizes->waiting, g_free);
    g_ptr_array_unref(sizes->running);
    g_hash_table_unref(sizes->asked);
    g_free(sizes);
}

/* --- disks -------------------------------------------------------------------------------- */

/* Changes with each change of a disk that may change a capacity. */
static char *
text_of_disks(const Domain *domain)
{
    GString *text = g_string_new(NULL);
    Row disk;

    for (Rows disks = domain_config_rows(&domain->config, HARDWARE_DISKS);
         rows_take(&disks, &disk);)
        g_string_append_printf(text, "%s\n%s\n%s\n", row_text(disk, ROW_TARGET),
                               row_text(disk, ROW_TYPE), row_text(disk, ROW_SOURCE));
    return g_string_free(text, FALSE);
}

static bool
opens_none(const Domain *domain, GHashTable *allocated)
{
    Row disk;

    for (Rows disks = domain_config_rows(&domain->config, HARDWARE_DISKS);
         rows_take(&disks, &disk);)
        if (*row_text(disk, ROW_SOURCE) != '\0' &&
            (!g_str_equal(row_text(disk, ROW_TYPE), "file") ||
             !g_hash_table_contains(allocated, row_text(disk, ROW_TARGET))))
            return false;
    return true;
}

static bool
is_asked(const Asked *asked, const Domain *domain)
{
    g_autofree char *disks = text_of_disks(domain);

    return asked && asked->id == domain->id && g_str_equal(asked->disks, disks);
}

static bool
needs_asking(const DiskSizes *sizes, const Domain *domain)
{
    const Asked *asked = g_hash_table_lookup(sizes->asked, domain->uuid);

    return domain->id >= 0 && !(is_asked(asked, domain) && asked->in_turn && !asked->again);
}

static Asked *
get_asked(DiskSizes *sizes, const SizesCall *read)
{
    Asked *asked = g_hash_table_lookup(sizes->asked, read->uuid);

    if (!asked) {
        asked = g_new0(Asked, 1);
        g_hash_table_insert(sizes->asked, g_strdup(read->uuid), asked);
    }
    return asked;
}

/* --- calls -------------------------------------------------------------------------------- */

static void
free_call(Call *call)
{
    SizesCall *read = (SizesCall *)call;

    disk_capacities_free(read->found);
    g_clear_pointer(&read->before, g_hash_table_unref);
    g_free(read->disks);
    g_free(read);
}

static bool
work(Call *call, Hypervisor *h, Error **error)
{
    SizesCall *read = (SizesCall *)call;

    if (!read->sizes_wanted)
        return hypervisor_read_state_in_turn(h, read->uuid, &read->state, error);
    read->found = hypervisor_disk_capacities(h, read->uuid, read->before, error);
    if (read->found)
        read->state = read->found->state;
    return read->found != NULL;
}

static void
remember(DiskSizes *sizes, SizesCall *read, const Domain *domain)
{
    Asked *asked = get_asked(sizes, read);

    asked->in_turn = true;
    if (!read->sizes_wanted)
        return;
    asked->again = read->outdated;
    asked->id = read->id;
    g_free(asked->disks);
    asked->disks = g_steal_pointer(&read->disks);
    g_clear_pointer(&asked->allocated, g_hash_table_unref);
    if (read->found)
        asked->allocated = g_hash_table_ref(read->found->allocated);
    asked->opens_none = asked->allocated && opens_none(domain, asked->allocated);
}

static void
take_answer(DiskSizes *sizes, SizesCall *read, Domain *domain)
{
    if (read->found && !read->outdated)
        domain_set_capacities(domain, read->found->bytes);
    cache_before_change(sizes->cache, domain, DOMAIN_CHANGED(PROBLEMS));
    domain_remove_problem(domain, PROBLEM_CONTROL_ERROR, NULL);
    cache_changed(sizes->cache, domain);
    if (domain->state != read->state)
        refresher_mark(sizes->refresher, domain->uuid, FACT_STATE);
}

static void
on_done(Call *call, CallOutcome outcome, const Error *error)
{
    SizesCall *read = (SizesCall *)call;
    DiskSizes *sizes = read->sizes;
    Domain *domain = cache_find(sizes->cache, read->uuid);
    bool answered = outcome == OUTCOME_OK || outcome == OUTCOME_FAILED;
    /* While libvirtd connects to its guests again, it tells nobody which of them it finds dead. */
    bool gave_up = clock_now_usec() - read->asked_at >= GAVE_UP_USEC;

    g_ptr_array_remove_fast(sizes->running, read);
    if (domain && outcome == OUTCOME_OK)
        take_answer(sizes, read, domain);
    else if (domain && outcome == OUTCOME_FAILED && error->kind == ERROR_NO_SUCH_DOMAIN)
        refresher_mark(sizes->refresher, domain->uuid, FACT_STATE);
    if (domain && answered && !gave_up)
        remember(sizes, read, domain);
    if (domain && answered && (gave_up || read->outdated))
        disk_sizes_want(sizes, domain);
    pump(sizes);
}

static void
submit(DiskSizes *sizes, const Domain *domain)
{
    const Asked *asked = g_hash_table_lookup(sizes->asked, domain->uuid);
    const char *uuid = domain->uuid;
    SizesCall *read = g_new0(SizesCall, 1);

    read->sizes_wanted = !is_asked(asked, domain) || asked->again;
    if (is_asked(asked, domain) && asked->allocated)
        read->before = g_hash_table_ref(asked->allocated);
    read->id = domain->id;
    read->disks = text_of_disks(domain);
    read->call.class = CALL_SIZES;
    read->call.name = "virDomainListGetStats";
    g_strlcpy(read->call.key, uuid, sizeof read->call.key);
    read->call.work = work;
    read->call.done = on_done;
    read->call.free = free_call;
    read->sizes = sizes;
    read->asked_at = clock_now_usec();
    g_strlcpy(read->uuid, uuid, sizeof read->uuid);
    g_ptr_array_add(sizes->running, read);
    lane_pool_submit(sizes->lane_pool, &read->call);
}

/* Without those that hang. */
static unsigned
count_running(const DiskSizes *sizes)
{
    unsigned n = 0;

    for (unsigned i = 0; i < sizes->running->len; i++)
        n += ((SizesCall *)sizes->running->pdata[i])->call.state != CALL_HANGING;
    return n;
}

static bool
is_running(const DiskSizes *sizes, const char *uuid)
{
    for (unsigned i = 0; i < sizes->running->len; i++)
        if (g_str_equal(((SizesCall *)sizes->running->pdata[i])->uuid, uuid))
            return true;
    return false;
}

static void
pump(DiskSizes *sizes)
{
    GList *link = sizes->waiting.head;

    while (link && count_running(sizes) < RUNNING_MAX) {
        GList *next = link->next;

        if (!is_running(sizes, link->data)) {
            g_autofree char *uuid = link->data;
            const Domain *domain = cache_find(sizes->cache, uuid);

            g_queue_delete_link(&sizes->waiting, link);
            if (domain && needs_asking(sizes, domain))
                submit(sizes, domain);
        }
        link = next;
    }
}

static int
compare_uuids(const void *a, const void *b)
{
    return g_strcmp0(a, b);
}

static void
enqueue(DiskSizes *sizes, const char *uuid)
{
    if (!g_queue_find_custom(&sizes->waiting, uuid, compare_uuids))
        g_queue_push_tail(&sizes->waiting, g_strdup(uuid));
    pump(sizes);
}

void
disk_sizes_want(DiskSizes *sizes, const Domain *domain)
{
    if (needs_asking(sizes, domain))
        enqueue(sizes, domain->uuid);
}

/* Only an answer of the domain's process shows that libvirt is in control of it again. */
static bool
has_control_error(const Domain *domain)
{
    for (unsigned i = 0; domain->problems && i < domain->problems->len; i++)
        if (((const Problem *)domain->problems->pdata[i])->kind == PROBLEM_CONTROL_ERROR)
            return true;
    return false;
}

void
disk_sizes_reread(DiskSizes *sizes, const Domain *domain)
{
    Asked *asked = g_hash_table_lookup(sizes->asked, domain->uuid);

    if (domain->id < 0 || !is_asked(asked, domain) ||
        lane_pool_domain_is_silent(sizes->lane_pool, domain->uuid))
        return;
    asked->again |= asked->opens_none;
    asked->in_turn &= !has_control_error(domain);
    disk_sizes_want(sizes, domain);
}

void
disk_sizes_outdate(DiskSizes *sizes, const char *uuid)
{
    for (unsigned i = 0; i < sizes->running->len; i++) {
        SizesCall *read = sizes->running->pdata[i];

        read->outdated |= g_str_equal(read->uuid, uuid);
    }
}

void
disk_sizes_forget(DiskSizes *sizes, const char *uuid)
{
    g_hash_table_remove(sizes->asked, uuid);
}

void
disk_sizes_connection_lost(DiskSizes *sizes)
{
    GHashTableIter iter;
    gpointer asked;

    g_hash_table_iter_init(&iter, sizes->asked);
    while (g_hash_table_iter_next(&iter, NULL, &asked))
        ((Asked *)asked)->in_turn = false;
}

bool
disk_sizes_opens_none(const DiskSizes *sizes, const Domain *domain)
{
    const Asked *asked = g_hash_table_lookup(sizes->asked, domain->uuid);

    return is_asked(asked, domain) && asked->opens_none;
}
