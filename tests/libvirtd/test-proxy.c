/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The traffic between the service and libvirtd is cut, truncated, lost, garbled, delayed or frozen
 * at a random byte of either direction, in the middle of a connect, of a listing, of events and of
 * changes. After each round: every call was answered once and in time, a change that was not done
 * was not done, no job is left, and what was signalled is what libvirt says. See rounds.h for how
 * to repeat one.
 */

#include "libvirtd.h"
#include "proxy.h"
#include "rounds.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <signal.h>
#include <string.h>

#define SOCKET         "/run/libvirt/libvirt-sock"
#define DOMAINS        2
#define ANSWER_MS      21000
#define LEAK_CHECK     200
#define GROWTH_KIB     (16 * 1024)
#define FIRST_SEED     1
#define WARM_UP_ROUNDS 10

static const char *const uuids[DOMAINS] = {"11111111-1111-4111-8111-111111111111",
                                           "22222222-2222-4222-8222-222222222222"};

typedef struct Verb {
    const char *name;
    int before, after;
} Verb;

static const Verb verbs[] = {
    {"Start", VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_RUNNING},
    {"Stop", VIR_DOMAIN_RUNNING, VIR_DOMAIN_SHUTOFF},
    {"ForceStop", VIR_DOMAIN_RUNNING, VIR_DOMAIN_SHUTOFF},
    {"Pause", VIR_DOMAIN_RUNNING, VIR_DOMAIN_PAUSED},
    {"Resume", VIR_DOMAIN_PAUSED, VIR_DOMAIN_RUNNING},
};

typedef struct Driver {
    const char *uri, *type;
    const char *stop_timeout; /* QEMU's machines here have nothing in them that obeys */
    guint rounds, seconds;    /* unless rounds.h is asked for others */
    guint slowness;           /* a change takes so many times as long as an embedded one */
} Driver;

static const Driver embedded = {"test+unix:///default", "test", "--stop-timeout=5", 2000, 75, 1};
static const Driver qemu = {"qemu+unix:///system", "qemu", "--stop-timeout=1", 200, 40, 5};

typedef struct Bench {
    const Driver *driver;
    World *world;
    Proxy *proxy;
    Client *client, *other;
    Mirror *mirror;
    Rounds rounds;
    virConnectPtr libvirt; /* past the proxy */
    char *paths[DOMAINS];
    guint fired[_FAULT_MAX];
    guint crashes;         /* of libvirtd itself, after which it was started again */
    guint earlier_crashes; /* those before this bench */
} Bench;

static void
silence(void *userdata, virErrorPtr error)
{
}

/* --- libvirt, as it is ---------------------------------------------------------------------- */

static void
connect_directly(Bench *b)
{
    g_autofree char *direct = g_strdup_printf("%s?socket=%s", b->driver->uri, SOCKET);

    b->libvirt = virConnectOpen(direct);
    g_assert_nonnull(b->libvirt);
}

static bool
has_crashed(const Bench *b)
{
    return libvirtd_crashes() > b->earlier_crashes + b->crashes;
}

static virDomainPtr domain(Bench *b, guint i);

/* libvirtd may not survive what is done to its clients. The embedded hypervisor comes back without
 * our domains. */
static bool
revive_libvirtd(Bench *b)
{
    if (!has_crashed(b))
        return false;
    virConnectClose(b->libvirt);
    libvirtd(b->world, "start");
    connect_directly(b);
    b->crashes++;
    for (guint i = 0; i < DOMAINS; i++)
        virDomainFree(domain(b, i));
    return true;
}

/* A call of ours failed: libvirtd has to be the reason, which may take a moment to be seen. */
static void
expect_crash(Bench *b)
{
    g_autofree char *message = g_strdup(virGetLastErrorMessage());

    g_test_message("libvirt: %s", message);
    wait_for(b->world, has_crashed(b));
    revive_libvirtd(b);
}

static virDomainPtr
domain(Bench *b, guint i)
{
    g_autofree char *xml = g_strdup_printf("<domain type='%s'><name>machine %u</name>"
                                           "<uuid>%s</uuid><memory unit='MiB'>16</memory>"
                                           "<os><type>hvm</type></os></domain>",
                                           b->driver->type, i, uuids[i]);

    for (;;) {
        virDomainPtr d = virDomainLookupByUUIDString(b->libvirt, uuids[i]);

        if (!d)
            d = virDomainDefineXML(b->libvirt, xml);
        if (d)
            return d;
        expect_crash(b);
    }
}

static int
state(Bench *b, guint i)
{
    for (;;) {
        virDomainPtr d = domain(b, i);
        int is = -1;
        int r = virDomainGetState(d, &is, NULL, 0);

        virDomainFree(d);
        if (r == 0)
            return is;
        expect_crash(b);
    }
}

