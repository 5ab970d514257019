/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "clock.h"
#include "hypervisor-domain.h"
#include "lane-pool-private.h"
#include "units.h"

/* How late it may be noticed that a call hangs. */
#define TIMER_ACCURACY (10 * MSEC)
/* How long CALL_STATS lets a CALL_SIZES finish first. */
#define TURN_MAX       (250 * MSEC)

/* --- calls -------------------------------------------------------------------------------- */

static void
free_call(Call *call)
{
    error_free(call->error);
    if (call->free)
        call->free(call);
    else
        g_free(call);
}

static void
tell(Call *call, CallOutcome outcome, const Error *error)
{
    if (call->told)
        return;
    call->told = true;
    call->done(call, outcome, error);
}

static void
tell_unsent(void *userdata)
{
    LanePool *pool = userdata;
    g_autoptr(GPtrArray) unsent = g_steal_pointer(&pool->unsent);

    pool->unsent = g_ptr_array_new();
    for (unsigned i = 0; i < unsent->len; i++) {
        Call *call = unsent->pdata[i];

        tell(call, OUTCOME_UNSENT, NULL);
        free_call(call);
    }
}

static void
add_unsent(LanePool *pool, Call *call)
{
    g_ptr_array_add(pool->unsent, call);
    deferred_schedule(pool->tell_unsent);
}

static CallOutcome
outcome_of(const Call *call)
{
    if (call->succeeded)
        return OUTCOME_OK;
    if (!call->connection_died)
        return OUTCOME_FAILED;
    return g_atomic_int_get(&call->gate) == GATE_PASSED ? OUTCOME_LOST : OUTCOME_UNSENT;
}

void
lane_pool_submit(LanePool *pool, Call *call)
{
    if (pool->slots->len == 0) {
        add_unsent(pool, call);
        return;
    }
    call_schedule_add(pool->schedule, call);
    deferred_schedule(pool->dispatch);
}

bool
lane_pool_submit_limited(LanePool *pool, Call *call)
{
    if (!call_schedule_has_room(pool->schedule, call)) {
        free_call(call);
        return false;
    }
    lane_pool_submit(pool, call);
    return true;
}

void
lane_pool_abandon(LanePool *pool, Call *call)
{
    (void)g_atomic_int_compare_and_exchange(&call->gate, GATE_OPEN, GATE_CLOSED);
    call->told = true;
    if (call->state != CALL_WAITING)
        return;
    call_schedule_remove(pool->schedule, call);
    free_call(call);
    /* Another change of the domain may wait for this one. */
    deferred_schedule(pool->dispatch);
}

bool
lane_pool_withdraw(LanePool *pool, Call *call)
{
    if (!g_atomic_int_compare_and_exchange(&call->gate, GATE_OPEN, GATE_CLOSED))
        return false;
    lane_pool_abandon(pool, call);
    return true;
}

/* --- calls under way ---------------------------------------------------------------------- */

static void
tell_hanging(LanePool *pool, const Slot *slot)
{
    if (slot->call->key[0] != '\0' && pool->callbacks->hanging)
        pool->callbacks->hanging(pool->userdata, slot->call, slot->since);
}

/* The call has returned, or its connection is gone. */
static void
end_call(LanePool *pool, Call *call, bool answered)
{
    bool hung = call->state == CALL_HANGING;

    call_schedule_end(pool->schedule, call);
    if (hung && call->key[0] != '\0' && pool->callbacks->returned)
        pool->callbacks->returned(pool->userdata, call, answered);
}

static void
on_call_done(void *data)
{
    Call *call = data;
    Slot *slot = call->slot;
    LanePool *pool = slot->pool;

    slot->call = NULL;
    slot->since = clock_now_usec();
    if (call_rules[call->class].group == CALL_GROUP_URGENT)
        call_pace_return_of_priority(&pool->pace, call);
    else
        call_pace_return(&pool->pace, call, slot->since);
    /* The schedule does not count calls of a connection that was cleared. */
    if (slot_is_in_use(slot)) {
        end_call(pool, call, !call->connection_died);
        if (call->connection_died && slot->primary)
            pool->callbacks->lost(pool->userdata, slot->generation, call->error->message);
        else if (call->connection_died)
            slot_drop(slot);
    }
    tell(call, outcome_of(call), call->error);
    free_call(call);
    deferred_schedule(pool->dispatch);
}

