/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "clock.h"
#include "daemon-probe.h"
#include "hypervisor-list.h"
#include "lane-pool-private.h"
#include "units.h"

#define PROBE_LIMIT_MSEC      3000
#define LIST_LIMIT_USEC       SEC
#define LIST_ACCURACY_USEC    (100 * MSEC)
/* The last known version is shown until the new one has come. */
#define VERSION_LIMIT_USEC    (20 * MSEC)
#define VERSION_ACCURACY_USEC MSEC

typedef struct {
    Slot *slot;
    LanePool *pool;
    ConnectResult result;
    bool must_list; /* and tell the version: nothing is known yet */
    char *version;  /* of the lane, until it has ended */
    bool is_listed;
    Timer *limit_timer; /* of the list or, once that is there, of the version */
    bool told;          /* without what did not come in time */
} AttemptTask;

/* --- what a watched connection tells ------------------------------------------------------- */

static void
on_hypervisor_event(void *data)
{
    HypervisorEvent *event = data;
    LanePool *pool = event->userdata;

    pool->callbacks->event(pool->userdata, event);
    g_free(event);
}

static void
on_hypervisor_lost(void *data)
{
    HypervisorLoss *loss = data;
    LanePool *pool = loss->userdata;

    pool->callbacks->lost(pool->userdata, loss->generation, loss->message);
    g_free(loss);
}

static void
post_event(HypervisorEvent *event)
{
    LanePool *pool = event->userdata;

    loop_queue_post(pool->loop_queue, on_hypervisor_event, event);
}

static void
post_loss(HypervisorLoss *loss)
{
    LanePool *pool = loss->userdata;

    loop_queue_post(pool->loop_queue, on_hypervisor_lost, loss);
}

static const HypervisorWatcher watcher = {.event = post_event, .lost = post_loss};

/* --- attempts ----------------------------------------------------------------------------- */

static void
on_connect_result(void *data)
{
    AttemptTask *task = data;
    LanePool *pool = task->pool;
    ConnectResult *result = &task->result;

    timer_free(task->limit_timer);
    /* A connection that was adopted before its list came is used, whatever becomes of the list. */
    task->slot->open = result->succeeded || task->told;
    if (task->told) {
        if (task->version)
            pool->callbacks->version(pool->userdata, result->attempt, task->version);
        deferred_schedule(pool->dispatch);
    } else {
        result->identity.version = g_steal_pointer(&task->version);
        if (!result->succeeded) {
            g_ptr_array_remove_fast(pool->pending, task->slot);
            slot_quit(task->slot);
        }
        pool->callbacks->connect_result(pool->userdata, result);
    }
    g_clear_pointer(&result->updates, g_ptr_array_unref);
    hypervisor_identity_clear(&result->identity);
    error_free(result->error);
    g_free(task->version);
    g_free(task);
}

/* The lane comes into use when its call has returned. */
static void
on_limit(void *userdata)
{
    AttemptTask *task = userdata;
    ConnectResult result = {
        .attempt = task->result.attempt,
        .succeeded = true,
        .updates = task->is_listed ? g_steal_pointer(&task->result.updates) : NULL,
        .identity = task->result.identity,
    };

    task->told = true;
    task->result.identity = (HypervisorIdentity){NULL};
    task->pool->callbacks->connect_result(task->pool->userdata, &result);
    g_clear_pointer(&result.updates, g_ptr_array_unref);
    hypervisor_identity_clear(&result.identity);
}

static void
limit(AttemptTask *task, uint64_t usec, uint64_t accuracy)
{
    timer_free(task->limit_timer);
    task->limit_timer = timer_new(task->pool->event, accuracy, on_limit, task);
    timer_arm_relative(task->limit_timer, usec);
}

static void
on_listing(void *data)
{
    limit(data, LIST_LIMIT_USEC, LIST_ACCURACY_USEC);
}

static void
on_listed(void *data)
{
    AttemptTask *task = data;

    task->is_listed = true;
    if (!task->told)
        limit(task, VERSION_LIMIT_USEC, VERSION_ACCURACY_USEC);
}

