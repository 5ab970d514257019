/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guests.h"

#include "attempts.h"
#include "checks.h"
#include "daemon.h"
#include "disks.h"
#include "hypervisor-domain.h"
#include "hypervisor-job.h"
#include "hypervisor-list.h"
#include "lanes.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

static struct {
    unsigned n;
    SimDomain all[GUESTS_MAX];
    bool reboot_in_call;
    bool freeze_states;
} guests;

/* --- finding ------------------------------------------------------------------------------ */

unsigned
guests_count(void)
{
    return guests.n;
}

SimDomain *
guests_get(unsigned number)
{
    return &guests.all[number];
}

SimDomain *
guests_find(const char *uuid)
{
    for (unsigned i = 0; i < guests.n; i++)
        if (strcmp(guests.all[i].uuid, uuid) == 0)
            return &guests.all[i];
    return NULL;
}

bool
guests_reboot_in_call(void)
{
    return guests.reboot_in_call;
}

bool
guests_freeze_states(void)
{
    return guests.freeze_states;
}

bool
guest_is_up(const SimDomain *guest)
{
    return guest->state == DOMAIN_RUNNING || guest->state == DOMAIN_IDLE;
}

bool
guest_was_in_state(const SimDomain *guest, DomainState state, uint64_t since)
{
    return guest->state == state || (guest->left_at[state] != 0 && guest->left_at[state] >= since);
}

bool
guest_was_up(const SimDomain *guest, uint64_t since)
{
    return guest_was_in_state(guest, DOMAIN_RUNNING, since) ||
           guest_was_in_state(guest, DOMAIN_IDLE, since);
}

bool
guests_block(unsigned read)
{
    for (unsigned i = 0; i < guests.n; i++)
        if ((read & (1U << i)) && guests.all[i].frozen)
            return true;
    return false;
}

/* --- beginning ---------------------------------------------------------------------------- */

static void
make_guest(unsigned number)
{
    static const DomainState states[] = {DOMAIN_RUNNING, DOMAIN_RUNNING, DOMAIN_SHUTOFF,
                                         DOMAIN_PAUSED,  DOMAIN_CRASHED, DOMAIN_PMSUSPENDED,
                                         DOMAIN_IDLE,    DOMAIN_RUNNING};
    SimDomain *guest = &guests.all[number];

    *guest = (SimDomain){.number = number, .exists = true};
    snprintf(guest->uuid, sizeof guest->uuid, "6695eb01-f6a4-8304-79aa-97f2502e193%u", number % 10);
    snprintf(guest->name, sizeof guest->name, "vm%u", number % 10);
    guest->persistent = percent(75);
    guest->state = states[below(G_N_ELEMENTS(states))];
    if (!guest->persistent && guest->state == DOMAIN_SHUTOFF)
        guest->state = DOMAIN_RUNNING;
    guest->id = guest->state == DOMAIN_SHUTOFF ? -1 : (int)below(100) + 1;
    guest->last_id = MAX(guest->id, 0);
    guest->kind = percent(40) ? GUEST_OBEYS : (GuestKind)below(_GUEST_KIND_MAX);
    guest->agent = percent(30) ? (AgentKind)below(_AGENT_MAX) : AGENT_NONE;
    guest->restarts_on_poweroff = percent(10);
    guest->ends_on_reboot = !guest->persistent && percent(20);
    guest->starts_slowly = percent(50);
    guest->deaf = percent(50) ? 3 * SEC : 0;
}

void
guests_begin(bool with_disks)
{
    guests.n = 1 + below(GUESTS_MAX);
    guests.reboot_in_call = percent(20);
    guests.freeze_states = percent(50);
    for (unsigned i = 0; i < guests.n; i++)
        make_guest(i);
    disks_begin(with_disks);
}

/* --- what a guest does -------------------------------------------------------------------- */

static void
change_state(SimDomain *guest, DomainState state)
{
    say("   %s: %s -> %s", guest->name, domain_state_name(guest->state), domain_state_name(state));
    guest->left_at[guest->state] = world_now();
    if (state == DOMAIN_SHUTOFF) {
        guest->run++;
        disk_guest_ended(guest);
        guest->id = -1;
        guest->frozen = guest->stuck = guest->saving = false;
        guest->exists = guest->persistent;
    } else if (guest->state == DOMAIN_SHUTOFF) {
        guest->run++;
        guest->id = ++guest->last_id;
        guest->has_managed_save = false;
        guest->booted_at = world_now();
    }
    /* A call that was talking to its process finds it gone. */
    if (state == DOMAIN_SHUTOFF && trouble(10))
        attempts_post_event(guest, EVENT_CONTROL_ERROR);
    if (state == DOMAIN_RUNNING && guest->state == DOMAIN_PAUSED)
        attempts_post_event(guest, trouble(10) ? EVENT_PANICKED : EVENT_RESUMED);
    guest->state = state;
    guest->starting_up = false;
    attempts_post_event(guest, EVENT_CHANGED);
    lanes_retry();
}

