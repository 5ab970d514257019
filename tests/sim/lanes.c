/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lanes.h"

#include "attempts.h"
#include "call-schedule.h"
#include "checks.h"
#include "daemon.h"
#include "deferred.h"
#include "disk-checks.h"
#include "lane-pool.h"
#include "timer.h"
#include "world.h"

#define HANG_ACCURACY (10 * MSEC)
/* libvirt tells of what happened while a call waited before it answers that call. */
#define AFTER_EVENTS  (6 * MSEC)

struct LanePool {
    const LanePoolCallbacks *callbacks;
    void *userdata;
    unsigned generation;
    unsigned daemon; /* that it is connected to */
    uint64_t since;
    CallSchedule *schedule;
    GPtrArray *calls; /* LaneCall */
    Deferred *dispatch;
    Timer *hang_timer;
};

typedef enum {
    STAGE_WAITING,
    STAGE_STARTED, /* has a lane, and has not passed its gate */
    STAGE_SENT,
    STAGE_STALLED,  /* waits in the daemon */
    STAGE_WITHHELD, /* carried out, and does not return */
    STAGE_ANSWERED,
} Stage;

/* A call on its way; Call.slot. It is here until nobody works on it, whatever the core was told. */
typedef struct {
    LanePool *pool;
    Call *call;
    Stage stage;
    bool attached; /* its connection is in use */
    unsigned daemon;
    uint64_t since;
    bool overtaken; /* it hangs on the domain, and a read beside it that hung was answered */
    struct Hypervisor made_on;
} LaneCall;

static LanePool *the_pool;

/* --- the end of a call -------------------------------------------------------------------- */

static void
free_lane_call(LaneCall *lane_call)
{
    Call *call = lane_call->call;

    world_forget(lane_call);
    checks_call_gone(call);
    disk_checks_call_gone(call);
    g_ptr_array_remove_fast(lane_call->pool->calls, lane_call);
    error_free(call->error);
    if (call->free)
        call->free(call);
    else
        g_free(call);
    g_free(lane_call);
}

static void
tell(Call *call, CallOutcome outcome)
{
    if (call->told)
        return;
    call->told = true;
    checks_call_told(call, outcome);
    disk_checks_call_told(call, outcome);
    call->done(call, outcome, outcome == OUTCOME_FAILED ? call->error : NULL);
}

static void
on_unsent(void *data, unsigned unused)
{
    LaneCall *lane_call = data;

    tell(lane_call->call, OUTCOME_UNSENT);
    free_lane_call(lane_call);
}

static void
add_unsent(LaneCall *lane_call)
{
    lane_call->attached = false;
    world_after(0, on_unsent, lane_call, 0);
}

/* XML may be read beside a read: the domain answers when one of them is answered. */
static void
overtake(LanePool *pool, const Call *answered)
{
    for (unsigned i = 0; i < pool->calls->len; i++) {
        LaneCall *lane_call = pool->calls->pdata[i];

        if (lane_call->call->state == CALL_HANGING &&
            g_str_equal(lane_call->call->key, answered->key))
            lane_call->overtaken = true;
    }
}

/* It has returned, or its connection is gone. */
static void
end_call(LanePool *pool, Call *call, bool answered)
{
    bool hung = call->state == CALL_HANGING;

    call_schedule_end(pool->schedule, call);
    if (hung && answered && call_track_of_hang(call) == TRACK_READ)
        overtake(pool, call);
    if (hung && call->key[0] != '\0')
        pool->callbacks->returned(pool->userdata, call, answered);
}

static void
on_reply(void *data, unsigned unused)
{
    LaneCall *lane_call = data;
    LanePool *pool = lane_call->pool;

    if (lane_call->attached) {
        end_call(pool, lane_call->call, true);
        tell(lane_call->call, lane_call->call->succeeded ? OUTCOME_OK : OUTCOME_FAILED);
    }
    free_lane_call(lane_call);
    deferred_schedule(pool->dispatch);
}

