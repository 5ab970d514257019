/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Several clients and virsh do random things to machines of a real libvirtd, which is stopped,
 * killed, frozen or restarted meanwhile. After each round every call was answered once and in time,
 * the signals, GetManagedObjects and virsh agree, no job is left, and nothing has leaked. See
 * rounds.h for how to do a round again: its choices are the same, the timing is the machine's.
 */

#include "libvirtd.h"
#include "rounds.h"

#include <string.h>

#define MACHINES       4
#define CLIENTS        3
#define ANSWER_MS      21000
#define SHORT_ROUNDS   12
#define SHORT_SECONDS  60
#define WARM_UP_ROUNDS 2
#define GROWTH_KIB     (16 * 1024)

typedef struct Chaos {
    Service *s;
    Rounds rounds;
    Client *clients[CLIENTS];
    char *paths[MACHINES];
    GPtrArray *calls;
    guint answered, refused;
} Chaos;

static const char *const verbs[] = {"Start",     "Stop",  "Pause", "Resume",
                                    "ForceStop", "Reset", "Reboot"};
static const char *const commands[] = {"start",    "destroy", "suspend", "resume",
                                       "shutdown", "reset",   "dominfo", "autostart"};
static void
send_something(Chaos *c)
{
    Client *client = c->clients[pick(&c->rounds, CLIENTS)];
    const char *path = c->paths[pick(&c->rounds, MACHINES)];
    Call *call;

    switch (pick(&c->rounds, 8)) {
    case 0:
        call = client_send(client, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "ListDomains", NULL);
        break;
    case 1:
        call = client_send(client, path, VMS_DOMAIN_INTERFACE, "GetXml", "a{sv}", 0);
        break;
    case 2:
        call = one_in(&c->rounds, 4)
                   ? client_send(client, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "Reconnect", NULL)
                   : client_send(client, path, VMS_DOMAIN_INTERFACE, "SetAutostart", "b",
                                 (int)pick(&c->rounds, 2));
        break;
    default:
        call = client_send(client, path, VMS_DOMAIN_INTERFACE,
                           verbs[pick(&c->rounds, G_N_ELEMENTS(verbs))], NULL);
        break;
    }
    g_ptr_array_add(c->calls, call);
}

/* Most commands of virsh may fail here. */
static char *
script_of_virsh(Chaos *c)
{
    g_autoptr(GString) script = g_string_new(NULL);

    for (guint i = 0; i < 6; i++)
        g_string_append_printf(script, "timeout 5 virsh -q %s chaos%u >/dev/null 2>&1 || true\n",
                               commands[pick(&c->rounds, G_N_ELEMENTS(commands))],
                               pick(&c->rounds, MACHINES));
    return g_string_free(g_steal_pointer(&script), FALSE);
}

static char *
script_of_interruption(Chaos *c)
{
    switch (pick(&c->rounds, 8)) {
    case 0:
        return g_strdup("libvirtd-ctl stop; sleep 0.3; libvirtd-ctl start");
    case 1:
    case 2:
        return g_strdup("libvirtd-ctl kill; sleep 0.2; libvirtd-ctl start");
    case 3:
    case 4:
        return g_strdup("libvirtd-ctl restart");
    case 5:
    case 6:
        return g_strdup("libvirtd-ctl freeze; sleep 0.5; libvirtd-ctl thaw");
    default:
        /* Longer than the keepalive has patience. */
        return g_strdup("libvirtd-ctl freeze; sleep 12; libvirtd-ctl thaw");
    }
}

static bool
has_ended(Process *p)
{
    return !process_is_alive(p);
}

static Process *
background(const char *script)
{
    const char *argv[] = {"bash", "-c", script, NULL};

    return process_spawn(argv, -1);
}

static void
turn_for(World *w, guint ms)
{
    gint64 deadline = g_get_monotonic_time() + ms * G_GINT64_CONSTANT(1000);

    while (world_turn(w, deadline))
        continue;
}

static void
rage(Chaos *c)
{
    World *w = c->s->world;
    g_autofree char *virsh_script = script_of_virsh(c);
    g_autofree char *interruption = script_of_interruption(c);
    g_autoptr(Process) virsh = background(virsh_script);
    g_autoptr(Process) fault = NULL;
    guint before = pick(&c->rounds, 12);

    g_test_message("seed %u: %s", c->rounds.seed, interruption);
    for (guint i = 0; i < 24; i++) {
        send_something(c);
        turn_for(w, 5 + pick(&c->rounds, 60));
        if (i == before)
            fault = background(interruption);
    }
    wait_for_ms(w, 120000, has_ended(fault) && has_ended(virsh));
    g_assert_cmpint(process_wait(fault, 1000), ==, 0);
}

static const char *const refusals[] = {
    "NotAvailable", "InvalidState",    "Busy", "Timeout", "Canceled",
    "StillRunning", "OperationFailed",
};