static void guest_does(uint64_t delay, SimDomain *guest, WorldFunc what);

static void
reboot(SimDomain *guest)
{
    say("   %s restarts", guest->name);
    guest->booted_at = guest->rebooted_at = world_now();
    attempts_post_event(guest, EVENT_REBOOTED);
}

/* The guest is as it was when this was put off: else it is another run's business. */
static bool
is_its_turn(SimDomain *guest, unsigned run, WorldFunc what)
{
    if (guest->run != run)
        return false;
    if (guest->frozen)
        guest_does(SEC, guest, what);
    return !guest->frozen;
}

static void
go_down(void *data, unsigned run)
{
    SimDomain *guest = data;

    if (!is_its_turn(guest, run, go_down))
        return;
    if (guest_is_up(guest) && (percent(30) || guest->restarts_on_poweroff)) {
        change_state(guest, DOMAIN_SHUTDOWN);
        guest_does(between(0, SEC), guest, go_down);
    } else if (guest->state == DOMAIN_SHUTDOWN && guest->restarts_on_poweroff) {
        change_state(guest, DOMAIN_RUNNING);
        reboot(guest);
    } else if (guest_is_up(guest) || guest->state == DOMAIN_SHUTDOWN) {
        change_state(guest, DOMAIN_SHUTOFF);
    }
}

static void
crash(void *data, unsigned run)
{
    SimDomain *guest = data;

    if (is_its_turn(guest, run, crash) && guest_is_up(guest))
        change_state(guest, DOMAIN_CRASHED);
}

static void
wake(void *data, unsigned run)
{
    SimDomain *guest = data;

    if (is_its_turn(guest, run, wake) && guest->state == DOMAIN_PMSUSPENDED && !guest->stuck)
        change_state(guest, DOMAIN_RUNNING);
}

static void
restart(void *data, unsigned run)
{
    SimDomain *guest = data;

    if (is_its_turn(guest, run, restart) && guest_is_up(guest))
        reboot(guest);
}

static void
finish_start(void *data, unsigned run)
{
    SimDomain *guest = data;

    if (is_its_turn(guest, run, finish_start) && guest->starting_up)
        change_state(guest, DOMAIN_RUNNING);
}

static void
end_of_itself(void *data, unsigned run)
{
    SimDomain *guest = data;

    if (is_its_turn(guest, run, end_of_itself))
        change_state(guest, DOMAIN_SHUTOFF);
}

static void
thaw(void *data, unsigned run)
{
    SimDomain *guest = data;

    if (guest->run != run || !guest->frozen)
        return;
    say("%s thaws", guest->name);
    guest->frozen = false;
    lanes_retry();
}

static void
guest_does(uint64_t delay, SimDomain *guest, WorldFunc what)
{
    world_after(delay, what, guest, guest->run);
}

/* --- calls that change -------------------------------------------------------------------- */

static bool
refuse(Error **error, ErrorKind kind, const char *words)
{
    *error = error_new(kind, "%s", words);
    (*error)->libvirt_code = 1;
    return false;
}

/* False: the request fails, or hangs. */
static bool
hears(Hypervisor *h, const SimDomain *guest, bool by_agent, bool *loses)
{
    bool hangs = by_agent ? guest->agent == AGENT_HANGS : guest->kind == GUEST_HANGS;

    *loses = !by_agent && guest->booted_at > 0 && world_now() < guest->booted_at + guest->deaf;
    h->hangs = guest_is_up(guest) && hangs && !world_is_healed();
    return guest_is_up(guest) && !h->hangs && guest->kind != GUEST_REFUSES &&
           (!by_agent || guest->agent == AGENT_ANSWERS);
}

static bool
ask_to_go_down(Hypervisor *h, SimDomain *guest, bool by_agent)
{
    bool loses;

    if (!hears(h, guest, by_agent, &loses))
        return false;
    if (loses)
        return true;
    if (guest->kind == GUEST_OBEYS || (world_is_healed() && guest->kind == GUEST_LATE))
        guest_does(between(50 * MSEC, 3 * SEC), guest, go_down);
    else if (guest->kind == GUEST_LATE)
        guest_does(between(8 * SEC, 15 * SEC), guest, go_down);
    else if (guest->kind == GUEST_CRASHES)
        guest_does(between(50 * MSEC, 3 * SEC), guest, crash);
    return true;
}

