/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "clock.h"
#include "lane-pool-private.h"
#include "log.h"
#include "units.h"

#define IDLE_LIMIT             (30 * SEC)
/* libvirtd with max_clients connected takes no further one, and leaves it without an answer. */
#define OPENING_LIMIT          (3 * SEC)
#define OPENING_MAX            4
#define LEFT_BEHIND_MAX        4
#define LEFT_BEHIND_URGENT_MAX 8
#define OPEN_PAUSE_MIN         (1 * SEC)
#define OPEN_PAUSE_MAX         (16 * SEC)

/* --- slots -------------------------------------------------------------------------------- */

static void
on_lane_exited(void *data)
{
    Lane *lane = data;
    Slot *slot = lane_userdata(lane);
    LanePool *pool = slot->pool;

    lane_join(lane);
    pool->n_left_behind -= slot->left_behind;
    pool->n_threads--;
    g_free(slot);
    if (pool->stopping && pool->n_threads == 0)
        pool->callbacks->stopped(pool->userdata);
    else
        deferred_schedule(pool->dispatch);
}

Slot *
slot_new(LanePool *pool, unsigned generation, bool primary)
{
    Slot *slot = g_new0(Slot, 1);

    slot->pool = pool;
    slot->generation = generation;
    slot->primary = primary;
    slot->since = clock_now_usec();
    slot->lane = lane_new(pool->loop_queue, on_lane_exited, slot);
    pool->n_threads++;
    return slot;
}

void
slot_quit(Slot *slot)
{
    if (slot->leaving)
        return;
    slot->leaving = true;
    lane_quit(slot->lane);
}

bool
slot_is_in_use(const Slot *slot)
{
    return g_ptr_array_find(slot->pool->slots, slot, NULL);
}

bool
slot_is_idle(const Slot *slot)
{
    return slot->open && !slot->call;
}

void
slot_drop(Slot *slot)
{
    g_ptr_array_remove(slot->pool->slots, slot);
    slot_quit(slot);
}

/* --- choosing ----------------------------------------------------------------------------- */

static unsigned
count_secondary(const LanePool *pool, bool (*is_one)(const Slot *slot))
{
    unsigned n = 0;

    for (unsigned i = 1; i < pool->slots->len; i++)
        n += is_one(pool->slots->pdata[i]);
    return n;
}

static bool
is_opening(const Slot *slot)
{
    return !slot->open;
}

static bool
is_working(const Slot *slot)
{
    return slot->call && slot->call->state == CALL_RUNNING;
}

bool
lanes_keep_one_for(CallClass class)
{
    return class == CALL_FORCE || class == CALL_ACPI;
}

/* Whether a lane other than the primary one will come free or be opened soon. */
static bool
can_expect_one(const LanePool *pool)
{
    return pool->open_again_at == 0 || count_secondary(pool, is_opening) > 0 ||
           count_secondary(pool, is_working) > 0;
}

static bool
may_use_primary(const LanePool *pool, CallClass class)
{
    return pool->single || lanes_keep_one_for(class) || !can_expect_one(pool);
}

static Slot *
find_idle_secondary(const LanePool *pool)
{
    for (unsigned i = 1; i < pool->slots->len; i++)
        if (slot_is_idle(pool->slots->pdata[i]))
            return pool->slots->pdata[i];
    return NULL;
}

Slot *
lanes_find(const LanePool *pool, CallClass class)
{
    Slot *primary = pool->slots->pdata[0];
    unsigned n_idle = count_secondary(pool, slot_is_idle);

    if (class == CALL_QUICK && slot_is_idle(primary))
        return primary;
    if (n_idle > 1 || (n_idle == 1 && lanes_keep_one_for(class)))
        return find_idle_secondary(pool);
    return slot_is_idle(primary) && may_use_primary(pool, class) ? primary : NULL;
}

/* --- opening ------------------------------------------------------------------------------ */

typedef struct {
    Slot *slot;
    LanePool *pool;
    bool opened;
    Error *error;
} OpenTask;

/* Open no lane for a while. */
static void
pause_opening(LanePool *pool, const char *why)
{
    if (pool->open_pause == 0)
        log_message(LOG_WARNING, "Another connection to libvirt could not be made: %s", why);
    pool->open_pause = CLAMP(pool->open_pause * 2, OPEN_PAUSE_MIN, OPEN_PAUSE_MAX);
    pool->open_again_at = clock_now_usec() + pool->open_pause;
}