/* One step towards the state; 0 or -1, as libvirt says. */
static int
change_state(virDomainPtr d, int is, int wanted)
{
    if (is == VIR_DOMAIN_PAUSED && wanted == VIR_DOMAIN_RUNNING)
        return virDomainResume(d);
    if (is == VIR_DOMAIN_SHUTOFF)
        return virDomainCreate(d);
    return wanted == VIR_DOMAIN_SHUTOFF ? virDomainDestroy(d) : virDomainSuspend(d);
}

/* libvirt may still be carrying out what was asked for over a connection that is gone, and QEMU's
 * domains go through other states meanwhile. This question, which comes to nothing, waits for it.
 */
static void
await_changes(Bench *b, guint i)
{
    virDomainPtr d = domain(b, i);
    virDomainBlockInfo info;

    (void)virDomainGetBlockInfo(d, "none", &info, 0);
    virDomainFree(d);
}

/* A call that comes late changes the state between our look and our call, which is refused then. */
static void
set_state(Bench *b, guint i, int wanted)
{
    int before = -1;

    await_changes(b, i);
    for (int is = state(b, i); is != wanted; is = state(b, i)) {
        virDomainPtr d = domain(b, i);
        int r = change_state(d, is, wanted);

        virDomainFree(d);
        if (r < 0 && is == before)
            expect_crash(b);
        before = r < 0 ? is : -1;
    }
}

static const char *
state_text(int is)
{
    static const char *const texts[] = {"nostate",  "running", "idle",    "paused",
                                        "shutdown", "shutoff", "crashed", "pmsuspended"};

    g_assert_cmpuint((guint)is, <, G_N_ELEMENTS(texts));
    return texts[is];
}

static bool
mirror_is_right(Bench *b)
{
    for (guint i = 0; i < DOMAINS; i++)
        if (!mirror_is(b->mirror, b->paths[i], "State", state_text(state(b, i))))
            return false;
    return true;
}

/* --- a round ---------------------------------------------------------------------------------- */

typedef struct Round {
    Fault fault;
    bool reconnects;
    bool moves; /* libvirt has news of its own */
    const Verb *verb;
    guint patience_ms;
    guint crashes; /* of libvirtd, before */
    GPtrArray *calls;
    Call *change;
} Round;

static bool
is_manager(Bench *b, const char *property, const char *value)
{
    return g_strcmp0(mirror_get(b->mirror, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, property),
                     value) == 0;
}

static void
plan(Bench *b, Round *round)
{
    Rounds *r = &b->rounds;
    Fault *f = &round->fault;

    f->kind = (FaultKind)(1 + pick(r, _FAULT_MAX - 1));
    f->direction = one_in(r, 2) ? TO_LIBVIRT : TO_SERVICE;
    /* As often among the first bytes as far away. */
    f->at = pick(r, 1U << (2 + pick(r, 11)));
    f->pattern = (guint8)(1 + pick(r, 255));
    f->amount = f->kind == FAULT_DELAY ? 1 + pick(r, 60) : 1 + pick(r, 1U << pick(r, 8));
    round->reconnects = one_in(r, 3);
    round->moves = one_in(r, 3);
    round->verb = &verbs[pick(r, G_N_ELEMENTS(verbs))];
    round->crashes = b->crashes;
    round->patience_ms = one_in(r, 500) ? ANSWER_MS : (20 + pick(r, 200)) * b->driver->slowness;
    g_test_message("seed %u: %s to %s at %" G_GUINT64_FORMAT ", %u; %s%s%s; %u ms", r->seed,
                   fault_name(f->kind), f->direction == TO_LIBVIRT ? "libvirt" : "the service",
                   f->at, f->amount, round->verb->name, round->reconnects ? ", Reconnect" : "",
                   round->moves ? ", news" : "", round->patience_ms);
}

static void
prepare(Bench *b, const Round *round)
{
    set_state(b, 0, round->verb->before);
    set_state(b, 1, one_in(&b->rounds, 2) ? VIR_DOMAIN_RUNNING : VIR_DOMAIN_SHUTOFF);
    wait_for(b->world, mirror_is_right(b) && is_manager(b, "Available", "true"));
}

static void
ask(Round *round, Client *c, const char *path, const char *interface, const char *member)
{
    bool options = g_str_equal(member, "GetXml");

    g_ptr_array_add(round->calls,
                    client_send(c, path, interface, member, options ? "a{sv}" : NULL, 0));
}

