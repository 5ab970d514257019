/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The queue between the threads and the loop, and all that they share: a function and its data,
 * posted from any thread, called on the loop in the order of posting.
 */

struct sd_event;

typedef struct LoopQueue LoopQueue;
typedef void (*LoopFunc)(void *data);

/* 0 or a negative errno. */
int loop_queue_new(struct sd_event *event, LoopQueue **ret);
/* Calls what is still queued, then frees; nobody may post any more. */
void loop_queue_free(LoopQueue *loop_queue);

/* Any thread; never blocks. `func` becomes responsible for `data`. */
void loop_queue_post(LoopQueue *loop_queue, LoopFunc func, void *data);
