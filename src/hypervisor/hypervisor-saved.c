/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor-saved.h"

#include "clock.h"
#include "hypervisor-private.h"

/* --- facts -------------------------------------------------------------------------------- */

/* A driver without the feature has none; any other failure stays -1. */
static int
count_or_none(int n)
{
    return n < 0 && hypervisor_is_unsupported() ? 0 : n;
}

bool
hypervisor_read_saved_facts(virDomainPtr dom, DomainFacts facts, DomainUpdate *update,
                            Error **error)
{
    if (facts & FACT_MANAGED_SAVE) {
        int saved = count_or_none(virDomainHasManagedSaveImage(dom, 0));

        if (saved < 0)
            return hypervisor_fail(error);
        update->has_managed_save = saved;
        update->known |= FACT_MANAGED_SAVE;
    }
    if (facts & FACT_SNAPSHOTS) {
        int n = count_or_none(virDomainSnapshotNum(dom, 0));

        if (n < 0)
            return hypervisor_fail(error);
        update->snapshot_count = (uint32_t)n;
        update->known |= FACT_SNAPSHOTS;
    }
    return true;
}

/* --- managed save ------------------------------------------------------------------------- */

bool
hypervisor_save(Hypervisor *h, virDomainPtr dom, const OperationPayload *payload, Error **error)
{
    unsigned flags = (payload->flags & PAYLOAD_BYPASS_CACHE ? VIR_DOMAIN_SAVE_BYPASS_CACHE : 0) |
                     (payload->flags & PAYLOAD_PAUSED ? VIR_DOMAIN_SAVE_PAUSED : 0);

    if (!hypervisor_pass_gate(h, error))
        return false;
    return virDomainManagedSave(dom, flags) == 0 || hypervisor_fail(error);
}

/* A save that was cut short is there, too, but cannot be read. */
bool
hypervisor_has_whole_save(virDomainPtr dom)
{
    if (virDomainHasManagedSaveImage(dom, 0) != 1)
        return false;

    g_autofree char *xml = virDomainManagedSaveGetXMLDesc(dom, 0);
    return xml || hypervisor_is_unsupported();
}

bool
hypervisor_discard_managed_save(Hypervisor *h, const char *uuid, Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);

    if (!dom)
        return false;
    int saved = virDomainHasManagedSaveImage(dom, 0);
    if (saved < 0)
        return hypervisor_fail(error);
    if (saved == 0) {
        /* Not every driver would say so. */
        *error =
            error_new(ERROR_INVALID_STATE, "Discard is not possible: there is no managed save");
        return false;
    }
    if (!hypervisor_pass_gate(h, error))
        return false;
    return virDomainManagedSaveRemove(dom, 0) == 0 || hypervisor_fail(error);
}

/* --- sleep -------------------------------------------------------------------------------- */

#define SETTLE_STEPS     100
#define SETTLE_STEP_USEC 20000

/* A guest whose memory is on its disk is off: it ended by itself, unlike one that was killed. */
static bool
is_asleep(virDomainPtr dom, SuspendTarget target)
{
    int state;
    int reason;

    if (virDomainGetState(dom, &state, &reason, 0) < 0)
        return target == SUSPEND_DISK && hypervisor_failed_with(VIR_ERR_NO_DOMAIN);
    return state == VIR_DOMAIN_PMSUSPENDED ||
           (target == SUSPEND_DISK && state == VIR_DOMAIN_SHUTOFF &&
            reason == VIR_DOMAIN_SHUTOFF_SHUTDOWN);
}

/*
 * QEMU ends once the guest is on its disk. libvirt may see the end of the agent's socket before it
 * returns, or before it handles the event of the sleep; it fails then, with the code that a refusal
 * has, too. A guest that refuses is awake, and its agent answers.
 */
static bool
falls_asleep(virDomainPtr dom, SuspendTarget target)
{
    if (is_asleep(dom, target))
        return true;
    if (hypervisor_agent_answers(dom))
        return false;
    for (unsigned i = 0; i < SETTLE_STEPS; i++) {
        if (is_asleep(dom, target))
            return true;
        g_usleep(SETTLE_STEP_USEC);
    }
    return false;
}

bool
hypervisor_suspend(Hypervisor *h, const char *uuid, SuspendTarget target, Error **error)
{
    static const unsigned targets[] = {
        [SUSPEND_MEMORY] = VIR_NODE_SUSPEND_TARGET_MEM,
        [SUSPEND_DISK] = VIR_NODE_SUSPEND_TARGET_DISK,
        [SUSPEND_HYBRID] = VIR_NODE_SUSPEND_TARGET_HYBRID,
    };
    virDomainPtr dom = hypervisor_begin_change(h, uuid, error);

    if (!dom)
        return false;
    uint64_t begun = clock_now_usec();
    if (virDomainPMSuspendForDuration(dom, targets[target], 0, 0) == 0)
        return true;

    bool is_unsure =
        hypervisor_failed_with(VIR_ERR_INTERNAL_ERROR) && virGetLastErrorDomain() != VIR_FROM_RPC;
    hypervisor_agent_fail(dom, begun, error);
    if (!is_unsure || !falls_asleep(dom, target))
        return false;
    error_free(g_steal_pointer(error));
    return true;
}
