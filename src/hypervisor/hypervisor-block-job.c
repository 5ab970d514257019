/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor-block-job.h"

#include "device-edit.h"
#include "disk-chain.h"
#include "hypervisor-private.h"

#include <limits.h>

/* --- reads -------------------------------------------------------------------------------- */

BlockJobType
hypervisor_block_job_type(int type)
{
    switch (type) {
    case VIR_DOMAIN_BLOCK_JOB_TYPE_COMMIT:
        return BLOCK_JOB_COMMIT;
    case VIR_DOMAIN_BLOCK_JOB_TYPE_ACTIVE_COMMIT:
        return BLOCK_JOB_ACTIVE_COMMIT;
    case VIR_DOMAIN_BLOCK_JOB_TYPE_PULL:
        return BLOCK_JOB_PULL;
    case VIR_DOMAIN_BLOCK_JOB_TYPE_COPY:
        return BLOCK_JOB_COPY;
    default:
        return BLOCK_JOB_OTHER;
    }
}

bool
hypervisor_get_block_job(Hypervisor *h, const char *uuid, const char *target, BlockJobInfo *ret,
                         Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);
    virDomainBlockJobInfo info = {0};
    int found = dom ? virDomainGetBlockJobInfo(dom, target, &info, 0) : -1;

    if (dom && found < 0)
        hypervisor_fail(error);
    if (found < 0)
        return false;
    *ret = (BlockJobInfo){
        .type = found ? hypervisor_block_job_type(info.type) : BLOCK_JOB_NONE,
        .progress = info.end > 0 ? CLAMP((double)info.cur / (double)info.end, 0, 1) : -1,
        /* libvirt reports less than the end until the job is ready. */
        .ready = info.end > 0 && info.cur == info.end,
    };
    return true;
}

char **
hypervisor_read_disk_chain(Hypervisor *h, const char *uuid, const char *target, Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);
    g_autofree char *xml = dom ? virDomainGetXMLDesc(dom, 0) : NULL;

    if (dom && !xml)
        hypervisor_fail(error);
    return xml ? disk_chain_read(xml, target) : NULL;
}

/* --- beginning ---------------------------------------------------------------------------- */

/* libvirt takes an unsigned long. */
static bool
check_bandwidth(uint64_t bandwidth, Error **error)
{
    if (bandwidth <= LONG_MAX)
        return true;
    *error = error_new(ERROR_INVALID_ARGS, "The bandwidth is too large");
    return false;
}

/* Committing the top layer needs a flag, which is refused for any other layer. */
static bool
is_active(virDomainPtr dom, const char *target, const char *top, bool *ret, Error **error)
{
    *ret = true;
    if (!top)
        return true;

    g_autofree char *xml = virDomainGetXMLDesc(dom, 0);
    if (!xml)
        return hypervisor_fail(error);
    g_auto(GStrv) chain = disk_chain_read(xml, target);
    *ret = *chain && g_str_equal(*chain, top);
    return true;
}

static bool
commit(Hypervisor *h, virDomainPtr dom, const char *target, const BlockJobArgs *args, Error **error)
{
    bool active;

    if (!is_active(dom, target, args->top, &active, error) || !hypervisor_pass_gate(h, error))
        return false;

    unsigned flags = VIR_DOMAIN_BLOCK_COMMIT_BANDWIDTH_BYTES |
                     (args->base ? 0U : VIR_DOMAIN_BLOCK_COMMIT_SHALLOW) |
                     (active ? VIR_DOMAIN_BLOCK_COMMIT_ACTIVE : 0U) |
                     (args->delete_merged ? VIR_DOMAIN_BLOCK_COMMIT_DELETE : 0U);
    return virDomainBlockCommit(dom, target, args->base, args->top, (unsigned long)args->bandwidth,
                                flags) == 0 ||
           hypervisor_fail(error);
}

static bool
pull(Hypervisor *h, virDomainPtr dom, const char *target, const BlockJobArgs *args, Error **error)
{
    if (!hypervisor_pass_gate(h, error))
        return false;
    return virDomainBlockRebase(dom, target, args->base, (unsigned long)args->bandwidth,
                                VIR_DOMAIN_BLOCK_REBASE_BANDWIDTH_BYTES) == 0 ||
           hypervisor_fail(error);
}

/* libvirt refuses to overwrite a file that exists; a block device has to exist. */
static bool
copy(Hypervisor *h, virDomainPtr dom, const char *target, const BlockJobArgs *args, Error **error)
{
    g_autofree char *xml =
        device_edit_copy(args->destination, args->format ? args->format : "", error);
    virTypedParameter bandwidth = {
        .field = VIR_DOMAIN_BLOCK_COPY_BANDWIDTH,
        .type = VIR_TYPED_PARAM_ULLONG,
        .value.ul = args->bandwidth,
    };

    if (!xml || !hypervisor_pass_gate(h, error))
        return false;
    return virDomainBlockCopy(dom, target, xml, &bandwidth, args->bandwidth ? 1 : 0,
                              VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB) == 0 ||
           hypervisor_fail(error);
}

bool
hypervisor_start_block_job(Hypervisor *h, const char *uuid, const char *target, BlockJobType type,
                           const BlockJobArgs *args, Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);

    if (!dom || !check_bandwidth(args->bandwidth, error))
        return false;
    switch (type) {
    case BLOCK_JOB_COMMIT:
        return commit(h, dom, target, args, error);
    case BLOCK_JOB_PULL:
        return pull(h, dom, target, args, error);
    case BLOCK_JOB_COPY:
        return copy(h, dom, target, args, error);
    default:
        g_assert_not_reached();
    }
}

/* --- ending ------------------------------------------------------------------------------- */

bool
hypervisor_end_block_job(Hypervisor *h, const char *uuid, const char *target, bool pivot,
                         Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);
    unsigned flags = pivot ? VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT : VIR_DOMAIN_BLOCK_JOB_ABORT_ASYNC;

    if (!dom || !hypervisor_pass_gate(h, error))
        return false;
    return virDomainBlockJobAbort(dom, target, flags) == 0 || hypervisor_fail(error);
}
