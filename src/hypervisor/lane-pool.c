/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lane-pool.h"

#include "lane.h"

#include <time.h>

#define MSEC UINT64_C(1000)
#define SEC  (1000 * MSEC)

/* How many calls of a class run at a time, and whether they may hang on a guest for long. */
static const struct {
    unsigned limit;
    bool hangs;
} classes[_CALL_CLASS_MAX] = {
    [CALL_LOOK] = {4},        [CALL_READ] = {4},         [CALL_CHANGE] = {8, true},
    [CALL_LONG] = {6, true},  [CALL_BESIDE] = {4},       [CALL_FORCE] = {8},
    [CALL_GUEST] = {6, true}, [CALL_SCREEN] = {4, true}, [CALL_SIZES] = {2, true},
    [CALL_STATS] = {7, true}, [CALL_POLL] = {4, true},
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
    Lanes *lanes;
    Lane *lane;
    unsigned generation; /* or the attempt it belongs to */
    bool primary;
    bool ready; /* its connection is open */
    bool leaving;
    uint64_t idle_since;
    uint64_t busy_since;
    Call *call;
} Slot;

struct Lanes {
    sd_event *event;
    Completion *completion;
    char *uri;
    bool single;
    const LanesCallbacks *callbacks;
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
    sd_event_source *unsent_source;

    uint64_t grow_again_at;
    sd_event_source *timer;
};

static void dispatch(Lanes *lanes);

static uint64_t
now_usec(Lanes *lanes)
{
    uint64_t now = 0;

    (void)sd_event_now(lanes->event, CLOCK_MONOTONIC, &now);
    return now;
}

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

static int
tell_unsent(sd_event_source *source, void *userdata)
{
    Lanes *lanes = userdata;
    g_autoptr(GPtrArray) unsent = g_steal_pointer(&lanes->unsent);

    lanes->unsent = g_ptr_array_new();
    for (unsigned i = 0; i < unsent->len; i++) {
        Call *call = unsent->pdata[i];

        tell(call, OUTCOME_UNSENT, NULL);
        free_call(call);
    }
    return 0;
}

static void
add_unsent(Lanes *lanes, Call *call)
{
    g_ptr_array_add(lanes->unsent, call);
    (void)sd_event_source_set_enabled(lanes->unsent_source, SD_EVENT_ONESHOT);
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
    Lanes *lanes = slot->lanes;

    lane_join(lane);
    g_free(slot);
    lanes->n_threads--;
    if (lanes->stopping && lanes->n_threads == 0)
        lanes->callbacks->stopped(lanes->userdata);
}