static bool
ask_to_restart(Hypervisor *h, SimDomain *guest, bool by_agent)
{
    bool loses;

    if (!hears(h, guest, by_agent, &loses))
        return false;
    if (guests.reboot_in_call)
        reboot(guest);
    else if (!loses && (guest->kind == GUEST_OBEYS || guest->kind == GUEST_LATE))
        guest_does(between(50 * MSEC, 12 * SEC), guest, restart);
    return true;
}

/* A daemon that is still connecting to the guest notices its end before the call that caused it
 * does, and tells the caller that there was nothing to do. */
static bool
destroy(SimDomain *guest)
{
    uint64_t since = daemon_since();
    bool connecting =
        world_now() < since + DAEMON_CONNECTING && guest->left_at[DOMAIN_SHUTOFF] < since;

    if (guest->state == DOMAIN_SHUTOFF)
        return false;
    change_state(guest, DOMAIN_SHUTOFF);
    return !connecting;
}

static bool
wake_up(SimDomain *guest)
{
    if (guest->state != DOMAIN_PMSUSPENDED)
        return false;
    if (guest->kind != GUEST_IGNORES && !guest->stuck)
        guest_does(between(0, 3 * SEC), guest, wake);
    return true;
}

static bool
reset(SimDomain *guest)
{
    if (guest->state == DOMAIN_SHUTOFF)
        return false;
    if (guest->ends_on_reboot) {
        guest_does(100 * MSEC, guest, end_of_itself);
        return true;
    }
    guest->stuck |= guest->state == DOMAIN_PMSUSPENDED;
    if (guest->state == DOMAIN_CRASHED)
        change_state(guest, DOMAIN_PAUSED);
    reboot(guest);
    return true;
}

static bool
move_to(SimDomain *guest, bool possible, DomainState state)
{
    if (possible)
        change_state(guest, state);
    return possible;
}

static bool
carry_out(Hypervisor *h, SimDomain *guest, DomainVerb verb)
{
    switch (verb) {
    case VERB_CREATE:
        return move_to(guest, guest->state == DOMAIN_SHUTOFF, DOMAIN_RUNNING);
    case VERB_CREATE_PAUSED:
        return move_to(guest, guest->state == DOMAIN_SHUTOFF, DOMAIN_PAUSED);
    case VERB_RESUME:
        return move_to(guest, guest->state == DOMAIN_PAUSED && !guest->starting_up, DOMAIN_RUNNING);
    case VERB_SUSPEND:
        return move_to(guest, guest_is_up(guest), DOMAIN_PAUSED);
    case VERB_WAKEUP:
        return wake_up(guest);
    case VERB_SHUTDOWN_AGENT:
    case VERB_SHUTDOWN_ACPI:
        return ask_to_go_down(h, guest, verb == VERB_SHUTDOWN_AGENT);
    case VERB_DESTROY:
        return destroy(guest);
    case VERB_REBOOT_AGENT:
    case VERB_REBOOT_ACPI:
        return ask_to_restart(h, guest, verb == VERB_REBOOT_AGENT);
    case VERB_RESET:
        return reset(guest);
    default:
        fault("A long call is made as a short one");
        return false;
    }
}

bool
hypervisor_do(Hypervisor *h, const char *uuid, DomainVerb verb, Error **error)
{
    SimDomain *guest = guests_find(uuid);

    REQUIRE(h->call->gate == GATE_PASSED, "A call is carried out behind a closed gate");
    checks_call_carried_out(h->call, verb);
    if (!guest->exists)
        return refuse(error, ERROR_NO_SUCH_DOMAIN, "Domain not found");
    if (trouble(2) || !carry_out(h, guest, verb))
        return refuse(error, ERROR_OPERATION_FAILED, "libvirt's words");
    return true;
}

/* --- saving ------------------------------------------------------------------------------- */

void
guests_begin_save(const char *uuid)
{
    SimDomain *guest = guests_find(uuid);

    if (!guest->exists || guest->state == DOMAIN_SHUTOFF || guest->saving)
        return;
    guest->saving = true;
}

