/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The one rule for a call whose connection dropped, for reads and for changes. Pure.
 */

#include "error.h"
#include "verb.h"

#include <stdbool.h>

typedef enum {
    RETRY_DONE,     /* it succeeded */
    RETRY_AGAIN,    /* make it once more, on a new connection */
    RETRY_FAIL,     /* the error is the answer */
    RETRY_MAY_HAVE, /* a change that may have been carried out: not repeated, and said so */
} Retry;

/* `retries`: how often it has been made again already. */
Retry retry_decide(bool is_read, CallOutcome outcome, unsigned retries);

/*
 * The error of the last try: as it is where libvirt said no, and else NotAvailable, with libvirt's
 * words if there are any; `error` may be NULL.
 */
Error *retry_failure(CallOutcome outcome, const Error *error);
