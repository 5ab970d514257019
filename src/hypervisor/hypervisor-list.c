/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor-list.h"

#include "hypervisor-private.h"
#include "hypervisor-reason.h"
#include "utf8.h"

#include <sys/stat.h>

#define HANDLES_MAX_GONE 64

/* A domain that is shut off has no id, and is not asked for it. */
static int
id_of(virDomainPtr dom, DomainState state)
{
    unsigned id = state == DOMAIN_SHUTOFF ? (unsigned)-1 : virDomainGetID(dom);

    return id == (unsigned)-1 ? -1 : (int)id;
}

/* When the process of a running domain began: its PID file is written then. */
static uint64_t
started_at(const Hypervisor *h, const char *name)
{
    g_autofree char *path = NULL;
    struct stat st;

    if (!h->pid_directory || !name)
        return 0;
    path = g_strdup_printf("%s/%s.pid", h->pid_directory, name);
    if (stat(path, &st) < 0)
        return 0;
    return (uint64_t)st.st_mtim.tv_sec * G_USEC_PER_SEC + (uint64_t)st.st_mtim.tv_nsec / 1000;
}

static DomainUpdate *
update_of(const Hypervisor *h, virDomainPtr dom, const char *name, DomainState state, int reason)
{
    char uuid[VIR_UUID_STRING_BUFLEN];

    hypervisor_uuid(dom, uuid);
    DomainUpdate *update = domain_update_new(uuid);
    update->known = FACT_STATE;
    update->name = utf8_for_bus(name);
    update->state = state;
    update->reason = hypervisor_reason_name(update->state, reason);
    update->id = id_of(dom, update->state);
    update->started_at = update->id < 0 ? 0 : started_at(h, name);
    return update;
}

static DomainState
domain_state(int state)
{
    return (unsigned)state < _DOMAIN_STATE_MAX ? (DomainState)state : DOMAIN_NOSTATE;
}

DomainState
hypervisor_record_state(const virDomainStatsRecord *record, int *ret_reason)
{
    int state = VIR_DOMAIN_NOSTATE;

    *ret_reason = 0;
    virTypedParamsGetInt(record->params, record->nparams, "state.state", &state);
    virTypedParamsGetInt(record->params, record->nparams, "state.reason", ret_reason);
    return domain_state(state);
}

static DomainUpdate *
update_of_record(const Hypervisor *h, const virDomainStatsRecord *record, const char *name)
{
    int reason;
    DomainState state = hypervisor_record_state(record, &reason);

    return update_of(h, record->dom, name, state, reason);
}

static GPtrArray *
updates_of_records(Hypervisor *h, virDomainStatsRecordPtr *records, int n)
{
    GPtrArray *updates =
        g_ptr_array_new_full((guint)n, (GDestroyNotify)(void (*)(void))domain_update_free);

    for (int i = 0; i < n; i++) {
        const char *name = virDomainGetName(records[i]->dom);
        DomainUpdate *update = update_of_record(h, records[i], name);

        g_ptr_array_add(updates, update);
        /* A handle stays valid, except that its name may be out of date. */
        if (hypervisor_keeps_domain(h, update->uuid, name))
            continue;
        virDomainRef(records[i]->dom);
        hypervisor_keep_domain(h, update->uuid, records[i]->dom);
    }
    return updates;
}

/* For drivers without bulk statistics: one round trip a domain. */
static GPtrArray *
read_one_by_one(Hypervisor *h, virDomainPtr *doms, int n, Error **error)
{
    g_autoptr(GPtrArray) updates =
        g_ptr_array_new_full((guint)n, (GDestroyNotify)(void (*)(void))domain_update_free);

    for (int i = 0; i < n; i++) {
        int state;
        int reason;

        if (virDomainGetState(doms[i], &state, &reason, 0) == 0) {
            g_ptr_array_add(updates, update_of(h, doms[i], virDomainGetName(doms[i]),
                                               domain_state(state), reason));
            continue;
        }
        g_autoptr(Error) problem = NULL;
        hypervisor_fail(&problem);
        if (!hypervisor_is_alive(h)) {
            if (error)
                *error = g_steal_pointer(&problem);
            return NULL;
        }
        /* A domain that cannot be read hides no other one. */
    }
    return g_steal_pointer(&updates);
}

