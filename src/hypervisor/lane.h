/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A lane is a thread with its own connection, and the only place where libvirt is called.
 *
 * libvirt's client loses wake-ups between threads that share a connection, so a lane carries one
 * call at a time. The loop hands it work; results come back through the loop queue. A lane that is
 * told to quit finishes its call, closes its connection and ends; the loop never waits for it.
 */

#include "hypervisor.h"
#include "loop-queue.h"

typedef struct Lane Lane;

/* Runs on the lane's thread; `h` is NULL until a connection was opened. */
typedef void (*LaneWork)(Lane *lane, void *data);

/* `exited` is posted to the loop when the thread is about to end; then call lane_join(). */
Lane *lane_new(LoopQueue *loop_queue, LoopFunc exited, void *userdata);
void lane_do(Lane *lane, LaneWork work, void *data);
void lane_quit(Lane *lane);
/* End the processes that its work has started, such as libvirt's ssh; whether there were any. */
bool lane_end_children(const Lane *lane);
/* Frees the lane; from `exited` only. */
void lane_join(Lane *lane);

void *lane_userdata(const Lane *lane);

/* For work on the lane's own thread. */
Hypervisor *lane_hypervisor(const Lane *lane);
void lane_set_hypervisor(Lane *lane, Hypervisor *h);
void lane_post(Lane *lane, LoopFunc func, void *data);