static void
work_call(Lane *lane, void *data)
{
    Call *call = data;
    Hypervisor *h = lane_hypervisor(lane);

    /* If the call hangs, `had_lock` tells whether it waits for the domain's lock or its process. */
    if (call->class == CALL_XML && hypervisor_await_lock(h, call->key))
        g_atomic_int_set(&call->had_lock, 1);
    hypervisor_set_gate(h, &call->gate);
    call->succeeded = call->work(call, h, &call->error);
    hypervisor_set_gate(h, NULL);
    if (!call->succeeded)
        call->connection_died = !hypervisor_is_alive(h);
    lane_post(lane, on_call_done, call);
    hypervisor_free_deferred(h);
}

static void
start_call(LanePool *pool, Slot *slot, Call *call)
{
    call_schedule_start(pool->schedule, call);
    slot->call = call;
    slot->since = clock_now_usec();
    call_pace_begin(&pool->pace, call, slot->since);
    call->slot = slot;
    lane_do(slot->lane, work_call, call);
}

/* --- time --------------------------------------------------------------------------------- */

/*
 * CALL_STATS and CALL_SIZES query each QEMU, and libvirt returns fewer figures to the later of two
 * concurrent queries. So the classes take turns. Returns when the turn of CALL_SIZES ends; 0: it
 * has none. The bound is for a QEMU that hangs.
 */
static uint64_t
end_of_sizes_turn(const LanePool *pool)
{
    uint64_t end = 0;

    for (unsigned i = 0; i < pool->slots->len; i++) {
        const Slot *slot = pool->slots->pdata[i];

        if (slot->call && slot->call->class == CALL_SIZES)
            end = MAX(end, slot->since + TURN_MAX);
    }
    return end;
}

static bool
is_its_turn(const LanePool *pool, CallClass class)
{
    if (class == CALL_STATS)
        return end_of_sizes_turn(pool) <= clock_now_usec();
    return class != CALL_SIZES || call_schedule_running(pool->schedule, CALL_STATS) == 0;
}

/* A call of a slow class counts as hanging only if another call shows that its domain hangs. */
static bool
may_hang(const LanePool *pool, const Call *call)
{
    return call->state == CALL_RUNNING && (!call_rules[call->class].is_slow ||
                                           call_schedule_domain_hangs(pool->schedule, call->key));
}

/* The domain's lock was held for a while, and is not any more: its state can be read. */
static void
mark_lock_free(LanePool *pool)
{
    for (unsigned i = 0; i < pool->slots->len; i++) {
        Slot *slot = pool->slots->pdata[i];

        if (!slot->call || !call_schedule_has_lock_since(slot->call))
            continue;
        if (pool->callbacks->returned)
            pool->callbacks->returned(pool->userdata, slot->call, true);
        call_schedule_hang_in_process(pool->schedule, slot->call);
    }
}

static void
mark_hanging(LanePool *pool, uint64_t now)
{
    for (unsigned i = 0; i < pool->slots->len; i++) {
        Slot *slot = pool->slots->pdata[i];

        if (!slot->call || !may_hang(pool, slot->call) || slot->since + CALL_HANGS_AFTER > now)
            continue;
        call_schedule_hang(pool->schedule, slot->call);
        tell_hanging(pool, slot);
    }
}

/* When a call that waits may follow the last one. */
static uint64_t
next_begin(const LanePool *pool)
{
    uint64_t when = TIMER_NEVER;

    for (unsigned class = 0; class < _CALL_CLASS_MAX; class ++) {
        uint64_t begin = lanes_next_begin(pool, call_rules[class].group);

        if (begin > clock_now_usec() &&
            call_schedule_waiting(pool->schedule, (CallClass) class) > 0)
            when = MIN(when, begin);
    }
    return when;
}

