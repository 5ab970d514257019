/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Operations that an earlier process, or somebody else, has begun: the hypervisor carries out the
 * long call already, and this process makes none. */

#include "operation-world.h"

#define TICK (500 * MSEC)

static World *
followed(OperationKind kind)
{
    World *w = world_new(kind);
    Observation seen = {.state = DOMAIN_PAUSED, .id = id_of(DOMAIN_PAUSED), .persistent = true};

    w->spec.timeout = OPERATION_NO_TIMEOUT;
    w->op = operation_new(&w->spec, "vm", &world_effects, w);
    operation_follow(w->op, w->now, &seen);
    expect(w, "");
    pass(w, TICK);
    expect(w, "probe");
    probed(w, PROBE_UNDER_WAY);
    pass(w, TICK);
    expect(w, "probe");
    return w;
}

static void
test_done(void)
{
    g_autoptr(World) w = followed(OPERATION_SAVE);

    probed(w, PROBE_CARRIED_OUT);
    expect(w, "refresh");
    refreshed(w, DOMAIN_SHUTOFF);
    expect(w, "done");
}

static void
test_not_known(void)
{
    g_autoptr(World) w = followed(OPERATION_CREATE_SNAPSHOT);

    probed(w, PROBE_NOT_CARRIED_OUT);
    expect(w, "refresh");
    refreshed(w, DOMAIN_RUNNING);
    expect(w, "failed");
    expect_error(w, ERROR_OPERATION_FAILED, "libvirt did not tell how it ended" MAY_HAVE);
}

static void
test_canceled(void)
{
    g_autoptr(World) w = followed(OPERATION_SAVE);

    g_assert_null(operation_cancel(w->op, w->now));
    expect(w, "abort");
    operation_aborted(w->op);
    probed(w, PROBE_NOT_CARRIED_OUT);
    refreshed(w, DOMAIN_RUNNING);
    expect(w, "refresh canceled");
    expect_error(w, ERROR_CANCELED, "as was asked for");
}

static void
test_overtaken(void)
{
    g_autoptr(World) w = followed(OPERATION_MIGRATE);

    operation_overtake(w->op, w->now);
    expect(w, "canceled");
    expect_error(w, ERROR_CANCELED, "ForceStop overtook it" MAY_HAVE);
}

static void
test_connection_lost(void)
{
    g_autoptr(World) w = followed(OPERATION_SAVE);

    connection(w, false);
    pass(w, TICK);
    expect(w, "refresh");
    reset_connection(w, DOMAIN_PAUSED);
    expect(w, "probe");
    probed(w, PROBE_CARRIED_OUT);
    refreshed(w, DOMAIN_SHUTOFF);
    expect(w, "refresh done");
}

/* Where it has removed the domain, an event alone tells its end. */
static void
test_migrated(void)
{
    g_autoptr(World) w = followed(OPERATION_MIGRATE);
    g_autoptr(World) save = followed(OPERATION_SAVE);

    operation_event(w->op, w->now, OPERATION_EVENT_MIGRATED);
    expect(w, "refresh");
    vanish(w);
    expect(w, "done");

    operation_event(save->op, save->now, OPERATION_EVENT_MIGRATED);
    expect(save, "");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/operation/followed/done", test_done);
    g_test_add_func("/operation/followed/not-known", test_not_known);
    g_test_add_func("/operation/followed/canceled", test_canceled);
    g_test_add_func("/operation/followed/overtaken", test_overtaken);
    g_test_add_func("/operation/followed/connection-lost", test_connection_lost);
    g_test_add_func("/operation/followed/migrated", test_migrated);
    return g_test_run();
}
