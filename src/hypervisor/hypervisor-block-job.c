/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor-block-job.h"

#include "hypervisor-private.h"

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