static uint64_t
next_event(const LanePool *pool)
{
    uint64_t when = MIN(lanes_next_event(pool), next_begin(pool));
    uint64_t turn = end_of_sizes_turn(pool);

    if (call_schedule_waiting(pool->schedule, CALL_STATS) > 0 && turn > clock_now_usec())
        when = MIN(when, turn);
    for (unsigned i = 0; i < pool->slots->len; i++) {
        const Slot *slot = pool->slots->pdata[i];

        if (slot->call && may_hang(pool, slot->call))
            when = MIN(when, slot->since + CALL_HANGS_AFTER);
        else if (slot->call && call_schedule_hangs_on_lock(slot->call))
            when = MIN(when, clock_now_usec() + CALL_HANGS_AFTER);
    }
    return when;
}

static void
on_timer(void *userdata)
{
    LanePool *pool = userdata;
    uint64_t now = clock_now_usec();

    mark_lock_free(pool);
    mark_hanging(pool, now);
    lanes_elapsed(pool, now);
    deferred_schedule(pool->dispatch);
}

/* --- dispatching -------------------------------------------------------------------------- */

static bool
may_begin(const LanePool *pool, CallClass class)
{
    return is_its_turn(pool, class) &&
           lanes_next_begin(pool, call_rules[class].group) <= clock_now_usec();
}

/* Send what can be sent of this class; true where a call finds no lane. */
static bool
dispatch_class(LanePool *pool, CallClass class)
{
    Call *call;

    while (may_begin(pool, class) && (call = call_schedule_next(pool->schedule, class))) {
        Slot *slot = lanes_find(pool, class);

        if (!slot)
            return true;
        start_call(pool, slot, call);
    }
    return false;
}

static void
on_dispatch(void *userdata)
{
    LanePool *pool = userdata;
    unsigned wanted = 0;
    bool urgent = false;

    if (pool->slots->len > 0 && !pool->stopping) {
        for (unsigned class = 0; class < _CALL_CLASS_MAX; class ++) {
            if (!dispatch_class(pool, class))
                continue;
            wanted++;
            urgent |= lanes_keep_one_for(class);
        }
        lanes_open(pool, wanted, urgent);
    }
    timer_arm(pool->timer, next_event(pool));
}

/* --- losing the connection ---------------------------------------------------------------- */

/* A call that has not been sent by now never will be. */
static void
give_up_call(LanePool *pool, Call *call)
{
    bool unsent = g_atomic_int_compare_and_exchange(&call->gate, GATE_OPEN, GATE_CLOSED);

    end_call(pool, call, false);
    tell(call, unsent ? OUTCOME_UNSENT : OUTCOME_LOST, NULL);
}

void
lane_pool_clear(LanePool *pool)
{
    g_autoptr(GPtrArray) slots = g_steal_pointer(&pool->slots);
    Call *call;

    pool->slots = g_ptr_array_new();
    for (unsigned i = 0; i < slots->len; i++)
        g_ptr_array_add(pool->cleared, slots->pdata[i]);
    while ((call = call_schedule_first(pool->schedule))) {
        call_schedule_remove(pool->schedule, call);
        add_unsent(pool, call);
    }
    for (unsigned i = 0; i < slots->len; i++) {
        Slot *slot = slots->pdata[i];

        if (slot->call)
            give_up_call(pool, slot->call);
    }
    deferred_schedule(pool->dispatch);
}

void
lane_pool_close_cleared(LanePool *pool)
{
    for (unsigned i = 0; i < pool->cleared->len; i++)
        slot_quit(pool->cleared->pdata[i]);
    g_ptr_array_set_size(pool->cleared, 0);
}

/* --- looking ------------------------------------------------------------------------------ */

bool
lane_pool_domain_is_silent(const LanePool *pool, const char *uuid)
{
    return call_schedule_domain_is_silent(pool->schedule, uuid);
}

bool
lane_pool_domain_is_busy(const LanePool *pool, const char *uuid)
{
    return call_schedule_domain_is_busy(pool->schedule, uuid);
}

bool
lane_pool_xml_waits(const LanePool *pool)
{
    return call_schedule_xml_waits(pool->schedule);
}