/* --- a call in the daemon ----------------------------------------------------------------- */

/* It is about a domain whose process does not answer. */
static bool
is_blocked(const Call *call)
{
    const SimDomain *guest = call->key[0] ? guests_find(call->key) : NULL;

    return guest && guest->frozen && call->class != CALL_FORCE &&
           (call->class != CALL_QUICK || guests_freeze_states());
}

static bool
is_withheld(const LaneCall *lane_call)
{
    const struct Hypervisor *h = &lane_call->made_on;

    return guests_block(h->read) ||
           (h->hangs && guest_is_up(guests_find(lane_call->call->key)) && !world_is_healed());
}

static void
carry_out(LaneCall *lane_call)
{
    Call *call = lane_call->call;

    lane_call->made_on = (struct Hypervisor){.daemon = lane_call->daemon, .call = call};
    call->succeeded = call->work(call, &lane_call->made_on, &call->error);
    if (!call->succeeded && !call->error)
        call->error = error_new(ERROR_OPERATION_FAILED, "the guest does not answer");
    REQUIRE(!call->succeeded || !call->error, "%s succeeds with an error", call->name);
    if (is_withheld(lane_call)) {
        lane_call->stage = STAGE_WITHHELD;
        return;
    }
    lane_call->stage = STAGE_ANSWERED;
    world_post(between(0, percent(2) ? 7 * SEC : 5 * MSEC), on_reply, lane_call, 0);
}

static void
on_execute(void *data, unsigned unused)
{
    LaneCall *lane_call = data;

    if (lane_call->stage != STAGE_SENT && lane_call->stage != STAGE_STALLED)
        return;
    lane_call->stage = STAGE_STALLED;
    if (!daemon_is(lane_call->daemon)) {
        /* It went with its daemon; the core hears of that when the connection closes. */
        if (!lane_call->attached)
            free_lane_call(lane_call);
        return;
    }
    if (daemon_state() != DAEMON_UP)
        return;
    lane_call->call->had_lock = lane_call->call->class == CALL_XML && !guests_freeze_states();
    if (!is_blocked(lane_call->call))
        carry_out(lane_call);
}

static void
on_pass(void *data, unsigned unused)
{
    LaneCall *lane_call = data;
    Call *call = lane_call->call;
    uint64_t most = percent(10) ? 3 * SEC : 5 * MSEC;

    if (call->gate == GATE_CLOSED) {
        on_reply(lane_call, 0);
        return;
    }
    call->gate = GATE_PASSED;
    lane_call->stage = STAGE_SENT;
    if (call->class == CALL_LONG) {
        guests_begin_save(call->key);
        most = 20 * SEC;
    }
    world_after(between(0, most), on_execute, lane_call, 0);
}

static void
retry(LaneCall *lane_call)
{
    const Call *call = lane_call->call;
    bool is_over = call->class == CALL_LONG && !guests_find(call->key)->saving;

    if (lane_call->stage == STAGE_STALLED || (lane_call->stage == STAGE_SENT && is_over))
        world_after(between(0, 10 * MSEC), on_execute, lane_call, 0);
    if (lane_call->stage == STAGE_WITHHELD && !is_withheld(lane_call)) {
        lane_call->stage = STAGE_ANSWERED;
        world_post(AFTER_EVENTS, on_reply, lane_call, 0);
    }
}

void
lanes_retry(void)
{
    for (unsigned i = 0; i < the_pool->calls->len; i++)
        retry(the_pool->calls->pdata[i]);
    attempts_retry();
}

/* --- sending ------------------------------------------------------------------------------ */

static void
start_call(LanePool *pool, Call *call)
{
    LaneCall *lane_call = call->slot;

    call_schedule_start(pool->schedule, call);
    lane_call->stage = STAGE_STARTED;
    lane_call->since = world_now();
    if (percent(90))
        on_pass(lane_call, 0);
    else
        world_after(between(0, 2 * MSEC), on_pass, lane_call, 0);
}

