/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lane-pool.h"

#include "clock.h"
#include "deferred.h"
#include "hypervisor-list.h"
#include "hypervisor-traits.h"
#include "lane.h"
#include "timer.h"

#define MSEC UINT64_C(1000)
#define SEC  (1000 * MSEC)

/* How many calls of a class run at a time, and whether they may hang on a guest for long. */
static const struct {
    unsigned limit;
    bool hangs;
} classes[_CALL_CLASS_MAX] = {
    [CALL_QUICK] = {4},       [CALL_READ] = {4},           [CALL_CHANGE] = {8, true},
    [CALL_LONG] = {6, true},  [CALL_JOB_CONTROL] = {4},    [CALL_FORCE] = {8},
    [CALL_GUEST] = {6, true}, [CALL_DISPLAY] = {4, true},  [CALL_SIZES] = {2, true},
    [CALL_STATS] = {7, true}, [CALL_PROGRESS] = {4, true},
};
/* All that may hang, together. libvirtd has 20 workers for all its clients, and some more for calls
 * that cannot hang, such as destroying. */
#define HANGING_MAX      12
/* How long CALL_STATS lets a CALL_SIZES finish first. */
#define TURN_MAX         (250 * MSEC)
#define WAITING_MAX      4096
#define IDLE_LIMIT       (30 * SEC)
#define GROW_AGAIN_AFTER (1 * SEC)

/* A lane, as the pool sees it. */
typedef struct {
    LanePool *pool;
    Lane *lane;
    unsigned generation; /* or the attempt it belongs to */
    bool primary;
    bool ready; /* its connection is open */
    bool leaving;
    uint64_t idle_since;
    uint64_t busy_since;
    Call *call;
} Slot;

struct LanePool {
    LoopQueue *loop_queue;
    char *uri;
    bool single;
    const LanePoolCallbacks *callbacks;
    void *userdata;

    GPtrArray *slots;   /* of the connection in use; the primary one is the first */
    GPtrArray *pending; /* of attempts that are under way, or not adopted yet */
    GPtrArray *cleared; /* of a connection that is gone */
    unsigned n_threads;
    bool stopping;

    GQueue waiting[_CALL_CLASS_MAX];
    unsigned n_waiting;
    uint64_t last_order;
    GPtrArray *unsent; /* calls to be told so at the next turn of the loop */
    Deferred *tell_unsent;

    uint64_t grow_again_at;
    Timer *timer;
};

static void dispatch(LanePool *pool);

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

/* --- slots -------------------------------------------------------------------------------- */

static void
on_lane_exited(void *data)
{
    Lane *lane = data;
    Slot *slot = lane_userdata(lane);
    LanePool *pool = slot->pool;

    lane_join(lane);
    g_free(slot);
    pool->n_threads--;
    if (pool->stopping && pool->n_threads == 0)
        pool->callbacks->stopped(pool->userdata);
}

static Slot *
slot_new(LanePool *pool, unsigned generation, bool primary)
{
    Slot *slot = g_new0(Slot, 1);

    slot->pool = pool;
    slot->generation = generation;
    slot->primary = primary;
    slot->lane = lane_new(pool->loop_queue, on_lane_exited, slot);
    pool->n_threads++;
    return slot;
}

static void
slot_quit(Slot *slot)
{
    if (slot->leaving)
        return;
    slot->leaving = true;
    lane_quit(slot->lane);
}

static unsigned
current_generation(const LanePool *pool)
{
    return pool->slots->len ? ((Slot *)pool->slots->pdata[0])->generation : 0;
}

static bool
is_in_use(const Slot *slot)
{
    return g_ptr_array_find(slot->pool->slots, slot, NULL);
}

/* --- attempts ----------------------------------------------------------------------------- */

typedef struct {
    Slot *slot;
    LanePool *pool;
    ConnectResult result;
    bool connection_died;
} AttemptTask;

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

static void
on_attempted(void *data)
{
    AttemptTask *task = data;
    LanePool *pool = task->pool;
    ConnectResult *result = &task->result;

    task->slot->ready = result->succeeded;
    if (!result->succeeded) {
        g_ptr_array_remove_fast(pool->pending, task->slot);
        slot_quit(task->slot);
    }
    pool->callbacks->attempted(pool->userdata, result);

    g_clear_pointer(&result->snapshots, g_ptr_array_unref);
    hypervisor_identity_clear(&result->identity);
    error_free(result->error);
    g_free(task);
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
        result->snapshots = hypervisor_list(h, &result->error);
        if (result->snapshots)
            return true;
    }
    result->why = hypervisor_is_alive(h) ? STATUS_FAILED : STATUS_UNREACHABLE;
    return false;
}