static Slot *
slot_new(Lanes *lanes, unsigned generation, bool primary)
{
    Slot *slot = g_new0(Slot, 1);

    slot->lanes = lanes;
    slot->generation = generation;
    slot->primary = primary;
    slot->lane = lane_new(lanes->completion, on_lane_exited, slot);
    lanes->n_threads++;
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
current_generation(const Lanes *lanes)
{
    return lanes->slots->len ? ((Slot *)lanes->slots->pdata[0])->generation : 0;
}

static bool
is_in_use(const Slot *slot)
{
    return g_ptr_array_find(slot->lanes->slots, slot, NULL);
}

/* --- attempts ----------------------------------------------------------------------------- */

typedef struct {
    Slot *slot;
    Lanes *lanes;
    Attempted result;
    bool connection_died;
} AttemptTask;

static void
on_hypervisor_event(void *data)
{
    HypervisorEvent *event = data;
    Lanes *lanes = event->userdata;

    lanes->callbacks->event(lanes->userdata, event);
    g_free(event);
}

static void
on_hypervisor_lost(void *data)
{
    HypervisorLoss *loss = data;
    Lanes *lanes = loss->userdata;

    lanes->callbacks->lost(lanes->userdata, loss->generation, loss->message);
    g_free(loss);
}

static void
post_event(HypervisorEvent *event)
{
    Lanes *lanes = event->userdata;

    completion_post(lanes->completion, on_hypervisor_event, event);
}

static void
post_loss(HypervisorLoss *loss)
{
    Lanes *lanes = loss->userdata;

    completion_post(lanes->completion, on_hypervisor_lost, loss);
}

static const HypervisorWatcher watcher = {.event = post_event, .lost = post_loss};

static void
on_attempted(void *data)
{
    AttemptTask *task = data;
    Lanes *lanes = task->lanes;
    Attempted *result = &task->result;

    task->slot->ready = result->succeeded;
    if (!result->succeeded) {
        g_ptr_array_remove_fast(lanes->pending, task->slot);
        slot_quit(task->slot);
    }
    lanes->callbacks->attempted(lanes->userdata, result);

    g_clear_pointer(&result->snapshots, g_ptr_array_unref);
    hypervisor_identity_clear(&result->identity);
    error_free(result->error);
    g_free(task);
}

/* Watch before listing, so that nothing falls between. */
static bool
connect_and_list(Lane *lane, AttemptTask *task)
{
    Attempted *result = &task->result;
    Hypervisor *h = hypervisor_open(task->lanes->uri, &result->why, &result->error);

    if (!h)
        return false;
    lane_set_hypervisor(lane, h);
    if (hypervisor_watch(h, &watcher, task->lanes, result->attempt, &result->error) &&
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
        hypervisor_tidy(lane_hypervisor(lane));
}

void
lanes_connect(Lanes *lanes, unsigned attempt)
{
    AttemptTask *task = g_new0(AttemptTask, 1);

    task->lanes = lanes;
    task->slot = slot_new(lanes, attempt, true);
    task->result.attempt = attempt;
    g_ptr_array_add(lanes->pending, task->slot);
    lane_do(task->slot->lane, work_attempt, task);
}

static Slot *
take_pending(Lanes *lanes, unsigned attempt)
{
    for (unsigned i = 0; i < lanes->pending->len; i++) {
        Slot *slot = lanes->pending->pdata[i];

        if (slot->generation == attempt) {
            g_ptr_array_remove_index_fast(lanes->pending, i);
            return slot;
        }
    }
    return NULL;
}

void
lanes_adopt(Lanes *lanes, unsigned attempt)
{
    Slot *slot = take_pending(lanes, attempt);

    slot->idle_since = now_usec(lanes);
    g_ptr_array_add(lanes->slots, slot);
    lanes->grow_again_at = 0;
    dispatch(lanes);
}

void
lanes_discard(Lanes *lanes, unsigned attempt)
{
    Slot *slot = take_pending(lanes, attempt);

    if (slot)
        slot_quit(slot);
}

/* --- losing the connection ---------------------------------------------------------------- */

static void
clear_waiting(Lanes *lanes)
{
    for (unsigned class = 0; class < _CALL_CLASS_MAX; class ++) {
        Call *call;

        while ((call = g_queue_pop_head(&lanes->waiting[class])))
            add_unsent(lanes, call);
    }
    lanes->n_waiting = 0;
}

/* What has not been sent by now never will be. */
static void
give_up_call(Call *call)
{
    bool unsent = g_atomic_int_compare_and_exchange(&call->gate, GATE_OPEN, GATE_CLOSED);

    tell(call, unsent ? OUTCOME_UNSENT : OUTCOME_LOST, NULL);
}

void
lanes_clear(Lanes *lanes)
{
    g_autoptr(GPtrArray) slots = g_steal_pointer(&lanes->slots);

    lanes->slots = g_ptr_array_new();
    for (unsigned i = 0; i < slots->len; i++)
        g_ptr_array_add(lanes->cleared, slots->pdata[i]);
    clear_waiting(lanes);
    for (unsigned i = 0; i < slots->len; i++) {
        Slot *slot = slots->pdata[i];

        if (slot->call)
            give_up_call(slot->call);
    }
}

void
lanes_close_cleared(Lanes *lanes)
{
    for (unsigned i = 0; i < lanes->cleared->len; i++)
        slot_quit(lanes->cleared->pdata[i]);
    g_ptr_array_set_size(lanes->cleared, 0);
}

/* --- growing and shrinking ---------------------------------------------------------------- */

typedef struct {
    Slot *slot;
    Lanes *lanes;
    bool opened;
} GrowTask;

static void
on_grown(void *data)
{
    g_autofree GrowTask *task = data;
    Lanes *lanes = task->lanes;

    if (!is_in_use(task->slot))
        return;
    if (task->opened) {
        task->slot->ready = true;
        task->slot->idle_since = now_usec(lanes);
    } else {
        /* Too many clients, perhaps: make do with the lanes there are for a while. */
        g_ptr_array_remove(lanes->slots, task->slot);
        slot_quit(task->slot);
        lanes->grow_again_at = now_usec(lanes) + GROW_AGAIN_AFTER;
    }
    dispatch(lanes);
}

static void
work_grow(Lane *lane, void *data)
{
    GrowTask *task = data;
    Status why;
    g_autoptr(Error) error = NULL;
    Hypervisor *h = hypervisor_open(task->lanes->uri, &why, &error);

    lane_set_hypervisor(lane, h);
    task->opened = h != NULL;
    lane_post(lane, on_grown, task);
}

static void
grow(Lanes *lanes)
{
    GrowTask *task = g_new0(GrowTask, 1);

    task->lanes = lanes;
    task->slot = slot_new(lanes, current_generation(lanes), false);
    g_ptr_array_add(lanes->slots, task->slot);
    lane_do(task->slot->lane, work_grow, task);
}

/*
 * Both ask each QEMU for figures, and libvirt gives fewer of them to whoever comes while the other
 * does: so they take turns. The end of CALL_SIZES's, but for a QEMU that hangs; 0: it has none.
 */
static uint64_t
end_of_turn(const Lanes *lanes)
{
    uint64_t end = 0;

    for (unsigned i = 0; i < lanes->slots->len; i++) {
        const Slot *slot = lanes->slots->pdata[i];

        if (slot->call && slot->call->class == CALL_SIZES)
            end = MAX(end, slot->busy_since + TURN_MAX);
    }
    return end;
}

static void
arm_timer(Lanes *lanes)
{
    uint64_t when = lanes->n_waiting && lanes->grow_again_at ? lanes->grow_again_at : UINT64_MAX;

    if (!g_queue_is_empty(&lanes->waiting[CALL_STATS]) && end_of_turn(lanes) > now_usec(lanes))
        when = MIN(when, end_of_turn(lanes));

    for (unsigned i = 1; i < lanes->slots->len; i++) {
        const Slot *slot = lanes->slots->pdata[i];

        if (slot->ready && !slot->call)
            when = MIN(when, slot->idle_since + IDLE_LIMIT);
    }
    if (when == UINT64_MAX) {
        (void)sd_event_source_set_enabled(lanes->timer, SD_EVENT_OFF);
        return;
    }
    (void)sd_event_source_set_time(lanes->timer, when);
    (void)sd_event_source_set_enabled(lanes->timer, SD_EVENT_ONESHOT);
}

static int
on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    Lanes *lanes = userdata;
    uint64_t now = now_usec(lanes);

    if (lanes->grow_again_at <= now)
        lanes->grow_again_at = 0;
    for (unsigned i = lanes->slots->len; i-- > 1;) {
        Slot *slot = lanes->slots->pdata[i];

        if (!slot->ready || slot->call || slot->idle_since + IDLE_LIMIT > now)
            continue;
        g_ptr_array_remove_index(lanes->slots, i);
        slot_quit(slot);
    }
    dispatch(lanes);
    return 0;
}

/* --- dispatching -------------------------------------------------------------------------- */

static unsigned
count_running(const Lanes *lanes, CallClass class)
{
    unsigned n = 0;

    for (unsigned i = 0; i < lanes->slots->len; i++) {
        const Slot *slot = lanes->slots->pdata[i];

        if (slot->call && slot->call->class == class)
            n++;
    }
    return n;
}

/* One call of a class at a time for a domain. Looks are bounded by their caller. */
static bool
is_domain_busy(const Lanes *lanes, const Call *call)
{
    if (call->key[0] == '\0' || call->class == CALL_LOOK)
        return false;
    for (unsigned i = 0; i < lanes->slots->len; i++) {
        const Slot *slot = lanes->slots->pdata[i];

        if (slot->call && slot->call->class == call->class &&
            g_str_equal(slot->call->key, call->key))
            return true;
    }
    return false;
}

static unsigned
count_hanging(const Lanes *lanes)
{
    unsigned n = 0;

    for (unsigned i = 0; i < lanes->slots->len; i++) {
        const Slot *slot = lanes->slots->pdata[i];

        if (slot->call && classes[slot->call->class].hangs)
            n++;
    }
    return n;
}

static bool
is_its_turn(Lanes *lanes, CallClass class)
{
    if (class == CALL_STATS)
        return end_of_turn(lanes) <= now_usec(lanes);
    return class != CALL_SIZES || count_running(lanes, CALL_STATS) == 0;
}

static bool
has_room(const Lanes *lanes, CallClass class)
{
    if (classes[class].hangs && count_hanging(lanes) >= HANGING_MAX)
        return false;
    return count_running(lanes, class) < classes[class].limit;
}

/* The first call of the class that may run now. */
static GList *
find_runnable(Lanes *lanes, CallClass class)
{
    if (!has_room(lanes, class) || !is_its_turn(lanes, class))
        return NULL;
    for (GList *link = lanes->waiting[class].head; link; link = link->next)
        if (!is_domain_busy(lanes, link->data))
            return link;
    return NULL;
}

static bool
may_use_primary(const Lanes *lanes, CallClass class)
{
    if (lanes->single || class == CALL_LOOK)
        return true;
    /* Rather there than nowhere, while no other lane can be had. */
    return lanes->grow_again_at != 0 && lanes->slots->len == 1;
}

static Slot *
find_idle(const Lanes *lanes, CallClass class)
{
    for (unsigned i = may_use_primary(lanes, class) ? 0 : 1; i < lanes->slots->len; i++) {
        Slot *slot = lanes->slots->pdata[i];

        if (slot->ready && !slot->call)
            return slot;
    }
    return NULL;
}

static bool
is_growing(const Lanes *lanes)
{
    for (unsigned i = 0; i < lanes->slots->len; i++)
        if (!((Slot *)lanes->slots->pdata[i])->ready)
            return true;
    return false;
}

static void
on_call_done(void *data)
{
    Call *call = data;
    Slot *slot = call->slot;
    Lanes *lanes = slot->lanes;

    slot->call = NULL;
    slot->idle_since = now_usec(lanes);
    if (call->connection_died && is_in_use(slot) && !slot->primary) {
        g_ptr_array_remove(lanes->slots, slot);
        slot_quit(slot);
    } else if (call->connection_died && is_in_use(slot)) {
        lanes->callbacks->lost(lanes->userdata, slot->generation, call->error->message);
    }
    tell(call, outcome_of(call), call->error);
    free_call(call);
    dispatch(lanes);
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
    hypervisor_tidy(h);
}

static void
start_call(Lanes *lanes, Slot *slot, GList *link, CallClass class)
{
    Call *call = link->data;

    g_queue_delete_link(&lanes->waiting[class], link);
    lanes->n_waiting--;
    slot->call = call;
    slot->busy_since = now_usec(lanes);
    call->slot = slot;
    lane_do(slot->lane, work_call, call);
}

static void
dispatch_class(Lanes *lanes, CallClass class)
{
    GList *link;

    while ((link = find_runnable(lanes, class))) {
        Slot *slot = find_idle(lanes, class);

        if (slot) {
            start_call(lanes, slot, link, class);
            continue;
        }
        if (!lanes->single && !is_growing(lanes) && lanes->grow_again_at == 0)
            grow(lanes);
        return;
    }
}

static void
dispatch(Lanes *lanes)
{
    if (lanes->slots->len == 0 || lanes->stopping)
        return;
    dispatch_class(lanes, CALL_FORCE);
    dispatch_class(lanes, CALL_LOOK);
    dispatch_class(lanes, CALL_BESIDE);
    dispatch_class(lanes, CALL_CHANGE);
    dispatch_class(lanes, CALL_LONG);
    dispatch_class(lanes, CALL_READ);
    dispatch_class(lanes, CALL_GUEST);
    dispatch_class(lanes, CALL_SCREEN);
    dispatch_class(lanes, CALL_POLL);
    dispatch_class(lanes, CALL_STATS);
    dispatch_class(lanes, CALL_SIZES);
    arm_timer(lanes);
}

/* What is sent again goes before what came after it. */
static void
enqueue(Lanes *lanes, Call *call)
{
    GQueue *waiting = &lanes->waiting[call->class];
    GList *before = waiting->tail;

    while (before && ((const Call *)before->data)->order > call->order)
        before = before->prev;
    g_queue_insert_after(waiting, before, call);
    lanes->n_waiting++;
}

void
lanes_submit(Lanes *lanes, Call *call)
{
    if (call->order == 0)
        call->order = ++lanes->last_order;
    if (lanes->slots->len == 0) {
        add_unsent(lanes, call);
        return;
    }
    enqueue(lanes, call);
    dispatch(lanes);
}

bool
lanes_submit_limited(Lanes *lanes, Call *call)
{
    if (lanes->n_waiting >= WAITING_MAX) {
        free_call(call);
        return false;
    }
    lanes_submit(lanes, call);
    return true;
}

void
lanes_abandon(Lanes *lanes, Call *call)
{
    (void)g_atomic_int_compare_and_exchange(&call->gate, GATE_OPEN, GATE_CLOSED);
    call->told = true;
    if (g_queue_remove(&lanes->waiting[call->class], call)) {
        lanes->n_waiting--;
        free_call(call);
    }
}

bool
lanes_withdraw(Lanes *lanes, Call *call)
{
    if (!g_atomic_int_compare_and_exchange(&call->gate, GATE_OPEN, GATE_CLOSED))
        return false;
    lanes_abandon(lanes, call);
    return true;
}

/* --- life --------------------------------------------------------------------------------- */

Lanes *
lanes_new(sd_event *event, Completion *completion, const char *uri, const LanesCallbacks *callbacks,
          void *userdata)
{
    Lanes *lanes = g_new0(Lanes, 1);

    lanes->event = sd_event_ref(event);
    lanes->completion = completion;
    lanes->uri = g_strdup(uri);
    lanes->single = hypervisor_uri_is_test(uri);
    lanes->callbacks = callbacks;
    lanes->userdata = userdata;
    lanes->slots = g_ptr_array_new();
    lanes->pending = g_ptr_array_new();
    lanes->cleared = g_ptr_array_new();
    lanes->unsent = g_ptr_array_new();
    for (unsigned class = 0; class < _CALL_CLASS_MAX; class ++)
        g_queue_init(&lanes->waiting[class]);
    if (sd_event_add_time(event, &lanes->timer, CLOCK_MONOTONIC, 0, 10 * MSEC, on_timer, lanes) <
            0 ||
        sd_event_source_set_enabled(lanes->timer, SD_EVENT_OFF) < 0 ||
        sd_event_add_defer(event, &lanes->unsent_source, tell_unsent, lanes) < 0 ||
        sd_event_source_set_enabled(lanes->unsent_source, SD_EVENT_OFF) < 0) {
        lanes_free(lanes);
        return NULL;
    }
    return lanes;
}

void
lanes_free(Lanes *lanes)
{
    if (!lanes)
        return;
    for (unsigned i = 0; i < lanes->unsent->len; i++)
        free_call(lanes->unsent->pdata[i]);
    sd_event_source_disable_unref(lanes->timer);
    sd_event_source_disable_unref(lanes->unsent_source);
    g_ptr_array_unref(lanes->slots);
    g_ptr_array_unref(lanes->pending);
    g_ptr_array_unref(lanes->cleared);
    g_ptr_array_unref(lanes->unsent);
    sd_event_unref(lanes->event);
    g_free(lanes->uri);
    g_free(lanes);
}

void
lanes_stop(Lanes *lanes)
{
    lanes_clear(lanes);
    lanes_close_cleared(lanes);
    lanes->stopping = true;
    for (unsigned i = 0; i < lanes->pending->len; i++)
        slot_quit(lanes->pending->pdata[i]);
    if (lanes->n_threads == 0)
        lanes->callbacks->stopped(lanes->userdata);
}
