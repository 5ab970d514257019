/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor-job.h"

#include "hypervisor-private.h"

/* --- migration ---------------------------------------------------------------------------- */

/*
 * Peer to peer: libvirt's daemon here connects to the destination itself. So this service opens no
 * connection to where a caller says, and it may end without ending the migration.
 */
static bool
migrate(Hypervisor *h, virDomainPtr dom, const OperationPayload *payload, Error **error)
{
    PayloadFlags asked = payload->flags;
    unsigned flags = VIR_MIGRATE_PEER2PEER | (asked & PAYLOAD_LIVE ? VIR_MIGRATE_LIVE : 0) |
                     (asked & PAYLOAD_PERSIST_DESTINATION ? VIR_MIGRATE_PERSIST_DEST : 0) |
                     (asked & PAYLOAD_UNDEFINE_SOURCE ? VIR_MIGRATE_UNDEFINE_SOURCE : 0) |
                     (asked & PAYLOAD_COPY_STORAGE ? VIR_MIGRATE_NON_SHARED_DISK : 0);
    virTypedParameter bandwidth = {
        .field = VIR_MIGRATE_PARAM_BANDWIDTH,
        .type = VIR_TYPED_PARAM_ULLONG,
        .value.ul = payload->bandwidth,
    };
    int active = virDomainIsActive(dom);

    if (active < 0)
        return hypervisor_fail(error);
    /* Only the definition is moved. */
    if (!active)
        flags = (flags & ~(unsigned)VIR_MIGRATE_LIVE) | VIR_MIGRATE_OFFLINE;
    if (!hypervisor_pass_gate(h, error))
        return false;
    return virDomainMigrateToURI3(dom, payload->name, &bandwidth, payload->bandwidth ? 1 : 0,
                                  flags) == 0 ||
           hypervisor_fail(error);
}

/* --- any long call ------------------------------------------------------------------------ */

bool
hypervisor_do_long(Hypervisor *h, const char *uuid, DomainVerb verb,
                   const OperationPayload *payload, Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);

    if (!dom)
        return false;
    switch (verb) {
    case VERB_SAVE:
        return hypervisor_save(h, dom, payload, error);
    case VERB_CREATE_SNAPSHOT:
        return hypervisor_create_snapshot(h, dom, payload, error);
    case VERB_REVERT_SNAPSHOT:
        return hypervisor_revert_snapshot(h, dom, payload, error);
    case VERB_DELETE_SNAPSHOT:
        return hypervisor_delete_snapshot(h, dom, payload, error);
    case VERB_MIGRATE:
        return migrate(h, dom, payload, error);
    default:
        g_assert_not_reached();
    }
}

bool
hypervisor_abort(Hypervisor *h, const char *uuid, Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);

    if (!dom)
        return false;
    if (virDomainAbortJob(dom) == 0)
        return true;
    return hypervisor_fail(error);
}

static double
progress_of(virTypedParameterPtr params, int n)
{
    unsigned long long total = 0;
    unsigned long long remaining = 0;

    if (virTypedParamsGetULLong(params, n, VIR_DOMAIN_JOB_DATA_TOTAL, &total) != 1 || total == 0 ||
        virTypedParamsGetULLong(params, n, VIR_DOMAIN_JOB_DATA_REMAINING, &remaining) != 1)
        return -1;
    return remaining >= total ? 0 : (double)(total - remaining) / (double)total;
}

typedef struct {
    int type;      /* virDomainJobType */
    int operation; /* virDomainJobOperation */
    double progress;
} JobState;

static bool
is_going_on(const JobState *job)
{
    return job->type == VIR_DOMAIN_JOB_BOUNDED || job->type == VIR_DOMAIN_JOB_UNBOUNDED;
}

static bool
get_job(virDomainPtr dom, JobState *ret, Error **error)
{
    virTypedParameterPtr params = NULL;
    int n = 0;

    *ret = (JobState){.type = VIR_DOMAIN_JOB_NONE};
    if (virDomainGetJobStats(dom, &ret->type, &params, &n, 0) < 0)
        return hypervisor_fail(error);
    (void)virTypedParamsGetInt(params, n, VIR_DOMAIN_JOB_OPERATION, &ret->operation);
    ret->progress = is_going_on(ret) ? progress_of(params, n) : -1;
    virTypedParamsFree(params, n);
    return true;
}

bool
hypervisor_get_progress(Hypervisor *h, const char *uuid, double *ret, Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);
    JobState job;

    if (!dom)
        return false;
    if (get_job(dom, &job, error)) {
        *ret = job.progress;
        return true;
    }
    if (!hypervisor_failed_with(VIR_ERR_OPERATION_TIMEOUT))
        return false;
    /* The guest's process hangs or is busy; a later question may be answered. */
    g_clear_pointer(error, error_free);
    *ret = -1;
    return true;
}