static bool
may_hang(const LanePool *pool, const LaneCall *lane_call)
{
    const Call *call = lane_call->call;

    return lane_call->attached && call->state == CALL_RUNNING &&
           (!call_rules[call->class].is_slow ||
            call_schedule_domain_hangs(pool->schedule, call->key));
}

static void
arm_hang_timer(LanePool *pool)
{
    uint64_t when = TIMER_NEVER;

    for (unsigned i = 0; i < pool->calls->len; i++) {
        const LaneCall *lane_call = pool->calls->pdata[i];

        if (may_hang(pool, lane_call))
            when = MIN(when, lane_call->since + CALL_HANGS_AFTER);
    }
    timer_arm(pool->hang_timer, when);
}

static void
on_dispatch(void *userdata)
{
    LanePool *pool = userdata;
    Call *call;

    for (unsigned class = 0; class < _CALL_CLASS_MAX; class ++)
        while ((call = call_schedule_next(pool->schedule, (CallClass) class)))
            start_call(pool, call);
    arm_hang_timer(pool);
}

static void
on_hang_timer(void *userdata)
{
    LanePool *pool = userdata;

    for (unsigned i = 0; i < pool->calls->len; i++) {
        LaneCall *lane_call = pool->calls->pdata[i];

        if (!may_hang(pool, lane_call) || lane_call->since + CALL_HANGS_AFTER > world_now())
            continue;
        call_schedule_hang(pool->schedule, lane_call->call);
        if (lane_call->call->key[0] != '\0')
            pool->callbacks->hanging(pool->userdata, lane_call->call, lane_call->since);
    }
    deferred_schedule(pool->dispatch);
}

/* --- lane-pool.h -------------------------------------------------------------------------- */

void
lane_pool_submit(LanePool *pool, Call *call)
{
    LaneCall *lane_call = g_new0(LaneCall, 1);

    *lane_call = (LaneCall){
        .pool = pool, .call = call, .daemon = pool->daemon, .attached = pool->generation != 0};
    call->slot = lane_call;
    g_ptr_array_add(pool->calls, lane_call);
    checks_call_submitted(call);
    disk_checks_call_submitted(call);
    if (!lane_call->attached || trouble(1)) {
        add_unsent(lane_call);
        return;
    }
    call_schedule_add(pool->schedule, call);
    deferred_schedule(pool->dispatch);
}

void
lane_pool_abandon(LanePool *pool, Call *call)
{
    if (call->gate == GATE_OPEN)
        call->gate = GATE_CLOSED;
    call->told = true;
    if (call->state != CALL_WAITING)
        return;
    call_schedule_remove(pool->schedule, call);
    free_lane_call(call->slot);
    deferred_schedule(pool->dispatch);
}

bool
lane_pool_withdraw(LanePool *pool, Call *call)
{
    if (call->gate != GATE_OPEN)
        return false;
    checks_call_told(call, OUTCOME_UNSENT);
    lane_pool_abandon(pool, call);
    return true;
}

void
lane_pool_connect(LanePool *pool, unsigned attempt, bool must_list)
{
    attempts_start(attempt);
}

bool
lane_pool_leave(LanePool *pool, unsigned attempt)
{
    return attempts_leave(attempt);
}

void
lane_pool_probe(LanePool *pool, const char *const *sockets)
{
    attempts_probe();
}

void
lane_pool_adopt(LanePool *pool, unsigned attempt)
{
    REQUIRE(pool->generation == 0, "A connection is used beside another one");
    pool->daemon = attempts_adopt(attempt);
    pool->generation = attempt;
    pool->since = world_now();
}

void
lane_pool_discard(LanePool *pool, unsigned attempt)
{
    attempts_discard(attempt);
}