static void
free_domains(virDomainPtr *doms, int n)
{
    for (int i = 0; i < n; i++)
        virDomainFree(doms[i]);
    free(doms);
}

static GPtrArray *
list_one_by_one(Hypervisor *h, Error **error)
{
    virDomainPtr *doms = NULL;
    int n = virConnectListAllDomains(h->conn, &doms, 0);

    if (n < 0) {
        hypervisor_fail(error);
        return NULL;
    }
    n = hypervisor_count((void **)doms);
    GPtrArray *updates = read_one_by_one(h, doms, n, error);
    free_domains(doms, n);
    return updates;
}

static GPtrArray *
list_states(Hypervisor *h, Error **error)
{
    virDomainStatsRecordPtr *records = NULL;
    int n = virConnectGetAllDomainStats(h->conn, VIR_DOMAIN_STATS_STATE, &records, 0);

    if (n < 0 && hypervisor_is_unsupported())
        return list_one_by_one(h, error);
    if (n < 0) {
        hypervisor_fail(error);
        return NULL;
    }
    /* Drop the handles of domains that are gone, once there are many. */
    if (g_hash_table_size(h->domains) > 2 * (guint)n + HANDLES_MAX_GONE)
        g_hash_table_remove_all(h->domains);
    GPtrArray *updates = updates_of_records(h, records, hypervisor_count((void **)records));
    hypervisor_defer_free(h, records);
    return updates;
}

/* The UUIDs of the domains that a filter lets through; NULL on failure. */
static GHashTable *
list_filtered(Hypervisor *h, unsigned filter, Error **error)
{
    virDomainPtr *doms = NULL;
    int n = virConnectListAllDomains(h->conn, &doms, filter);

    if (n < 0) {
        hypervisor_fail(error);
        return NULL;
    }
    n = hypervisor_count((void **)doms);
    GHashTable *uuids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (int i = 0; i < n; i++) {
        char uuid[VIR_UUID_STRING_BUFLEN];

        hypervisor_uuid(doms[i], uuid);
        g_hash_table_add(uuids, g_strdup(uuid));
    }
    free_domains(doms, n);
    return uuids;
}

/* The same, but empty if the driver lacks the filter. NULL on failure. */
static GHashTable *
list_filtered_if_known(Hypervisor *h, unsigned filter, Error **error)
{
    GHashTable *uuids = list_filtered(h, filter, error);

    if (uuids || !hypervisor_is_alive(h))
        return uuids;
    g_clear_pointer(error, error_free);
    return g_hash_table_new(g_str_hash, g_str_equal);
}

/*
 * Each flag of all domains is one round trip: the filter that lets the fewest through. That some
 * have snapshots comes the same way; how many, libvirt tells of one domain at a time.
 */
static bool
list_flags(Hypervisor *h, GPtrArray *updates, Error **error)
{
    g_autoptr(GHashTable) transient = list_filtered(h, VIR_CONNECT_LIST_DOMAINS_TRANSIENT, error);
    if (!transient)
        return false;
    g_autoptr(GHashTable) autostart = list_filtered(h, VIR_CONNECT_LIST_DOMAINS_AUTOSTART, error);
    if (!autostart)
        return false;
    g_autoptr(GHashTable) saved =
        list_filtered_if_known(h, VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE, error);
    if (!saved)
        return false;
    g_autoptr(GHashTable) snapshotted =
        list_filtered_if_known(h, VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT, error);
    if (!snapshotted)
        return false;

    for (unsigned i = 0; i < updates->len; i++) {
        DomainUpdate *update = updates->pdata[i];

        update->persistent = !g_hash_table_contains(transient, update->uuid);
        update->autostart = g_hash_table_contains(autostart, update->uuid);
        update->has_managed_save = g_hash_table_contains(saved, update->uuid);
        update->has_snapshots = g_hash_table_contains(snapshotted, update->uuid);
        update->known |= FACT_PERSISTENT | FACT_AUTOSTART | FACT_MANAGED_SAVE;
        if (!update->has_snapshots)
            update->known |= FACT_SNAPSHOTS;
    }
    return true;
}