/* Watch before listing, so that nothing falls between. */
static bool
connect_and_list(Lane *lane, AttemptTask *task)
{
    ConnectResult *result = &task->result;
    Hypervisor *h = hypervisor_open(task->pool->uri, &result->why, &result->error);

    if (!h)
        return false;
    lane_set_hypervisor(lane, h);
    if (hypervisor_watch(h, &watcher, task->pool, result->attempt, &result->error) &&
        hypervisor_identify(h, &result->identity, &result->error)) {
        /* From here on only the loop touches the identity. */
        if (!task->must_list)
            lane_post(lane, on_listing, task);
        result->updates = hypervisor_list(h, &result->error);
        if (result->updates) {
            /* Nor does this thread touch the list any more. */
            if (!task->must_list)
                lane_post(lane, on_listed, task);
            task->version = hypervisor_read_version(h);
            return true;
        }
    }
    result->why = hypervisor_is_alive(h) ? STATUS_FAILED : STATUS_UNREACHABLE;
    return false;
}

static void
work_attempt(Lane *lane, void *data)
{
    AttemptTask *task = data;

    task->result.succeeded = connect_and_list(lane, task);
    lane_post(lane, on_connect_result, task);
    if (lane_hypervisor(lane))
        hypervisor_free_deferred(lane_hypervisor(lane));
}

void
lane_pool_connect(LanePool *pool, unsigned attempt, bool must_list)
{
    AttemptTask *task = g_new0(AttemptTask, 1);

    task->pool = pool;
    task->must_list = must_list || pool->single;
    task->slot = slot_new(pool, attempt, true);
    task->result.attempt = attempt;
    g_ptr_array_add(pool->pending, task->slot);
    lane_do(task->slot->lane, work_attempt, task);
}

static Slot *
find_pending(const LanePool *pool, unsigned attempt)
{
    for (unsigned i = 0; i < pool->pending->len; i++) {
        Slot *slot = pool->pending->pdata[i];

        if (slot->generation == attempt)
            return slot;
    }
    return NULL;
}

static Slot *
take_pending(LanePool *pool, unsigned attempt)
{
    Slot *slot = find_pending(pool, attempt);

    g_ptr_array_remove_fast(pool->pending, slot);
    return slot;
}

bool
lane_pool_leave(LanePool *pool, unsigned attempt)
{
    const Slot *slot = find_pending(pool, attempt);

    return slot && lane_end_children(slot->lane);
}

void
lane_pool_adopt(LanePool *pool, unsigned attempt)
{
    Slot *slot = take_pending(pool, attempt);

    slot->since = clock_now_usec();
    g_ptr_array_add(pool->slots, slot);
    pool->open_again_at = 0;
    pool->open_pause = 0;
    deferred_schedule(pool->dispatch);
}

void
lane_pool_discard(LanePool *pool, unsigned attempt)
{
    Slot *slot = take_pending(pool, attempt);

    if (slot)
        slot_quit(slot);
}

/* --- probing ------------------------------------------------------------------------------ */

typedef struct {
    LanePool *pool;
    char **sockets;
    bool answered;
} ProbeTask;

static void
on_probed(void *data)
{
    g_autofree ProbeTask *task = data;

    g_strfreev(task->sockets);
    task->pool->callbacks->probed(task->pool->userdata, task->answered);
}

static void
work_probe(Lane *lane, void *data)
{
    ProbeTask *task = data;

    task->answered =
        daemon_probe(task->pool->uri, (const char *const *)task->sockets, PROBE_LIMIT_MSEC);
    lane_post(lane, on_probed, task);
}

void
lane_pool_probe(LanePool *pool, const char *const *sockets)
{
    ProbeTask *task = g_new0(ProbeTask, 1);
    Slot *slot = slot_new(pool, 0, false);

    task->pool = pool;
    task->sockets = g_strdupv((char **)sockets);
    lane_do(slot->lane, work_probe, task);
    slot_quit(slot);
}