/* Made when the save that guests_begin_save() began is over. */
bool
hypervisor_do_long(Hypervisor *h, const char *uuid, DomainVerb verb,
                   const OperationPayload *payload, Error **error)
{
    SimDomain *guest = guests_find(uuid);
    bool saves = guest->saving;

    guest->saving = false;
    if (!guest->exists)
        return refuse(error, ERROR_NO_SUCH_DOMAIN, "Domain not found");
    if (!saves || trouble(2))
        return refuse(error, ERROR_OPERATION_FAILED, "operation aborted");
    guest->has_managed_save = guest->persistent;
    change_state(guest, DOMAIN_SHUTOFF);
    return true;
}

bool
hypervisor_abort(Hypervisor *h, const char *uuid, Error **error)
{
    SimDomain *guest = guests_find(uuid);

    if (!guest->saving)
        return refuse(error, ERROR_INVALID_STATE, "no job is active");
    if (trouble(10))
        return refuse(error, ERROR_OPERATION_FAILED, "cannot abort");
    guest->saving = false;
    lanes_retry();
    return true;
}

bool
hypervisor_get_progress(Hypervisor *h, const char *uuid, double *ret, Error **error)
{
    const SimDomain *guest = guests_find(uuid);

    if (!guest->exists || guest->state == DOMAIN_SHUTOFF)
        return refuse(error, ERROR_INVALID_STATE, "Domain is not running");
    *ret = guest->saving ? below(100) / 100.0 : -1;
    return true;
}

bool
hypervisor_find_job(Hypervisor *h, const char *uuid, FoundJob *ret, Error **error)
{
    *ret = (FoundJob){.kind = guests_find(uuid)->saving ? OPERATION_SAVE : _OPERATION_MAX};
    return hypervisor_get_progress(h, uuid, &ret->progress, error);
}

bool
hypervisor_probe(Hypervisor *h, const char *uuid, DomainVerb verb, const OperationPayload *payload,
                 bool was_active, ProbeAnswer *ret, Error **error)
{
    const SimDomain *guest = guests_find(uuid);

    *ret = guest->saving             ? PROBE_UNDER_WAY
           : guest->has_managed_save ? PROBE_CARRIED_OUT
                                     : PROBE_NOT_CARRIED_OUT;
    return true;
}

/* --- calls that read ---------------------------------------------------------------------- */

static void
read_state(const SimDomain *guest, DomainUpdate *update)
{
    update->name = g_strdup(guest->name);
    update->state = guest->state;
    update->reason = guest->starting_up ? "starting-up" : "unknown";
    update->id = guest->id;
    update->known |= FACT_STATE;
}

static void
read_flags(const SimDomain *guest, DomainUpdate *update)
{
    update->persistent = guest->persistent;
    update->autostart = guest->autostart;
    update->has_managed_save = guest->has_managed_save;
    update->known |= FACT_FLAGS;
}

GPtrArray *
hypervisor_list(Hypervisor *h, Error **error)
{
    GPtrArray *list =
        g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))domain_update_free);

    for (unsigned i = 0; i < guests.n; i++) {
        DomainUpdate *update;

        h->read |= guests.freeze_states ? 1U << i : 0;
        if (!guests.all[i].exists)
            continue;
        update = domain_update_new(guests.all[i].uuid);
        read_state(&guests.all[i], update);
        read_flags(&guests.all[i], update);
        g_ptr_array_add(list, update);
    }
    return list;
}

GPtrArray *
hypervisor_read_states(Hypervisor *h, const char *const *uuids, Error **error)
{
    GPtrArray *states;

    if (trouble(1)) {
        refuse(error, ERROR_OPERATION_FAILED, "reading failed");
        return NULL;
    }
    states = g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))domain_update_free);
    for (; *uuids; uuids++) {
        SimDomain *guest = guests_find(*uuids);

        h->read |= guests.freeze_states ? 1U << guest->number : 0;
        guest->read_at = world_now();
        if (!guest->exists)
            continue;
        g_ptr_array_add(states, domain_update_new(guest->uuid));
        read_state(guest, g_ptr_array_index(states, states->len - 1));
    }
    return states;
}