static void
begin(Bench *b, Round *round)
{
    round->calls = g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))call_free);
    proxy_arm(b->proxy, &round->fault);
    if (round->reconnects)
        ask(round, b->other, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "Reconnect");
    if (round->moves)
        set_state(b, 1,
                  state(b, 1) == VIR_DOMAIN_RUNNING ? VIR_DOMAIN_SHUTOFF : VIR_DOMAIN_RUNNING);
    ask(round, b->client, b->paths[0], VMS_DOMAIN_INTERFACE, round->verb->name);
    round->change = round->calls->pdata[round->calls->len - 1];
    if (one_in(&b->rounds, 2))
        ask(round, b->other, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "ListDomains");
    if (one_in(&b->rounds, 2))
        ask(round, b->other, b->paths[1], VMS_DOMAIN_INTERFACE, "GetXml");
}

static bool
all_done(const Round *round)
{
    for (guint i = 0; i < round->calls->len; i++)
        if (!((Call *)round->calls->pdata[i])->done)
            return false;
    return true;
}

static bool
is_error(const Call *call, const char *name)
{
    return call->error_name && g_str_has_prefix(call->error_name, VMS_ERROR_PREFIX) &&
           g_str_equal(call->error_name + strlen(VMS_ERROR_PREFIX), name);
}

/* A loss that the service has not noticed yet is noticed by a question; one more may be refused
 * while an attempt that stood still comes to its end. */
static void
settle(Bench *b)
{
    gint64 deadline = g_get_monotonic_time() + BOUND_MS * G_GINT64_CONSTANT(1000);

    for (;;) {
        g_autoptr(Call) list =
            client_call(b->client, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "ListDomains", NULL);
        call_wait(list);
        if (!list->error_name)
            break;
        if (revive_libvirtd(b))
            continue;
        if (!is_error(list, "NotAvailable") || g_get_monotonic_time() > deadline)
            g_error("%s: %s: %s", list->what, list->error_name, list->error_message);
        gint64 again = g_get_monotonic_time() + 20000;
        while (world_turn(b->world, again))
            continue;
    }
}

static void
wait_answers(Bench *b, Round *round)
{
    gint64 deadline = g_get_monotonic_time() + round->patience_ms * G_GINT64_CONSTANT(1000);

    while (!all_done(round) && world_turn(b->world, deadline))
        continue;
    b->fired[round->fault.kind] += proxy_fired(b->proxy);
    proxy_heal(b->proxy);
    /* After some losses in a row the service takes its time, unless somebody asks. */
    settle(b);
    wait_for(b->world, all_done(round));
}

static void
check_answer(const Bench *b, const Round *round, const Call *call)
{
    if (call_duration_ms(call) > ANSWER_MS)
        g_error("%s was answered after %" G_GINT64_FORMAT " ms", call->what,
                call_duration_ms(call));
    if (!call->error_name || is_error(call, "NotAvailable") || is_error(call, "Timeout") ||
        is_error(call, "OperationFailed") || is_error(call, "StillRunning"))
        return;
    /* Garbled, a question may be another, and an answer too. */
    if (round->fault.kind == FAULT_GARBLE || round->fault.kind == FAULT_SWALLOW)
        return;
    /* The domain was gone for a moment, and is shut off since. */
    if (round->crashes != b->crashes)
        return;
    g_error("%s: %s: %s", call->what, call->error_name, call->error_message);
}

static bool
has_jobs(Bench *b)
{
    for (guint i = 0; i < DOMAINS; i++)
        if (!mirror_is(b->mirror, b->paths[i], "Job", "/"))
            return true;
    return false;
}

static void
check_effect(Bench *b, const Round *round)
{
    const Call *change = round->change;

    await_changes(b, 0);

    int now = state(b, 0);
    if (round->fault.kind == FAULT_GARBLE || round->fault.kind == FAULT_SWALLOW ||
        round->crashes != b->crashes)
        return;
    if (!change->error_name && now != round->verb->after)
        g_error("%s says it is done, and the domain is %s", change->what, state_text(now));
    if (is_error(change, "NotAvailable") && now != round->verb->before)
        g_error("%s: %s, and the domain is %s", change->what, change->error_message,
                state_text(now));
    if (now != round->verb->before && now != round->verb->after)
        g_error("%s: the domain is %s", change->what, state_text(now));
}

/* The start of a run whose state was seen before libvirt's event for it came. */
static bool
is_late_start(const Signal *s)
{
    return g_str_has_prefix(s->body, VMS_DOMAIN_INTERFACE " {\"StartedAt\": <") &&
           !strchr(s->body, ',');
}

static void
check_list(Bench *b)
{
    guint64 mark = mirror_mark(b->mirror);
    g_autoptr(Call) list =
        client_call(b->client, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "ListDomains", NULL);

    if (list->error_name && revive_libvirtd(b))
        return;
    assert_ok(list);
    for (guint i = 0; i < DOMAINS; i++)
        g_assert_nonnull(strstr(list->body, uuids[i]));
    const Signal *news = mirror_find(b->mirror, mark, NULL, NULL);
    while (news && is_late_start(news))
        news = mirror_find(b->mirror, news->sequence, NULL, NULL);
    if (news)
        g_error("ListDomains told news: %s of %s: %s", news->member, news->path, news->body);
    mirror_check(b->mirror);
}

