/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain.h"

#include "domain-next.h"

#include <string.h>

static const char *const state_names[_DOMAIN_STATE_MAX] = {
    [DOMAIN_NOSTATE] = "nostate",   [DOMAIN_RUNNING] = "running",
    [DOMAIN_IDLE] = "idle",         [DOMAIN_PAUSED] = "paused",
    [DOMAIN_SHUTDOWN] = "shutdown", [DOMAIN_SHUTOFF] = "shutoff",
    [DOMAIN_CRASHED] = "crashed",   [DOMAIN_PMSUSPENDED] = "pmsuspended",
};

const char *
domain_state_name(DomainState state)
{
    return (unsigned)state < _DOMAIN_STATE_MAX ? state_names[state] : state_names[DOMAIN_NOSTATE];
}

bool
domain_state_is_down(DomainState state)
{
    return state == DOMAIN_SHUTOFF;
}

DomainUpdate *
domain_update_new(const char *uuid)
{
    DomainUpdate *update = g_new0(DomainUpdate, 1);

    g_strlcpy(update->uuid, uuid, sizeof update->uuid);
    update->id = -1;
    return update;
}

void
domain_update_free(DomainUpdate *update)
{
    if (!update)
        return;
    g_free(update->name);
    g_free(update->title);
    g_free(update->description);
    domain_config_clear(&update->config);
    domain_config_clear(&update->next);
    g_free(update);
}

void
domain_update_take_xml(DomainUpdate *to, DomainUpdate *from)
{
    g_free(to->title);
    g_free(to->description);
    to->title = g_steal_pointer(&from->title);
    to->description = g_steal_pointer(&from->description);
    domain_config_apply(&to->config, &from->config);
    domain_config_apply(&to->next, &from->next);
    to->is_active = from->is_active;
    to->has_next = from->has_next;
}

Domain *
domain_new(const char *uuid)
{
    Domain *domain = g_new0(Domain, 1);

    domain->n_ref = 1;
    domain->uuid = g_strdup(uuid);
    domain->name = g_strdup("");
    domain->title = g_strdup("");
    domain->description = g_strdup("");
    domain->state_name = domain_state_name(DOMAIN_NOSTATE);
    domain->reason = "unknown";
    domain->id = -1;
    return domain;
}

Domain *
domain_ref(Domain *domain)
{
    domain->n_ref++;
    return domain;
}

static void
free_next(DomainNext *next)
{
    domain_config_clear(&next->config);
    g_free(next);
}

void
domain_unref(Domain *domain)
{
    if (!domain || --domain->n_ref > 0)
        return;
    g_free(domain->uuid);
    g_free(domain->name);
    g_free(domain->title);
    g_free(domain->description);
    g_clear_pointer(&domain->problems, g_ptr_array_unref);
    domain_config_clear(&domain->config);
    g_clear_pointer(&domain->next, free_next);
    guest_clear(&domain->guest);
    g_free(domain);
}

/* Move *from into *to; returns `bit` if that is another text. */
static DomainChanges
take_string(char **to, char **from, DomainChanges bit)
{
    const char *text = *from ? *from : "";

    if (g_str_equal(*to, text))
        return 0;
    g_free(*to);
    *to = *from ? g_steal_pointer(from) : g_strdup("");
    return bit;
}

static DomainChanges
take_static_string(const char **to, const char *from, DomainChanges bit)
{
    if (g_str_equal(*to, from))
        return 0;
    *to = from;
    return bit;
}

static DomainChanges
take_int(int *to, int from, DomainChanges bit)
{
    if (*to == from)
        return 0;
    *to = from;
    return bit;
}

static DomainChanges
take_u64(uint64_t *to, uint64_t from, DomainChanges bit)
{
    if (*to == from)
        return 0;
    *to = from;
    return bit;
}

/* --- what only a domain that runs has ----------------------------------------------------- */

static DomainChanges
drop_next(Domain *domain)
{
    if (!domain->next)
        return 0;
    g_clear_pointer(&domain->next, free_next);
    return DOMAIN_CHANGED(NEXT);
}