static void
work_attempt(Lane *lane, void *data)
{
    AttemptTask *task = data;

    task->result.succeeded = connect_and_list(lane, task);
    lane_post(lane, on_attempted, task);
    if (lane_hypervisor(lane))
        hypervisor_free_deferred(lane_hypervisor(lane));
}

void
lane_pool_connect(LanePool *pool, unsigned attempt)
{
    AttemptTask *task = g_new0(AttemptTask, 1);

    task->pool = pool;
    task->slot = slot_new(pool, attempt, true);
    task->result.attempt = attempt;
    g_ptr_array_add(pool->pending, task->slot);
    lane_do(task->slot->lane, work_attempt, task);
}

static Slot *
take_pending(LanePool *pool, unsigned attempt)
{
    for (unsigned i = 0; i < pool->pending->len; i++) {
        Slot *slot = pool->pending->pdata[i];

        if (slot->generation == attempt) {
            g_ptr_array_remove_index_fast(pool->pending, i);
            return slot;
        }
    }
    return NULL;
}

void
lane_pool_adopt(LanePool *pool, unsigned attempt)
{
    Slot *slot = take_pending(pool, attempt);

    slot->idle_since = clock_now_usec();
    g_ptr_array_add(pool->slots, slot);
    pool->grow_again_at = 0;
    dispatch(pool);
}

void
lane_pool_discard(LanePool *pool, unsigned attempt)
{
    Slot *slot = take_pending(pool, attempt);

    if (slot)
        slot_quit(slot);
}

/* --- losing the connection ---------------------------------------------------------------- */

static void
clear_waiting(LanePool *pool)
{
    for (unsigned class = 0; class < _CALL_CLASS_MAX; class ++) {
        Call *call;

        while ((call = g_queue_pop_head(&pool->waiting[class])))
            add_unsent(pool, call);
    }
    pool->n_waiting = 0;
}

/* What has not been sent by now never will be. */
static void
give_up_call(Call *call)
{
    bool unsent = g_atomic_int_compare_and_exchange(&call->gate, GATE_OPEN, GATE_CLOSED);

    tell(call, unsent ? OUTCOME_UNSENT : OUTCOME_LOST, NULL);
}

void
lane_pool_clear(LanePool *pool)
{
    g_autoptr(GPtrArray) slots = g_steal_pointer(&pool->slots);

    pool->slots = g_ptr_array_new();
    for (unsigned i = 0; i < slots->len; i++)
        g_ptr_array_add(pool->cleared, slots->pdata[i]);
    clear_waiting(pool);
    for (unsigned i = 0; i < slots->len; i++) {
        Slot *slot = slots->pdata[i];

        if (slot->call)
            give_up_call(slot->call);
    }
}

void
lane_pool_close_cleared(LanePool *pool)
{
    for (unsigned i = 0; i < pool->cleared->len; i++)
        slot_quit(pool->cleared->pdata[i]);
    g_ptr_array_set_size(pool->cleared, 0);
}

/* --- growing and shrinking ---------------------------------------------------------------- */

typedef struct {
    Slot *slot;
    LanePool *pool;
    bool opened;
} GrowTask;

static void
on_grown(void *data)
{
    g_autofree GrowTask *task = data;
    LanePool *pool = task->pool;

    if (!is_in_use(task->slot))
        return;
    if (task->opened) {
        task->slot->ready = true;
        task->slot->idle_since = clock_now_usec();
    } else {
        /* Too many clients, perhaps: make do with the lanes there are for a while. */
        g_ptr_array_remove(pool->slots, task->slot);
        slot_quit(task->slot);
        pool->grow_again_at = clock_now_usec() + GROW_AGAIN_AFTER;
    }
    dispatch(pool);
}

static void
work_grow(Lane *lane, void *data)
{
    GrowTask *task = data;
    Status why;
    g_autoptr(Error) error = NULL;
    Hypervisor *h = hypervisor_open(task->pool->uri, &why, &error);

    lane_set_hypervisor(lane, h);
    task->opened = h != NULL;
    lane_post(lane, on_grown, task);
}

static void
grow(LanePool *pool)
{
    GrowTask *task = g_new0(GrowTask, 1);

    task->pool = pool;
    task->slot = slot_new(pool, current_generation(pool), false);
    g_ptr_array_add(pool->slots, task->slot);
    lane_do(task->slot->lane, work_grow, task);
}

/*
 * Both ask each QEMU for figures, and libvirt gives fewer of them to whoever comes while the other
 * does: so they take turns. The end of CALL_SIZES's, but for a QEMU that hangs; 0: it has none.
 */
