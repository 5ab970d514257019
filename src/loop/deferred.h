/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A function that the loop calls once at a later turn, however often it was scheduled until then.
 * Its owner keeps it and frees it. Loop's thread only; the function may schedule or free itself.
 * Making one does not fail: without memory the process ends, as with every allocation.
 */

struct sd_event;

typedef enum {
    DEFERRED_TURN_END, /* before the loop begins anything else */
    DEFERRED_IN_TURN,  /* after the events that wait already */
} DeferredPlace;

typedef struct Deferred Deferred;
typedef void (*DeferredFunc)(void *userdata);

Deferred *deferred_new(struct sd_event *event, DeferredPlace place, DeferredFunc func,
                       void *userdata);
/* NULL is fine. What was scheduled is not called any more. */
void deferred_free(Deferred *deferred);

void deferred_schedule(Deferred *deferred);
