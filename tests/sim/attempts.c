/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attempts.h"

#include "availability.h"
#include "checks.h"
#include "daemon.h"
#include "disks.h"
#include "hypervisor-list.h"
#include "world.h"

#define ATTEMPTS_MAX 1024
#define KEEPALIVE    (5 * SEC)
#define EVENT_KINDS  32
#define EVENT_ABOUTS 4

typedef enum {
    PHASE_CONNECTING,
    PHASE_WATCHED, /* events arrive */
    PHASE_LISTED,
    PHASE_REPORTED,
} AttemptPhase;

typedef enum {
    USE_NONE,
    USE_ADOPTED,
    USE_CLEARED,
    USE_CLOSED,
    USE_DISCARDED,
} Use;

typedef struct {
    AttemptPhase phase;
    bool in_flight;
    bool stalled;
    bool replaced; /* the service was told of another daemon */
    bool lost;
    bool good; /* it became a connection */
    Use use;
    unsigned daemon;
    uint64_t started;
    GPtrArray *list;
} Attempt;

static struct {
    const LanePoolCallbacks *callbacks;
    void *userdata;
    unsigned last;
    bool probe_answered;
    Attempt all[ATTEMPTS_MAX];
} attempts;

void
attempts_begin(const LanePoolCallbacks *callbacks, void *userdata)
{
    attempts.callbacks = callbacks;
    attempts.userdata = userdata;
    attempts.last = 0;
    attempts.probe_answered = false;
}

unsigned
attempts_in_flight(void)
{
    unsigned n = 0;

    for (unsigned i = 1; i <= attempts.last; i++)
        n += attempts.all[i].in_flight;
    return n;
}

/* --- the end of an attempt ---------------------------------------------------------------- */

static void
fail(unsigned number, Status why, const char *message)
{
    Attempt *attempt = &attempts.all[number];
    ConnectResult result = {.attempt = number, .why = why};

    say("attempt %u fails: %s", number, message);
    attempt->in_flight = false;
    g_clear_pointer(&attempt->list, g_ptr_array_unref);
    result.error = error_new(ERROR_OPERATION_FAILED, "%s", message);
    attempts.callbacks->connect_result(attempts.userdata, &result);
    error_free(result.error);
}

static void
on_lost(void *data, unsigned number)
{
    Attempt *attempt = &attempts.all[number];

    /* It was frozen, and is back before anyone noticed. */
    if (daemon_is(attempt->daemon) && daemon_state() == DAEMON_UP)
        return;
    say("connection %u is lost", number);
    attempt->lost |= attempt->in_flight;
    attempts.callbacks->lost(attempts.userdata, number, "End of file");
}

static void
succeed(unsigned number)
{
    Attempt *attempt = &attempts.all[number];
    ConnectResult result = {.attempt = number, .succeeded = true};

    say("attempt %u succeeds", number);
    attempt->in_flight = false;
    attempt->good = true;
    result.updates = g_steal_pointer(&attempt->list);
    result.identity = (HypervisorIdentity){g_strdup("host"), g_strdup("QEMU"), g_strdup("7.2.0"),
                                           g_strdup("9.0.0")};
    /* Its daemon is not there any more: sooner or later that is noticed. */
    if (!daemon_is(attempt->daemon))
        world_post(between(0, 20 * MSEC), on_lost, NULL, number);
    else if (daemon_state() == DAEMON_FROZEN)
        world_post(between(KEEPALIVE, KEEPALIVE + SEC), on_lost, NULL, number);
    attempts.callbacks->connect_result(attempts.userdata, &result);
    hypervisor_identity_clear(&result.identity);
    g_clear_pointer(&result.updates, g_ptr_array_unref);
    REQUIRE(attempt->use != USE_NONE, "Connection %u is neither used nor closed", number);
    if (attempt->lost)
        REQUIRE(attempt->use == USE_DISCARDED, "A connection that was lost is used");
}

/* --- its way ------------------------------------------------------------------------------ */