static uint64_t
end_of_turn(const LanePool *pool)
{
    uint64_t end = 0;

    for (unsigned i = 0; i < pool->slots->len; i++) {
        const Slot *slot = pool->slots->pdata[i];

        if (slot->call && slot->call->class == CALL_SIZES)
            end = MAX(end, slot->busy_since + TURN_MAX);
    }
    return end;
}

static void
arm_timer(LanePool *pool)
{
    uint64_t when = pool->n_waiting && pool->grow_again_at ? pool->grow_again_at : TIMER_NEVER;

    if (!g_queue_is_empty(&pool->waiting[CALL_STATS]) && end_of_turn(pool) > clock_now_usec())
        when = MIN(when, end_of_turn(pool));

    for (unsigned i = 1; i < pool->slots->len; i++) {
        const Slot *slot = pool->slots->pdata[i];

        if (slot->ready && !slot->call)
            when = MIN(when, slot->idle_since + IDLE_LIMIT);
    }
    timer_arm(pool->timer, when);
}

static void
on_timer(void *userdata)
{
    LanePool *pool = userdata;
    uint64_t now = clock_now_usec();

    if (pool->grow_again_at <= now)
        pool->grow_again_at = 0;
    for (unsigned i = pool->slots->len; i-- > 1;) {
        Slot *slot = pool->slots->pdata[i];

        if (!slot->ready || slot->call || slot->idle_since + IDLE_LIMIT > now)
            continue;
        g_ptr_array_remove_index(pool->slots, i);
        slot_quit(slot);
    }
    dispatch(pool);
}

/* --- dispatching -------------------------------------------------------------------------- */

static unsigned
count_running(const LanePool *pool, CallClass class)
{
    unsigned n = 0;

    for (unsigned i = 0; i < pool->slots->len; i++) {
        const Slot *slot = pool->slots->pdata[i];

        if (slot->call && slot->call->class == class)
            n++;
    }
    return n;
}

/* One call of a class at a time for a domain. Looks are bounded by their caller. */
static bool
is_domain_busy(const LanePool *pool, const Call *call)
{
    if (call->key[0] == '\0' || call->class == CALL_QUICK)
        return false;
    for (unsigned i = 0; i < pool->slots->len; i++) {
        const Slot *slot = pool->slots->pdata[i];

        if (slot->call && slot->call->class == call->class &&
            g_str_equal(slot->call->key, call->key))
            return true;
    }
    return false;
}

static unsigned
count_hanging(const LanePool *pool)
{
    unsigned n = 0;

    for (unsigned i = 0; i < pool->slots->len; i++) {
        const Slot *slot = pool->slots->pdata[i];

        if (slot->call && classes[slot->call->class].hangs)
            n++;
    }
    return n;
}

static bool
is_its_turn(LanePool *pool, CallClass class)
{
    if (class == CALL_STATS)
        return end_of_turn(pool) <= clock_now_usec();
    return class != CALL_SIZES || count_running(pool, CALL_STATS) == 0;
}

static bool
has_room(const LanePool *pool, CallClass class)
{
    if (classes[class].hangs && count_hanging(pool) >= HANGING_MAX)
        return false;
    return count_running(pool, class) < classes[class].limit;
}

/* The first call of the class that may run now. */
static GList *
find_runnable(LanePool *pool, CallClass class)
{
    if (!has_room(pool, class) || !is_its_turn(pool, class))
        return NULL;
    for (GList *link = pool->waiting[class].head; link; link = link->next)
        if (!is_domain_busy(pool, link->data))
            return link;
    return NULL;
}

static bool
may_use_primary(const LanePool *pool, CallClass class)
{
    if (pool->single || class == CALL_QUICK)
        return true;
    /* Rather there than nowhere, while no other lane can be had. */
    return pool->grow_again_at != 0 && pool->slots->len == 1;
}

static Slot *
find_idle(const LanePool *pool, CallClass class)
{
    for (unsigned i = may_use_primary(pool, class) ? 0 : 1; i < pool->slots->len; i++) {
        Slot *slot = pool->slots->pdata[i];

        if (slot->ready && !slot->call)
            return slot;
    }
    return NULL;
}

static bool
is_growing(const LanePool *pool)
{
    for (unsigned i = 0; i < pool->slots->len; i++)
        if (!((Slot *)pool->slots->pdata[i])->ready)
            return true;
    return false;
}