GPtrArray *
hypervisor_list(Hypervisor *h, Error **error)
{
    g_autoptr(GPtrArray) updates = list_states(h, error);

    if (!updates || !list_flags(h, updates, error))
        return NULL;
    return g_steal_pointer(&updates);
}

/* --- some domains ------------------------------------------------------------------------- */

static void
drop_domain(gpointer dom)
{
    if (dom)
        virDomainFree(dom);
}

GPtrArray *
hypervisor_domains(Hypervisor *h, const char *const *uuids, Error **error)
{
    g_autoptr(GPtrArray) doms = g_ptr_array_new_with_free_func(drop_domain);

    for (; *uuids; uuids++) {
        g_autoptr(Error) problem = NULL;
        virDomainPtr dom = hypervisor_domain(h, *uuids, &problem);

        if (dom) {
            virDomainRef(dom);
            g_ptr_array_add(doms, dom);
        } else if (problem->kind != ERROR_NO_SUCH_DOMAIN) {
            if (error)
                *error = g_steal_pointer(&problem);
            return NULL;
        }
    }
    g_ptr_array_add(doms, NULL);
    return g_steal_pointer(&doms);
}

/* By handles that are new: a rename leaves the old name in one that was kept. */
static GPtrArray *
read_states_one_by_one(Hypervisor *h, const char *const *uuids, Error **error)
{
    for (const char *const *uuid = uuids; *uuid; uuid++)
        g_hash_table_remove(h->domains, *uuid);

    g_autoptr(GPtrArray) found = hypervisor_domains(h, uuids, error);
    if (!found)
        return NULL;
    return read_one_by_one(h, (virDomainPtr *)found->pdata, (int)found->len - 1, error);
}

GPtrArray *
hypervisor_read_states(Hypervisor *h, const char *const *uuids, Error **error)
{
    g_autoptr(GPtrArray) found = hypervisor_domains(h, uuids, error);
    virDomainPtr *doms = found ? (virDomainPtr *)found->pdata : NULL;
    virDomainStatsRecordPtr *records = NULL;

    if (!doms)
        return NULL;
    if (!*doms)
        return g_ptr_array_new();
    int n = virDomainListGetStats(doms, VIR_DOMAIN_STATS_STATE, &records, 0);
    if (n < 0 && hypervisor_is_unsupported())
        return read_states_one_by_one(h, uuids, error);
    if (n < 0) {
        hypervisor_fail(error);
        return NULL;
    }
    GPtrArray *updates = updates_of_records(h, records, hypervisor_count((void **)records));
    hypervisor_defer_free(h, records);
    return updates;
}

bool
hypervisor_read_state_in_turn(Hypervisor *h, const char *uuid, DomainState *ret, Error **error)
{
    /* Only the process itself knows what its balloon has. */
    const unsigned groups = VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_BALLOON;
    virDomainPtr doms[] = {hypervisor_domain(h, uuid, error), NULL};
    virDomainStatsRecordPtr *records = NULL;
    int reason;

    if (!doms[0])
        return false;
    if (virDomainListGetStats(doms, groups, &records, 0) < 0)
        return hypervisor_fail(error);
    *ret = records[0] ? hypervisor_record_state(records[0], &reason) : DOMAIN_SHUTOFF;
    virDomainStatsRecordListFree(records);
    return true;
}
