/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A world for a test: a message bus of its own, where everybody may do everything, the service
 * under test on it, an event loop, and a directory that goes away with it.
 *
 *     g_autoptr(World) w = world_new();
 *     world_start(w, "--uri=test:///default", "--stop-timeout=1", NULL);
 *     g_autoptr(Client) c = client_new(w);      (see client.h and mirror.h)
 *     ...
 *                                               (leaving the scope stops the service)
 *
 * Declare the world before the clients, so that they go first. The program of the service is
 * $UNRAID_VMSD. Everything aborts the test, with a message, when it does not work within its bound.
 */

#include "process.h"

#include <glib.h>
#include <systemd/sd-event.h>

/* No method call may take longer (D-Bus clients give up at 25 s), plus a margin for slow machines.
 */
#define BOUND_MS    30000
/* Waits for guests and other processes: an emulated guest boots in 3 s of processor time, of which
 * a busy machine has little. */
#define PATIENCE_MS 90000

typedef struct World World;

World *world_new(void);
/* The bus has dbus-daemon's own limits, as a system bus has. */
World *world_new_with_limits(void);
/* It tells nobody how much a connection has not read. */
World *world_new_without_stats(void);
/* It has this, a part of the configuration of a bus, besides. */
World *world_new_with_policy(const char *policy);
/* The same on dbus-broker, for which a systemd with its journal has to run. */
World *world_new_on_broker(const char *policy);
/* $VMS_BUS is "dbus-broker": so are all buses, and else dbus-daemons. */
bool world_buses_are_brokers(void);
/* The machine's own system bus and the service that is installed there, which this neither starts
 * nor stops: to be used where the machine is a container. */
World *world_system(void);

/* Stops the service, which must end with status 0, and the bus. */
void world_free(World *w);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(World, world_free)

const char *world_address(const World *w);
const char *world_directory(const World *w);
/* The name that the service was last started with: --name=, or org.unraid.Vms. */
const char *world_name(const World *w);
sd_event *world_event(const World *w);

/* Runs the service with --address= and the given options, NULL at the end, and waits until it owns
 * its name. */
void world_start(World *w, const char *option, ...) G_GNUC_NULL_TERMINATED;
void world_startv(World *w, const char *const *options);
/* SIGTERM; asserts that it ends within 30 s with status 0. Runs no loop: start a call before,
 * collect it after. */
void world_stop(World *w);
/* The same; all that it has logged, freed with g_free(). */
char *world_stop_log(World *w);
/* SIGKILL, as a crash would end it. */
void world_kill(World *w);
/* Kills the bus, whose clients are cut off, and starts it again at the same address. The service
 * must have been stopped or killed. */
void world_restart_bus(World *w);

/* The running service, to look at or to torment. */
Process *world_service(const World *w);
Process *world_bus(const World *w);
/* The program of the service, for tests that run it their own way. */
const char *world_program(void);

/*
 * One turn of the loop: dispatches what is there, else waits for it, but not for long, as a
 * condition may depend on what causes no event here. The deadline is in the time of
 * g_get_monotonic_time(). False when it has passed. Aborts when the service has died.
 */
bool world_turn(World *w, gint64 deadline);

/* Runs the loop until the condition holds. */
#define wait_for_ms(w, bound_ms, condition)                                                        \
    G_STMT_START                                                                                   \
    {                                                                                              \
        gint64 deadline_ = g_get_monotonic_time() + (bound_ms)*G_GINT64_CONSTANT(1000);            \
        while (!(condition))                                                                       \
            if (!world_turn((w), deadline_))                                                       \
                g_error("%s:%d: not within %d ms: %s", __FILE__, __LINE__, (int)(bound_ms),        \
                        #condition);                                                               \
    }                                                                                              \
    G_STMT_END
#define wait_for(w, condition) wait_for_ms(w, PATIENCE_MS, condition)