static void
go_round(Bench *b)
{
    Round round = {0};
    gint64 started = g_get_monotonic_time();

    plan(b, &round);
    prepare(b, &round);
    begin(b, &round);
    wait_answers(b, &round);
    for (guint i = 0; i < round.calls->len; i++)
        check_answer(b, &round, round.calls->pdata[i]);
    settle(b);
    wait_for(b->world, is_manager(b, "Available", "true") && !has_jobs(b));
    check_effect(b, &round);
    wait_for(b->world, mirror_is_right(b));
    settle(b); /* the end of a job is several signals */
    if (round.crashes == b->crashes)
        check_list(b);
    g_test_message("seed %u: %" G_GINT64_FORMAT " ms", b->rounds.seed,
                   (g_get_monotonic_time() - started) / 1000);
    g_ptr_array_unref(round.calls);
}

static void
bench_init(Bench *b, const Driver *driver)
{
    virSetErrorFunc(NULL, silence);
    (void)signal(SIGPIPE, SIG_IGN);
    b->driver = driver;
    b->earlier_crashes = libvirtd_crashes();
    connect_directly(b);
    for (guint i = 0; i < DOMAINS; i++) {
        virDomainFree(domain(b, i));
        b->paths[i] = domain_path(uuids[i]);
    }
    b->world = world_new();
    b->proxy = proxy_new(b->world, SOCKET);
    g_autofree char *option =
        g_strdup_printf("--uri=%s?socket=%s", driver->uri, proxy_path(b->proxy));
    world_start(b->world, option, driver->stop_timeout, NULL);
    b->client = client_new(b->world);
    b->other = client_new(b->world);
    client_wait_available(b->client, true);
    b->mirror = mirror_new(b->client);
}

static void
bench_clear(Bench *b)
{
    mirror_check(b->mirror);
    mirror_free(b->mirror);
    client_free(b->client);
    client_free(b->other);
    world_stop(b->world);
    proxy_free(b->proxy);
    world_free(b->world);
    for (guint i = 0; i < DOMAINS; i++) {
        set_state(b, i, VIR_DOMAIN_SHUTOFF);
        g_free(b->paths[i]);
    }
    rounds_clear(&b->rounds);
    virConnectClose(b->libvirt);
}

static void
say_how_often(const Bench *b)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 1; i < _FAULT_MAX; i++)
        g_string_append_printf(text, ", %s %u", fault_name((FaultKind)i), b->fired[i]);
    if (b->crashes)
        g_string_append_printf(text, "; libvirtd itself crashed %u times", b->crashes);
    g_print("# %u rounds; the byte was reached: %s\n", b->rounds.done, text->str + 2);
}

/* libvirt keeps a descriptor of an open in the midst of which the daemon dies: all that we opened
 * was closed then. */
static void
check_holdings(Bench *b, const Holdings *before)
{
    Holdings allowed = *before;

    allowed.descriptors += b->crashes;
    assert_no_more(b->world, &allowed, GROWTH_KIB);
}

static void
test_driver(const void *driver)
{
    Bench b = {0};
    Holdings before = {0};

    bench_init(&b, driver);
    rounds_init(&b.rounds, FIRST_SEED, b.driver->rounds, b.driver->seconds);
    while (rounds_next(&b.rounds)) {
        go_round(&b);
        if (b.rounds.done == WARM_UP_ROUNDS)
            before = holdings_of(b.world);
        else if (b.rounds.done % LEAK_CHECK == 0)
            check_holdings(&b, &before);
    }
    if (b.rounds.done > WARM_UP_ROUNDS)
        check_holdings(&b, &before);
    say_how_often(&b);
    bench_clear(&b);
}

/* Each violation once, with the moment at which it was seen first. */
static void
test_kept_seeds(void)
{
    static const guint seeds[] = {
        795402359, /* the close callback stays, as libvirt could not ask libvirtd to take it back */
    };
    Bench b = {0};

    bench_init(&b, &embedded);
    for (guint i = 0; i < G_N_ELEMENTS(seeds); i++) {
        rounds_init(&b.rounds, seeds[i], 1, embedded.seconds);
        while (rounds_next(&b.rounds))
            go_round(&b);
        rounds_clear(&b.rounds);
        b.rounds.rand = NULL;
    }
    bench_clear(&b);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    libvirtd_need();
    if (!g_getenv("VMS_SEED"))
        g_test_add_func("/libvirtd/proxy/kept-seeds", test_kept_seeds);
    g_test_add_data_func("/libvirtd/proxy/embedded", &embedded, test_driver);
    g_test_add_data_func("/libvirtd/proxy/qemu", &qemu, test_driver);
    return g_test_run();
}