static void
check_answer(Chaos *c, Call *call)
{
    call_wait(call);
    c->answered++;
    if (call_duration_ms(call) > ANSWER_MS)
        g_error("%s was answered after %" G_GINT64_FORMAT " ms", call->what,
                call_duration_ms(call));
    if (!call->error_name)
        return;
    c->refused++;
    if (g_str_has_prefix(call->error_name, VMS_ERROR_PREFIX))
        for (guint i = 0; i < G_N_ELEMENTS(refusals); i++)
            if (g_str_equal(call->error_name + strlen(VMS_ERROR_PREFIX), refusals[i]))
                return;
    g_error("%s: %s: %s", call->what, call->error_name, call->error_message);
}

static bool
has_job(Chaos *c)
{
    for (guint i = 0; i < MACHINES; i++)
        if (!mirror_is(c->s->mirror, c->paths[i], "Job", "/"))
            return true;
    return false;
}

static bool
is_available(Chaos *c)
{
    return g_strcmp0(mirror_get(c->s->mirror, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "Available"),
                     "true") == 0;
}

/* Jobs that came since the mark, less those of which the end was told. */
static int
jobs_left(Chaos *c, guint64 mark)
{
    int left = -(int)mirror_count(c->s->mirror, mark, NULL, "JobRemoved");

    for (guint i = 0; i < c->s->mirror->signals->len; i++) {
        const Signal *signal = c->s->mirror->signals->pdata[i];

        if (signal->sequence > mark && g_str_equal(signal->member, "InterfacesAdded") &&
            strstr(signal->body, "org.unraid.Vms.Job\""))
            left++;
    }
    return left;
}

/* A Stop or Reboot that is under way ends when its time is up. */
static void
wait_until_settled(Chaos *c, guint64 mark)
{
    gint64 deadline = g_get_monotonic_time() + PATIENCE_MS * G_GINT64_CONSTANT(1000);

    while (!is_available(c) || has_job(c) || jobs_left(c, mark) > 0) {
        if (world_turn(c->s->world, deadline))
            continue;
        g_autoptr(Call) debug =
            client_call(c->s->client, VMS_ROOT_PATH, VMS_DEBUG_INTERFACE, "GetState", NULL);
        g_autofree char *report = shell(c->s->world, "libvirtd-ctl report 2>&1 || true");
        g_error("seed %u does not settle; available: %d, a domain has a job: %d, jobs left: %d\n"
                "%s\n%s",
                c->rounds.seed, is_available(c), has_job(c), jobs_left(c, mark), debug->body,
                report);
    }
}

static void
go_round(Chaos *c)
{
    guint64 mark = mirror_mark(c->s->mirror);

    c->calls = g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))call_free);
    gint64 started = g_get_monotonic_time();
    rage(c);
    gint64 raged = g_get_monotonic_time();
    for (guint i = 0; i < c->calls->len; i++)
        check_answer(c, c->calls->pdata[i]);
    g_test_message("%" G_GINT64_FORMAT " ms of chaos, %" G_GINT64_FORMAT " ms until all answered",
                   (raged - started) / 1000, (g_get_monotonic_time() - raged) / 1000);
    g_ptr_array_unref(c->calls);
    wait_until_settled(c, mark);
    g_assert_cmpint(jobs_left(c, mark), ==, 0);
    libvirtd_wait_idle(c->s->world);
    /* virsh sets autostart too, which has no event. */
    g_autoptr(Call) list = manager_call(c->s, "ListDomains", NULL);
    assert_ok(list);
    assert_equals_virsh(c->s);
}

static void
test_chaos(void)
{
    Chaos c = {0};
    Holdings before = {0};

    libvirtd_clean();
    c.s = service_new("--uri=qemu:///system", "--stop-timeout=2", NULL);
    for (guint i = 0; i < CLIENTS; i++)
        c.clients[i] = client_new(c.s->world);
    for (guint i = 0; i < MACHINES; i++) {
        g_autofree char *name = g_strdup_printf("chaos%u", i);
        guest_define(c.s->world, "", name, "bare");
        c.paths[i] = guest_path(c.s->world, name);
    }
    rounds_init(&c.rounds, 1, SHORT_ROUNDS, SHORT_SECONDS);
    while (rounds_next(&c.rounds)) {
        go_round(&c);
        if (c.rounds.done == WARM_UP_ROUNDS)
            before = holdings_of(c.s->world);
    }
    g_print("# %u rounds, %u calls answered, %u of them refused\n", c.rounds.done, c.answered,
            c.refused);
    if (c.rounds.done > WARM_UP_ROUNDS)
        assert_no_more(c.s->world, &before, GROWTH_KIB);
    for (guint i = 0; i < CLIENTS; i++)
        client_free(c.clients[i]);
    for (guint i = 0; i < MACHINES; i++)
        g_free(c.paths[i]);
    rounds_clear(&c.rounds);
    service_free(c.s);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    libvirtd_need();
    libvirtd_add_func("/libvirtd/chaos", test_chaos);
    return g_test_run();
}
