/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor-block-job.h"

#include "device-edit.h"
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

static bool
has_block_job(Hypervisor *h, const char *uuid, const char *target)
{
    g_autoptr(Error) ignored = NULL;
    BlockJobInfo info;

    return hypervisor_get_block_job(h, uuid, target, &info, &ignored) &&
           info.type != BLOCK_JOB_NONE;
}

bool
hypervisor_read_disk_chain(Hypervisor *h, const char *uuid, const char *target, DiskChain *ret,
                           Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);
    g_autofree char *xml = hypervisor_read_xml(dom, 0, error);

    if (!xml)
        return false;
    *ret = disk_chain_read(xml, target);
    ret->has_job |= ret->is_active && has_block_job(h, uuid, target);
    return true;
}

void
found_block_job_free(FoundBlockJob *found)
{
    g_free(found->target);
    disk_chain_clear(&found->chain);
    g_free(found);
}

static void
free_found(gpointer found)
{
    found_block_job_free(found);
}

/* A disk that has gone meanwhile has none. */
static void
find_block_job(Hypervisor *h, const char *uuid, const char *xml, const char *target,
               GPtrArray *found)
{
    g_autoptr(Error) ignored = NULL;
    BlockJobInfo info;

    if (!hypervisor_get_block_job(h, uuid, target, &info, &ignored) ||
        info.type == BLOCK_JOB_NONE || info.type == BLOCK_JOB_OTHER)
        return;

    FoundBlockJob *job = g_new0(FoundBlockJob, 1);
    job->target = g_strdup(target);
    job->info = info;
    job->chain = disk_chain_read(xml, target);
    g_ptr_array_add(found, job);
}

GPtrArray *
hypervisor_find_block_jobs(Hypervisor *h, const char *uuid, Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);
    g_autofree char *xml = hypervisor_read_xml(dom, 0, error);

    if (!xml)
        return NULL;

    g_auto(GStrv) targets = disk_chain_find_layered(xml);
    GPtrArray *found = g_ptr_array_new_with_free_func(free_found);
    for (char **target = targets; *target; target++)
        find_block_job(h, uuid, xml, *target, found);
    return found;
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
commit(Hypervisor *h, virDomainPtr dom, const char *target, BlockJobType type,
       const DiskOperationSpec *spec, Error **error)
{
    unsigned flags = VIR_DOMAIN_BLOCK_COMMIT_BANDWIDTH_BYTES |
                     (spec->base ? 0U : VIR_DOMAIN_BLOCK_COMMIT_SHALLOW) |
                     (type == BLOCK_JOB_ACTIVE_COMMIT ? VIR_DOMAIN_BLOCK_COMMIT_ACTIVE : 0U) |
                     (spec->delete_merged ? VIR_DOMAIN_BLOCK_COMMIT_DELETE : 0U);

    if (!hypervisor_pass_gate(h, error))
        return false;
    return virDomainBlockCommit(dom, target, spec->base, spec->top, (unsigned long)spec->bandwidth,
                                flags) == 0 ||
           hypervisor_fail(error);
}

static bool
pull(Hypervisor *h, virDomainPtr dom, const char *target, const DiskOperationSpec *spec,
     Error **error)
{
    if (!hypervisor_pass_gate(h, error))
        return false;
    return virDomainBlockRebase(dom, target, spec->base, (unsigned long)spec->bandwidth,
                                VIR_DOMAIN_BLOCK_REBASE_BANDWIDTH_BYTES) == 0 ||
           hypervisor_fail(error);
}

/* libvirt refuses to overwrite a file that exists; a block device has to exist. */
static bool
copy(Hypervisor *h, virDomainPtr dom, const char *target, const DiskOperationSpec *spec,
     Error **error)
{
    g_autofree char *xml =
        device_edit_copy(spec->destination, spec->format ? spec->format : "", error);
    virTypedParameter bandwidth = {
        .field = VIR_DOMAIN_BLOCK_COPY_BANDWIDTH,
        .type = VIR_TYPED_PARAM_ULLONG,
        .value.ul = spec->bandwidth,
    };

    if (!xml || !hypervisor_pass_gate(h, error))
        return false;
    return virDomainBlockCopy(dom, target, xml, &bandwidth, spec->bandwidth ? 1 : 0,
                              VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB) == 0 ||
           hypervisor_fail(error);
}

bool
hypervisor_start_block_job(Hypervisor *h, const char *uuid, const char *target, BlockJobType type,
                           const DiskOperationSpec *spec, Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);

    if (!dom || !check_bandwidth(spec->bandwidth, error))
        return false;
    switch (type) {
    case BLOCK_JOB_COMMIT:
    case BLOCK_JOB_ACTIVE_COMMIT:
        return commit(h, dom, target, type, spec, error);
    case BLOCK_JOB_PULL:
        return pull(h, dom, target, spec, error);
    case BLOCK_JOB_COPY:
        return copy(h, dom, target, spec, error);
    default:
        g_assert_not_reached();
    }
}

/* --- ending ------------------------------------------------------------------------------- */

bool
hypervisor_end_block_job(Hypervisor *h, const char *uuid, const char *target, bool pivot,
                         Error **error)
{
    virDomainPtr dom = hypervisor_begin_change(h, uuid, error);
    unsigned flags = pivot ? VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT : VIR_DOMAIN_BLOCK_JOB_ABORT_ASYNC;

    if (!dom)
        return false;
    return virDomainBlockJobAbort(dom, target, flags) == 0 || hypervisor_fail(error);
}