static void
on_call_done(void *data)
{
    Call *call = data;
    Slot *slot = call->slot;
    LanePool *pool = slot->pool;

    slot->call = NULL;
    slot->idle_since = clock_now_usec();
    if (call->connection_died && is_in_use(slot) && !slot->primary) {
        g_ptr_array_remove(pool->slots, slot);
        slot_quit(slot);
    } else if (call->connection_died && is_in_use(slot)) {
        pool->callbacks->lost(pool->userdata, slot->generation, call->error->message);
    }
    tell(call, outcome_of(call), call->error);
    free_call(call);
    dispatch(pool);
}

static void
work_call(Lane *lane, void *data)
{
    Call *call = data;
    Hypervisor *h = lane_hypervisor(lane);

    hypervisor_set_gate(h, &call->gate);
    call->succeeded = call->work(call, h, &call->error);
    hypervisor_set_gate(h, NULL);
    if (!call->succeeded)
        call->connection_died = !hypervisor_is_alive(h);
    lane_post(lane, on_call_done, call);
    hypervisor_free_deferred(h);
}

static void
start_call(LanePool *pool, Slot *slot, GList *link, CallClass class)
{
    Call *call = link->data;

    g_queue_delete_link(&pool->waiting[class], link);
    pool->n_waiting--;
    slot->call = call;
    slot->busy_since = clock_now_usec();
    call->slot = slot;
    lane_do(slot->lane, work_call, call);
}

static void
dispatch_class(LanePool *pool, CallClass class)
{
    GList *link;

    while ((link = find_runnable(pool, class))) {
        Slot *slot = find_idle(pool, class);

        if (slot) {
            start_call(pool, slot, link, class);
            continue;
        }
        if (!pool->single && !is_growing(pool) && pool->grow_again_at == 0)
            grow(pool);
        return;
    }
}

static void
dispatch(LanePool *pool)
{
    if (pool->slots->len == 0 || pool->stopping)
        return;
    dispatch_class(pool, CALL_FORCE);
    dispatch_class(pool, CALL_QUICK);
    dispatch_class(pool, CALL_JOB_CONTROL);
    dispatch_class(pool, CALL_CHANGE);
    dispatch_class(pool, CALL_LONG);
    dispatch_class(pool, CALL_READ);
    dispatch_class(pool, CALL_GUEST);
    dispatch_class(pool, CALL_DISPLAY);
    dispatch_class(pool, CALL_PROGRESS);
    dispatch_class(pool, CALL_STATS);
    dispatch_class(pool, CALL_SIZES);
    arm_timer(pool);
}

/* What is sent again goes before what came after it. */
static void
enqueue(LanePool *pool, Call *call)
{
    GQueue *waiting = &pool->waiting[call->class];
    GList *before = waiting->tail;

    while (before && ((const Call *)before->data)->order > call->order)
        before = before->prev;
    g_queue_insert_after(waiting, before, call);
    pool->n_waiting++;
}

void
lane_pool_submit(LanePool *pool, Call *call)
{
    if (call->order == 0)
        call->order = ++pool->last_order;
    if (pool->slots->len == 0) {
        add_unsent(pool, call);
        return;
    }
    enqueue(pool, call);
    dispatch(pool);
}

bool
lane_pool_submit_limited(LanePool *pool, Call *call)
{
    if (pool->n_waiting >= WAITING_MAX) {
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
    if (g_queue_remove(&pool->waiting[call->class], call)) {
        pool->n_waiting--;
        free_call(call);
    }
}

bool
lane_pool_withdraw(LanePool *pool, Call *call)
{
    if (!g_atomic_int_compare_and_exchange(&call->gate, GATE_OPEN, GATE_CLOSED))
        return false;
    lane_pool_abandon(pool, call);
    return true;
}

/* --- life --------------------------------------------------------------------------------- */

LanePool *
lane_pool_new(struct sd_event *event, LoopQueue *loop_queue, const char *uri,
              const LanePoolCallbacks *callbacks, void *userdata)
{
    LanePool *pool = g_new0(LanePool, 1);

    pool->loop_queue = loop_queue;
    pool->uri = g_strdup(uri);
    pool->single = (hypervisor_traits_of_uri(uri) & TRAIT_SEPARATE_WORLDS) != 0;
    pool->callbacks = callbacks;
    pool->userdata = userdata;
    pool->slots = g_ptr_array_new();
    pool->pending = g_ptr_array_new();
    pool->cleared = g_ptr_array_new();
    pool->unsent = g_ptr_array_new();
    for (unsigned class = 0; class < _CALL_CLASS_MAX; class ++)
        g_queue_init(&pool->waiting[class]);
    pool->timer = timer_new(event, 10 * MSEC, on_timer, pool);
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
    deferred_free(pool->tell_unsent);
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