static DomainChanges
end_problems(Domain *domain, ProblemsEnd end)
{
    return problems_end(&domain->problems, end) ? DOMAIN_CHANGED(PROBLEMS) : 0;
}

/* The run that was known is over. */
static DomainChanges
end_run(Domain *domain)
{
    GuestUpdate nothing = {.known = GUEST_HOSTNAME | GUEST_OS_INFO | GUEST_ADDRESSES};

    domain->begun_memory_bytes = 0;
    return take_u64(&domain->started_at, 0, DOMAIN_CHANGED(STARTED_AT)) | drop_next(domain) |
           end_problems(domain, PROBLEMS_END_OFF) | guest_apply(&domain->guest, &nothing);
}

static bool
is_running(DomainState state)
{
    return state == DOMAIN_RUNNING || state == DOMAIN_IDLE;
}

/* --- applying ----------------------------------------------------------------------------- */

static DomainChanges
apply_state(Domain *domain, DomainUpdate *update)
{
    DomainChanges changed = 0;

    if (domain->id >= 0 && domain->id != update->id)
        changed |= end_run(domain);
    else if (!is_running(domain->state) && is_running(update->state))
        changed |= end_problems(domain, PROBLEMS_END_RESUMED);
    changed |= take_string(&domain->name, &update->name, DOMAIN_CHANGED(NAME));
    changed |= take_static_string(&domain->state_name, domain_state_name(update->state),
                                  DOMAIN_CHANGED(STATE));
    changed |= take_static_string(&domain->reason, update->reason ? update->reason : "unknown",
                                  DOMAIN_CHANGED(STATE_REASON));
    changed |= take_int(&domain->id, update->id, DOMAIN_CHANGED(ID));
    if (update->id >= 0 && update->started_at)
        changed |= take_u64(&domain->started_at, update->started_at, DOMAIN_CHANGED(STARTED_AT));
    domain->state = update->state;
    return changed;
}

/* To be called after the configuration and the state were applied: `next` is compared with them. */
static DomainChanges
apply_next(Domain *domain, DomainUpdate *update)
{
    if (!update->has_next || !domain->persistent || domain->id < 0)
        return drop_next(domain);
    if (domain->begun_memory_bytes == 0)
        domain->begun_memory_bytes = update->next.memory_bytes;

    DomainChanges differ =
        domain_next_compare(&domain->config, &update->next, domain->begun_memory_bytes);
    if (!differ)
        return drop_next(domain);

    DomainNext *next = domain->next ? domain->next : g_new0(DomainNext, 1);
    DomainChanges news = domain_config_apply(&next->config, &update->next) & differ;
    bool changed = news || next->properties != differ;
    next->properties = differ;
    domain->next = next;
    return changed ? DOMAIN_CHANGED(NEXT) : 0;
}

static DomainChanges
apply_xml(Domain *domain, DomainUpdate *update)
{
    DomainChanges changed = 0;

    changed |= take_string(&domain->title, &update->title, DOMAIN_CHANGED(TITLE));
    changed |= take_string(&domain->description, &update->description, DOMAIN_CHANGED(DESCRIPTION));
    changed |= domain_config_apply(&domain->config, &update->config);
    if (problems_keep_devices(&domain->problems,
                              domain_config_rows(&domain->config, HARDWARE_DISKS)))
        changed |= DOMAIN_CHANGED(PROBLEMS);
    return changed | apply_next(domain, update);
}

static DomainChanges
apply_snapshot_count(Domain *domain, const DomainUpdate *update)
{
    if (domain->snapshot_count == update->snapshot_count)
        return 0;
    domain->snapshot_count = update->snapshot_count;
    return DOMAIN_CHANGED(SNAPSHOT_COUNT);
}