/* A call that has not been sent by now never will be. */
static void
lose_call(LanePool *pool, LaneCall *lane_call)
{
    Call *call = lane_call->call;
    bool unsent = call->gate != GATE_PASSED;

    if (call->state == CALL_WAITING) {
        call_schedule_remove(pool->schedule, call);
        add_unsent(lane_call);
        return;
    }
    if (unsent)
        call->gate = GATE_CLOSED;
    lane_call->attached = false;
    end_call(pool, call, false);
    tell(call, unsent ? OUTCOME_UNSENT : OUTCOME_LOST);
    /* Its daemon, if there still is one, may yet carry it out. */
    if (lane_call->stage == STAGE_STALLED || lane_call->stage == STAGE_WITHHELD)
        world_after(daemon_is(lane_call->daemon) ? SEC : 0,
                    lane_call->stage == STAGE_STALLED ? on_execute : on_reply, lane_call, 0);
}

void
lane_pool_clear(LanePool *pool)
{
    g_autoptr(GPtrArray) calls = g_ptr_array_copy(pool->calls, NULL, NULL);

    if (pool->generation)
        attempts_clear(pool->generation);
    pool->generation = 0;
    for (unsigned i = 0; i < calls->len; i++) {
        LaneCall *lane_call = calls->pdata[i];

        if (g_ptr_array_find(pool->calls, lane_call, NULL) && lane_call->attached)
            lose_call(pool, lane_call);
    }
}

void
lane_pool_close_cleared(LanePool *pool)
{
    attempts_close_cleared();
}

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
    /* A driver whose XML waits is never taken for one whose XML does not. */
    call_schedule_set_xml_waits(pool->schedule, !guests_freeze_states() || guests_count() % 2 == 0);
}

LanePool *
lane_pool_new(struct sd_event *event, LoopQueue *loop_queue, const char *uri,
              const LanePoolCallbacks *callbacks, void *userdata)
{
    LanePool *pool = the_pool = g_new0(LanePool, 1);

    pool->callbacks = callbacks;
    pool->userdata = userdata;
    pool->schedule = call_schedule_new();
    pool->calls = g_ptr_array_new();
    pool->dispatch = deferred_new(event, DEFERRED_TURN_END, on_dispatch, pool);
    pool->hang_timer = timer_new(event, HANG_ACCURACY, on_hang_timer, pool);
    attempts_begin(callbacks, userdata);
    return pool;
}

void
lane_pool_stop(LanePool *pool)
{
    lane_pool_clear(pool);
    lane_pool_close_cleared(pool);
    attempts_stop();
    while (pool->calls->len > 0) {
        LaneCall *lane_call = pool->calls->pdata[0];

        tell(lane_call->call, OUTCOME_UNSENT);
        free_lane_call(lane_call);
    }
    pool->callbacks->stopped(pool->userdata);
}

void
lane_pool_free(LanePool *pool)
{
    attempts_end();
    timer_free(pool->hang_timer);
    deferred_free(pool->dispatch);
    call_schedule_free(pool->schedule);
    g_ptr_array_unref(pool->calls);
    g_free(pool);
    the_pool = NULL;
}

/* --- for the others ----------------------------------------------------------------------- */

unsigned
lanes_generation(void)
{
    return the_pool->generation;
}

uint64_t
lanes_connected_since(void)
{
    return the_pool->since;
}

uint64_t
lanes_read_hangs_since(const char *uuid)
{
    uint64_t since = NEVER;

    for (unsigned i = 0; i < the_pool->calls->len; i++) {
        const LaneCall *lane_call = the_pool->calls->pdata[i];
        const Call *call = lane_call->call;

        if (lane_call->attached && call->state == CALL_HANGING && g_str_equal(call->key, uuid) &&
            call_track_of_hang(call) == TRACK_READ && !lane_call->overtaken)
            since = MIN(since, lane_call->since);
    }
    return since;
}