static void
list_domains(Attempt *attempt)
{
    struct Hypervisor h = {.daemon = attempt->daemon};
    g_autoptr(Error) error = NULL;

    attempt->list = hypervisor_list(&h, &error);
}

static void
go_on(void *data, unsigned number)
{
    Attempt *attempt = &attempts.all[number];

    if (!attempt->in_flight)
        return;
    if (attempt->phase == PHASE_REPORTED) {
        succeed(number); /* though its daemon may have died since */
    } else if (!daemon_is(attempt->daemon)) {
        if (attempt->phase == PHASE_CONNECTING)
            fail(number, STATUS_STOPPED, "Connection refused");
        else
            fail(number, STATUS_UNREACHABLE, "End of file");
    } else if (daemon_state() == DAEMON_FROZEN) {
        attempt->stalled = true;
    } else if (attempt->phase < PHASE_LISTED && trouble(4)) {
        fail(number, percent(50) ? STATUS_DENIED : STATUS_FAILED, "No");
    } else {
        if (++attempt->phase == PHASE_LISTED)
            list_domains(attempt);
        /* libvirt may take its time; a report is in the loop's queue. */
        bool is_slow = attempt->phase < PHASE_REPORTED && trouble(10);
        world_post(between(0, is_slow ? 14 * SEC : 20 * MSEC), go_on, NULL, number);
    }
}

void
attempts_start(unsigned number)
{
    say(" connect %u", number);
    for (unsigned i = 1; i <= attempts.last; i++) {
        const Attempt *other = &attempts.all[i];

        REQUIRE(!other->in_flight ||
                    world_now() >= other->started + (other->replaced ? 2 : 30) * SEC,
                "Two attempts at once: %u and %u", i, number);
        REQUIRE(other->use != USE_ADOPTED, "An attempt beside a connection");
        REQUIRE(other->use != USE_CLEARED, "Connection %u is cleared and not closed", i);
    }
    REQUIRE(number == attempts.last + 1, "Attempts are not numbered in order");
    REQUIRE(attempts_in_flight() <
                AVAILABILITY_LEFT_BEHIND_MAX + (attempts.probe_answered ? 1U : 0U),
            "Too many attempts are left behind");
    attempts.probe_answered = false;
    if (number >= ATTEMPTS_MAX) {
        fault("Too many attempts");
        return;
    }
    attempts.last = number;
    attempts.all[number] =
        (Attempt){.in_flight = true, .daemon = daemon_number(), .started = world_now()};
    world_post(between(0, 5 * MSEC), go_on, NULL, number);
}

bool
attempts_leave(unsigned number)
{
    REQUIRE(attempts.all[number].in_flight && world_now() >= attempts.all[number].started + 2 * SEC,
            "Attempt %u is left too early", number);
    return false;
}

static void
on_probed(void *data, unsigned unused)
{
    attempts.probe_answered = daemon_state() == DAEMON_UP;
    attempts.callbacks->probed(attempts.userdata, attempts.probe_answered);
}

void
attempts_probe(void)
{
    REQUIRE(attempts_in_flight() >= AVAILABILITY_LEFT_BEHIND_MAX, "A probe for nothing");
    world_post(between(0, 3 * SEC), on_probed, NULL, 0);
}

void
attempts_retry(void)
{
    for (unsigned i = 1; i <= attempts.last; i++) {
        if (!attempts.all[i].in_flight || !attempts.all[i].stalled)
            continue;
        attempts.all[i].stalled = false;
        world_post(between(0, 20 * MSEC), go_on, NULL, i);
    }
}

/* --- the use of its connection ------------------------------------------------------------ */

static void
set_use(unsigned number, Use from, Use to)
{
    Attempt *attempt = &attempts.all[number];

    REQUIRE(attempt->good && attempt->use == from, "Connection %u is used out of turn", number);
    attempt->use = to;
}

unsigned
attempts_adopt(unsigned number)
{
    say(" adopt %u", number);
    set_use(number, USE_NONE, USE_ADOPTED);
    return attempts.all[number].daemon;
}