DomainChanges
domain_apply(Domain *domain, DomainUpdate *update)
{
    DomainChanges changed = 0;

    if (update->known & FACT_STATE)
        changed |= apply_state(domain, update);
    if (update->known & FACT_PERSISTENT)
        changed |= take_int(&domain->persistent, update->persistent, DOMAIN_CHANGED(PERSISTENT));
    if (update->known & FACT_AUTOSTART)
        changed |= take_int(&domain->autostart, update->autostart, DOMAIN_CHANGED(AUTOSTART));
    if (update->known & FACT_MANAGED_SAVE)
        changed |= take_int(&domain->has_managed_save, update->has_managed_save,
                            DOMAIN_CHANGED(HAS_MANAGED_SAVE));
    if (update->known & FACT_SNAPSHOTS)
        changed |= apply_snapshot_count(domain, update);
    if (update->known & FACT_XML)
        changed |= apply_xml(domain, update);
    if (!domain->persistent)
        changed |= drop_next(domain);
    domain->known |= update->known;
    domain->unsignaled |= changed;
    return changed;
}

DomainFacts
domain_compare(const Domain *domain, const DomainUpdate *update)
{
    DomainFacts differ = 0;

    if (domain->state != update->state || domain->id != update->id ||
        g_strcmp0(domain->reason, update->reason) != 0 ||
        g_strcmp0(domain->name, update->name) != 0)
        differ |= FACT_STATE;
    if (domain->persistent != update->persistent)
        differ |= FACT_PERSISTENT;
    if (domain->autostart != update->autostart)
        differ |= FACT_AUTOSTART;
    if (domain->has_managed_save != update->has_managed_save)
        differ |= FACT_MANAGED_SAVE;
    if (domain->snapshot_count != update->snapshot_count)
        differ |= FACT_SNAPSHOTS;
    differ &= update->known;
    if (update->has_snapshots && domain->snapshot_count == 0)
        differ |= FACT_SNAPSHOTS;
    return differ;
}

void
domain_set_available(Domain *domain, bool available)
{
    domain->unsignaled |= take_int(&domain->available, available, DOMAIN_CHANGED(AVAILABLE));
}

void
domain_set_job(Domain *domain, uint64_t number)
{
    domain->unsignaled |= take_u64(&domain->job, number, DOMAIN_CHANGED(JOB));
}

void
domain_set_capacities(Domain *domain, GHashTable *capacities)
{
    domain->unsignaled |= domain_config_set_capacities(&domain->config, capacities);
}

void
domain_set_disk_job(Domain *domain, const char *target, uint64_t number)
{
    domain->unsignaled |= domain_config_set_disk_job(&domain->config, target, number);
}

void
domain_add_problem(Domain *domain, const Problem *problem)
{
    if (problems_add(&domain->problems, problem))
        domain->unsignaled |= DOMAIN_CHANGED(PROBLEMS);
}

void
domain_remove_problem(Domain *domain, ProblemKind kind, const char *device)
{
    if (problems_remove(&domain->problems, kind, device))
        domain->unsignaled |= DOMAIN_CHANGED(PROBLEMS);
}

void
domain_end_problems(Domain *domain, ProblemsEnd end)
{
    domain->unsignaled |= end_problems(domain, end);
}

void
domain_apply_guest(Domain *domain, GuestUpdate *update)
{
    if (domain->id >= 0)
        domain->unsignaled |= guest_apply(&domain->guest, update);
    else
        guest_clear(&update->guest);
}

bool
domain_uuid_parse(const char *text, char uuid[static UUID_LENGTH + 1])
{
    unsigned n = 0; /* of uuid */
    unsigned digits = 0;

    while (g_ascii_isspace(*text))
        text++;
    for (; digits < 32 && *text; text++) {
        /* Between two bytes, but not within one. */
        if (*text == '-' && digits % 2 == 0)
            continue;
        if (!g_ascii_isxdigit(*text))
            return false;
        if (digits == 8 || digits == 12 || digits == 16 || digits == 20)
            uuid[n++] = '-';
        uuid[n++] = g_ascii_tolower(*text);
        digits++;
    }
    uuid[n] = '\0';
    while (g_ascii_isspace(*text))
        text++;
    return digits == 32 && *text == '\0';
}
