/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The queue between the threads and the loop, and all that they share: a function and its data,
 * posted from any thread, called on the loop in the order of posting.
 */

#include <systemd/sd-event.h>

typedef struct Completion Completion;
typedef void (*CompletionFunc)(void *data);

int completion_new(sd_event *event, Completion **ret);
/* Calls what is still queued, then frees; nobody may post any more. */
void completion_free(Completion *completion);

/* Any thread; never blocks. `func` becomes responsible for `data`. */
void completion_post(Completion *completion, CompletionFunc func, void *data);
