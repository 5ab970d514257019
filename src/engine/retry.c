/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "retry.h"

#define READ_RETRIES_MAX   1
#define CHANGE_RETRIES_MAX 3 /* of one that cannot have reached the hypervisor */

Retry
retry_decide(bool is_read, CallOutcome outcome, unsigned retries)
{
    switch (outcome) {
    case OUTCOME_OK:
        return RETRY_DONE;
    case OUTCOME_FAILED:
        return RETRY_FAIL;
    case OUTCOME_LOST:
        if (!is_read)
            return RETRY_MAY_HAVE;
        break;
    case OUTCOME_UNSENT:
        break;
    }
    return retries < (is_read ? READ_RETRIES_MAX : CHANGE_RETRIES_MAX) ? RETRY_AGAIN : RETRY_FAIL;
}

Error *
retry_failure(CallOutcome outcome, const Error *error)
{
    if (outcome == OUTCOME_FAILED)
        return error_copy(error);
    return error_not_available(error ? error->message : "the connection was lost again");
}