void
attempts_discard(unsigned number)
{
    say(" discard %u", number);
    set_use(number, USE_NONE, USE_DISCARDED);
}

void
attempts_clear(unsigned number)
{
    say(" clear %u", number);
    set_use(number, USE_ADOPTED, USE_CLEARED);
}

void
attempts_close_cleared(void)
{
    for (unsigned i = 1; i <= attempts.last; i++)
        if (attempts.all[i].use == USE_CLEARED)
            set_use(i, USE_CLEARED, USE_CLOSED);
}

void
attempts_stop(void)
{
    for (unsigned i = 1; i <= attempts.last; i++)
        if (attempts.all[i].in_flight)
            fail(i, STATUS_UNREACHABLE, "The end");
}

void
attempts_end(void)
{
    for (unsigned i = 1; i <= attempts.last; i++) {
        const Attempt *attempt = &attempts.all[i];

        REQUIRE(!attempt->good || attempt->use == USE_CLOSED || attempt->use == USE_DISCARDED,
                "Connection %u is never closed", i);
    }
}

/* --- what comes over it ------------------------------------------------------------------- */

static bool
is_open(const Attempt *attempt)
{
    return attempt->in_flight || attempt->use == USE_ADOPTED;
}

void
attempts_lose(uint64_t low, uint64_t high)
{
    for (unsigned i = 1; i <= attempts.last; i++) {
        const Attempt *attempt = &attempts.all[i];

        if (!is_open(attempt) || attempt->daemon != daemon_number())
            continue;
        if (!attempt->in_flight || (attempt->phase >= PHASE_WATCHED && percent(50)))
            world_post(between(low, high), on_lost, NULL, i);
    }
}

void
attempts_note_new_daemon(void)
{
    for (unsigned i = 1; i <= attempts.last; i++)
        attempts.all[i].replaced |= attempts.all[i].in_flight;
}

static void
deliver(const SimDomain *guest, unsigned generation, HypervisorEventKind kind, BlockJobEvent about)
{
    const char *device = kind == EVENT_BLOCK_JOB ? DISK_TARGET : "";
    g_autofree HypervisorEvent *event = g_malloc0(sizeof *event + sizeof DISK_TARGET);

    event->generation = generation;
    event->kind = kind;
    event->about = about;
    g_strlcpy(event->uuid, guest->uuid, sizeof event->uuid);
    g_strlcpy(event->device, device, sizeof DISK_TARGET);
    checks_event(event);
    attempts.callbacks->event(attempts.userdata, event);
}

static void
on_event(void *data, unsigned what)
{
    const SimDomain *guest = data;
    HypervisorEventKind kind = (HypervisorEventKind)(what % EVENT_KINDS);
    BlockJobEvent about = (BlockJobEvent)(what / EVENT_KINDS % EVENT_ABOUTS);
    unsigned generation = what / EVENT_KINDS / EVENT_ABOUTS;

    deliver(guest, generation, kind, about);
    /* Several may arrive in one turn of the loop. */
    if (kind == EVENT_PANICKED && guest->state == DOMAIN_RUNNING)
        deliver(guest, generation, EVENT_RESUMED, about);
}

static void
post_event(SimDomain *guest, HypervisorEventKind kind, BlockJobEvent about)
{
    for (unsigned i = attempts.last; i > 0 && i + 8 > attempts.last; i--) {
        const Attempt *attempt = &attempts.all[i];
        bool listens = is_open(attempt) && attempt->phase >= PHASE_WATCHED;

        if (listens && daemon_is(attempt->daemon))
            world_post(between(0, 5 * MSEC), on_event, guest,
                       (i * EVENT_ABOUTS + about) * EVENT_KINDS + kind);
    }
}

void
attempts_post_event(SimDomain *guest, HypervisorEventKind kind)
{
    post_event(guest, kind, (BlockJobEvent)0);
}

void
attempts_post_block_job_event(SimDomain *guest, BlockJobEvent about)
{
    post_event(guest, EVENT_BLOCK_JOB, about);
}