static OperationKind
operation_of_job(int operation)
{
    switch (operation) {
    case VIR_DOMAIN_JOB_OPERATION_SAVE:
        return OPERATION_SAVE;
    case VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT:
        return OPERATION_MIGRATE;
    case VIR_DOMAIN_JOB_OPERATION_SNAPSHOT:
        return OPERATION_CREATE_SNAPSHOT;
    case VIR_DOMAIN_JOB_OPERATION_SNAPSHOT_REVERT:
        return OPERATION_REVERT_SNAPSHOT;
#if LIBVIR_CHECK_VERSION(9, 0, 0)
    case VIR_DOMAIN_JOB_OPERATION_SNAPSHOT_DELETE:
        return OPERATION_DELETE_SNAPSHOT;
#endif
    default:
        return _OPERATION_MAX;
    }
}

bool
hypervisor_find_job(Hypervisor *h, const char *uuid, FoundJob *ret, Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);
    JobState job;

    if (!dom || !get_job(dom, &job, error))
        return false;
    *ret = (FoundJob){
        .kind = is_going_on(&job) ? operation_of_job(job.operation) : _OPERATION_MAX,
        .progress = job.progress,
    };
    if (ret->kind == OPERATION_CREATE_SNAPSHOT)
        ret->name = hypervisor_newest_snapshot(dom);
    return true;
}

/* --- what became of it -------------------------------------------------------------------- */

static ProbeAnswer
answer_if(bool carried_out)
{
    return carried_out ? PROBE_CARRIED_OUT : PROBE_NOT_CARRIED_OUT;
}

static bool
probe_snapshot(virDomainPtr dom, const char *name, bool wanted, ProbeAnswer *ret, Error **error)
{
    bool exists;

    *ret = PROBE_NOT_CARRIED_OUT;
    if (!name)
        return true;
    if (!hypervisor_has_snapshot(dom, name, &exists, error))
        return false;
    *ret = answer_if(exists == wanted);
    return true;
}

static bool
probe_state(virDomainPtr dom, DomainVerb verb, bool was_active, ProbeAnswer *ret, Error **error)
{
    int state;
    int reason;

    if (virDomainGetState(dom, &state, &reason, 0) < 0)
        return hypervisor_fail(error);
    if (state != VIR_DOMAIN_SHUTOFF)
        *ret = PROBE_NOT_CARRIED_OUT;
    else if (verb == VERB_SAVE)
        *ret = answer_if(hypervisor_has_whole_save(dom));
    else
        /* A domain that was off before has the reason of an earlier migration. */
        *ret = answer_if(was_active && reason == VIR_DOMAIN_SHUTOFF_MIGRATED);
    return true;
}

static bool
probe(virDomainPtr dom, DomainVerb verb, const OperationPayload *payload, bool was_active,
      ProbeAnswer *ret, Error **error)
{
    switch (verb) {
    case VERB_CREATE_SNAPSHOT:
        return probe_snapshot(dom, payload->name, true, ret, error);
    case VERB_DELETE_SNAPSHOT:
        return probe_snapshot(dom, payload->name, false, ret, error);
    case VERB_SAVE:
    case VERB_MIGRATE:
        return probe_state(dom, verb, was_active, ret, error);
    default:
        /* A domain that has been reverted looks like one that was not. */
        *ret = PROBE_NOT_CARRIED_OUT;
        return true;
    }
}

static bool
is_under_way(virDomainPtr dom)
{
    JobState job;
    g_autoptr(Error) ignored = NULL;

    /* A domain that is off has no statistics, nor has any domain of some drivers. A job that has
     * ended is reported until libvirt has cleaned up after it. */
    return get_job(dom, &job, &ignored) && job.type != VIR_DOMAIN_JOB_NONE;
}

bool
hypervisor_probe(Hypervisor *h, const char *uuid, DomainVerb verb, const OperationPayload *payload,
                 bool was_active, ProbeAnswer *ret, Error **error)
{
    g_autoptr(Error) problem = NULL;
    virDomainPtr dom = hypervisor_domain(h, uuid, &problem);

    if (dom && is_under_way(dom)) {
        *ret = PROBE_UNDER_WAY;
        return true;
    }
    if (dom && probe(dom, verb, payload, was_active, ret, &problem))
        return true;
    if (problem->kind == ERROR_NO_SUCH_DOMAIN) {
        *ret = answer_if(verb == VERB_MIGRATE && (payload->flags & PAYLOAD_UNDEFINE_SOURCE));
        return true;
    }
    *error = g_steal_pointer(&problem);
    return false;
}