void
lane_pool_set_traits(LanePool *pool, HypervisorTraits traits)
{
    call_schedule_set_xml_waits(pool->schedule, (traits & TRAIT_XML_WAITS) != 0);
}

static const char *
state_of(const Slot *slot)
{
    if (slot->call)
        return slot->call->state == CALL_HANGING ? "hanging" : "running";
    return slot->open ? "idle" : "opening";
}

static void
describe_lanes(const GPtrArray *slots, const char *state, GArray *ret)
{
    for (unsigned i = 0; i < slots->len; i++) {
        const Slot *slot = slots->pdata[i];
        LaneDescription lane = {
            .state = state ? state : state_of(slot),
            .primary = slot->primary,
            .since = slot->since,
            .class = slot->call ? call_rules[slot->call->class].name : NULL,
            .call = slot->call ? slot->call->name : NULL,
        };

        if (slot->call)
            g_strlcpy(lane.domain, slot->call->key, sizeof lane.domain);
        g_array_append_val(ret, lane);
    }
}

static void
describe_queue(void *userdata, CallClass class, uid_t uid, unsigned waiting)
{
    QueueDescription queue = {call_rules[class].name, uid, waiting};

    g_array_append_val((GArray *)userdata, queue);
}

void
lane_pool_describe(const LanePool *pool, LanePoolDescription *ret)
{
    *ret = (LanePoolDescription){
        .lanes = g_array_new(FALSE, FALSE, sizeof(LaneDescription)),
        .queues = g_array_new(FALSE, FALSE, sizeof(QueueDescription)),
        .threads = pool->n_threads,
        .left_behind = pool->n_left_behind,
    };
    describe_lanes(pool->slots, NULL, ret->lanes);
    describe_lanes(pool->pending, "connecting", ret->lanes);
    describe_lanes(pool->cleared, "closing", ret->lanes);
    call_schedule_describe(pool->schedule, describe_queue, ret->queues);
}

void
lane_pool_description_clear(LanePoolDescription *description)
{
    g_array_unref(description->lanes);
    g_array_unref(description->queues);
}

/* --- life --------------------------------------------------------------------------------- */

LanePool *
lane_pool_new(struct sd_event *event, LoopQueue *loop_queue, const char *uri,
              const LanePoolCallbacks *callbacks, void *userdata)
{
    LanePool *pool = g_new0(LanePool, 1);

    pool->event = event;
    pool->loop_queue = loop_queue;
    pool->uri = g_strdup(uri);
    pool->single = (hypervisor_traits_of_uri(uri) & TRAIT_SEPARATE_WORLDS) != 0;
    pool->callbacks = callbacks;
    pool->userdata = userdata;
    pool->slots = g_ptr_array_new();
    pool->pending = g_ptr_array_new();
    pool->cleared = g_ptr_array_new();
    pool->schedule = call_schedule_new();
    pool->unsent = g_ptr_array_new();
    pool->timer = timer_new(event, TIMER_ACCURACY, on_timer, pool);
    pool->dispatch = deferred_new(event, DEFERRED_TURN_END, on_dispatch, pool);
    pool->tell_unsent = deferred_new(event, DEFERRED_IN_TURN, tell_unsent, pool);
    return pool;
}

void
lane_pool_free(LanePool *pool)
{
    if (!pool)
        return;
    for (unsigned i = 0; i < pool->unsent->len; i++)
        free_call(pool->unsent->pdata[i]);
    timer_free(pool->timer);
    deferred_free(pool->dispatch);
    deferred_free(pool->tell_unsent);
    call_schedule_free(pool->schedule);
    g_ptr_array_unref(pool->slots);
    g_ptr_array_unref(pool->pending);
    g_ptr_array_unref(pool->cleared);
    g_ptr_array_unref(pool->unsent);
    g_free(pool->uri);
    g_free(pool);
}

void
lane_pool_stop(LanePool *pool)
{
    lane_pool_clear(pool);
    lane_pool_close_cleared(pool);
    pool->stopping = true;
    for (unsigned i = 0; i < pool->pending->len; i++)
        slot_quit(pool->pending->pdata[i]);
    if (pool->n_threads == 0)
        pool->callbacks->stopped(pool->userdata);
}