bool
hypervisor_read_facts(Hypervisor *h, DomainFacts facts, DomainUpdate *update, Error **error)
{
    const SimDomain *guest = guests_find(update->uuid);

    h->read |= guests.freeze_states || (facts & FACT_XML) ? 1U << guest->number : 0;
    if (!guest->exists)
        return refuse(error, ERROR_NO_SUCH_DOMAIN, "Domain not found");
    if (facts & FACT_FLAGS)
        read_flags(guest, update);
    if (facts & FACT_XML) {
        update->title = g_strdup_printf("%u", guest->title);
        update->is_active = guest->id >= 0;
        update->config.agent_connected = guest->agent != AGENT_NONE;
        update->config.on_poweroff =
            guest->restarts_on_poweroff ? LIFECYCLE_RESTART : LIFECYCLE_DESTROY;
        update->config.on_reboot = guest->ends_on_reboot ? LIFECYCLE_DESTROY : LIFECYCLE_RESTART;
        disk_describe(guest, &update->config);
    }
    update->known = facts;
    return true;
}

bool
hypervisor_read_state_in_turn(Hypervisor *h, const char *uuid, DomainState *ret, Error **error)
{
    const SimDomain *guest = guests_find(uuid);

    h->read |= 1U << guest->number;
    if (!guest->exists)
        return refuse(error, ERROR_NO_SUCH_DOMAIN, "Domain not found");
    *ret = guest->state;
    return true;
}

bool
hypervisor_is_alive(Hypervisor *h)
{
    return daemon_is(h->daemon);
}

/* --- what others do ----------------------------------------------------------------------- */

static bool
can_become(const SimDomain *guest, DomainState state)
{
    if (state == DOMAIN_SHUTOFF)
        return guest->state != DOMAIN_SHUTOFF;
    if (state == DOMAIN_RUNNING)
        return guest->state == DOMAIN_PAUSED || guest->state == DOMAIN_PMSUSPENDED ||
               guest->state == DOMAIN_SHUTOFF;
    return guest_is_up(guest);
}

static void
edit(SimDomain *guest)
{
    say("somebody else edits %s", guest->name);
    if (percent(50)) {
        guest->autostart = !guest->autostart; /* libvirt has no event for it */
        return;
    }
    guest->title++;
    attempts_post_event(guest, EVENT_CHANGED);
}

/* A transient domain is created again. */
static void
come_again(SimDomain *guest)
{
    say("somebody else:");
    guest->exists = true;
    change_state(guest, DOMAIN_RUNNING);
}

static void
change_by_others(SimDomain *guest, DomainState state)
{
    say("somebody else:");
    if (guest->state != DOMAIN_SHUTOFF || state != DOMAIN_RUNNING || !guest->starts_slowly) {
        change_state(guest, state);
        return;
    }
    change_state(guest, DOMAIN_PAUSED);
    guest->starting_up = true;
    guest_does(between(0, 20 * SEC), guest, finish_start);
}

static void
finish_save(void *data, unsigned run)
{
    SimDomain *guest = data;

    if (!is_its_turn(guest, run, finish_save) || !guest->saving)
        return;
    guest->has_managed_save = guest->persistent;
    change_state(guest, DOMAIN_SHUTOFF);
}

void
guests_meddle(void)
{
    static const DomainState states[] = {DOMAIN_RUNNING, DOMAIN_PAUSED,  DOMAIN_SHUTOFF,
                                         DOMAIN_CRASHED, DOMAIN_RUNNING, DOMAIN_PMSUSPENDED,
                                         DOMAIN_SHUTOFF};
    SimDomain *guest = &guests.all[below(guests.n)];
    DomainState state = states[below(G_N_ELEMENTS(states))];

    if (daemon_state() != DAEMON_UP || guest->frozen || guest->saving)
        return;
    if (!guest->exists) {
        come_again(guest);
    } else if (disk_exists(guest) && percent(30)) {
        disk_meddle(guest);
    } else if (percent(20)) {
        edit(guest);
    } else if (guest_is_up(guest) && percent(10)) {
        say("somebody else saves %s", guest->name);
        guest->saving = true;
        guest_does(between(0, 60 * SEC), guest, finish_save);
    } else if (can_become(guest, state)) {
        change_by_others(guest, state);
    }
}

void
guests_freeze_one(void)
{
    SimDomain *guest = &guests.all[below(guests.n)];

    if (guest->state == DOMAIN_SHUTOFF || guest->frozen)
        return;
    say("%s is frozen", guest->name);
    guest->frozen = true;
    guest_does(between(SEC, 40 * SEC), guest, thaw);
}

void
guests_daemon_died(void)
{
    for (unsigned i = 0; i < guests.n; i++)
        guests.all[i].saving = false;
}

void
guests_heal(void)
{
    for (unsigned i = 0; i < guests.n; i++) {
        guests.all[i].frozen = false;
        if (guests.all[i].state == DOMAIN_PMSUSPENDED)
            guest_does(SEC, &guests.all[i], wake);
    }
    disks_heal();
}
