/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The handle of a question that has not been answered yet.
 *
 * Every function that answers later takes a Pending of its caller, which has to stay where it is
 * until the answer. The function fills it before it may answer, and empties it before it calls
 * back. Belongs to the loop.
 */

#include <stdbool.h>

typedef struct {
    void (*cancel)(void *data); /* NULL: nothing is pending */
    void *data;
} Pending;

static inline bool
pending_is_set(const Pending *pending)
{
    return pending->cancel != NULL;
}

/* The answer is not wanted any more: the callback is not called. */
static inline void
pending_cancel(Pending *pending)
{
    Pending canceled = *pending;

    *pending = (Pending){0};
    if (canceled.cancel)
        canceled.cancel(canceled.data);
}