static void
on_opened(void *data)
{
    OpenTask *task = data;
    LanePool *pool = task->pool;
    Slot *slot = task->slot;

    call_pace_return_of_priority(&pool->pace, task);
    if (slot_is_in_use(slot) && task->opened) {
        slot->open = true;
        slot->since = clock_now_usec();
        pool->open_again_at = 0;
        pool->open_pause = 0;
    } else if (slot_is_in_use(slot)) {
        slot_drop(slot);
        pause_opening(pool, task->error->message);
    }
    error_free(task->error);
    g_free(task);
    deferred_schedule(pool->dispatch);
}

static void
work_open(Lane *lane, void *data)
{
    OpenTask *task = data;
    Status why;
    Hypervisor *h = hypervisor_open(task->pool->uri, &why, &task->error);

    lane_set_hypervisor(lane, h);
    task->opened = h != NULL;
    lane_post(lane, on_opened, task);
}

static void
open_one(LanePool *pool)
{
    const Slot *primary = pool->slots->pdata[0];
    OpenTask *task = g_new0(OpenTask, 1);

    task->pool = pool;
    task->slot = slot_new(pool, primary->generation, false);
    g_ptr_array_add(pool->slots, task->slot);
    call_pace_begin(&pool->pace, task, clock_now_usec());
    lane_do(task->slot->lane, work_open, task);
}

uint64_t
lanes_next_begin(const LanePool *pool, CallGroup group)
{
    return call_pace_next(&pool->pace, group,
                          call_schedule_all_running(pool->schedule) +
                              count_secondary(pool, is_opening),
                          clock_now_usec());
}

static bool
may_open(const LanePool *pool, unsigned n_opening, bool urgent)
{
    if (urgent && n_opening == 0)
        return pool->n_left_behind < LEFT_BEHIND_URGENT_MAX;
    return pool->open_again_at == 0 && n_opening < OPENING_MAX &&
           pool->n_left_behind < LEFT_BEHIND_MAX &&
           lanes_next_begin(pool, CALL_GROUP_READ) <= clock_now_usec();
}

void
lanes_open(LanePool *pool, unsigned wanted, bool urgent)
{
    unsigned n_opening = count_secondary(pool, is_opening);

    if (pool->single)
        return;
    /* One idle lane is kept for urgent calls. */
    wanted += count_secondary(pool, slot_is_idle) == 0;
    for (; n_opening < wanted && may_open(pool, n_opening, urgent); n_opening++)
        open_one(pool);
}

/* --- time --------------------------------------------------------------------------------- */

static void
leave_behind(Slot *slot)
{
    LanePool *pool = slot->pool;

    slot->left_behind = true;
    pool->n_left_behind++;
    slot_drop(slot);
    pause_opening(pool, "libvirt does not answer it");
}

void
lanes_elapsed(LanePool *pool, uint64_t now)
{
    unsigned n_idle = count_secondary(pool, slot_is_idle);

    if (pool->open_again_at <= now)
        pool->open_again_at = 0;
    for (unsigned i = pool->slots->len; i-- > 1;) {
        Slot *slot = pool->slots->pdata[i];

        if (is_opening(slot) && slot->since + OPENING_LIMIT <= now) {
            leave_behind(slot);
        } else if (slot_is_idle(slot) && slot->since + IDLE_LIMIT <= now && n_idle > 1) {
            slot_drop(slot);
            n_idle--;
        }
    }
}

uint64_t
lanes_next_event(const LanePool *pool)
{
    unsigned n_idle = count_secondary(pool, slot_is_idle);
    uint64_t begin = lanes_next_begin(pool, CALL_GROUP_READ);
    uint64_t when = pool->open_again_at ? pool->open_again_at : TIMER_NEVER;
    bool may_close = n_idle > 1;

    if (n_idle == 0 && !pool->single && begin > clock_now_usec())
        when = MIN(when, begin);
    for (unsigned i = 1; i < pool->slots->len; i++) {
        const Slot *slot = pool->slots->pdata[i];

        if (is_opening(slot))
            when = MIN(when, slot->since + OPENING_LIMIT);
        else if (slot_is_idle(slot) && may_close)
            when = MIN(when, slot->since + IDLE_LIMIT);
    }
    return when;
}
