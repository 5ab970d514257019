/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench.h"

#include "libvirtd.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOCKET         "/run/libvirt/libvirt-sock"
/* Of its own, like the whole /run of libvirtd-env: the service watches every directory on the way.
 */
#define LINK_DIRECTORY "/run/vms-bench"

/* --- what runs ---------------------------------------------------------------------------- */

void
bench_link_socket(Bench *b)
{
    if (symlink(SOCKET, b->link) < 0 && errno != EEXIST)
        g_error("%s: %s", b->link, g_strerror(errno));
}

void
bench_unlink_socket(Bench *b)
{
    (void)g_unlink(b->link);
}

void
bench_start_service(Bench *b)
{
    g_autofree char *uri_option = g_strconcat("--uri=", b->uri, NULL);

    watch_reset(b->watch);
    world_start(b->world, uri_option, NULL);
    watch_until(b->watch, b->watch->titles.n >= b->n);
}

void
bench_stop_service(Bench *b)
{
    world_stop(b->world);
}

pid_t
bench_service_pid(const Bench *b)
{
    return process_pid(world_service(b->world));
}

void
bench_start_peer(Bench *b)
{
    g_autofree char *address =
        g_strconcat("DBUS_SYSTEM_BUS_ADDRESS=", world_address(b->world), NULL);
    const char *argv[] = {"env", address, "libvirt-dbus", "--system", NULL};

    b->peer = process_spawn(argv, -1);
    bus_wait_owned(b->bus, PEER);
    g_clear_pointer(&b->peer_paths, g_ptr_array_unref);
    b->peer_paths = peer_list(b->bus);
}

void
bench_stop_peer(Bench *b)
{
    g_clear_pointer(&b->peer, process_free);
    g_clear_pointer(&b->peer_paths, g_ptr_array_unref);
}

void
bench_restart_service(Bench *b)
{
    bench_stop_service(b);
    bench_start_service(b);
}

void
bench_restart_peer(Bench *b)
{
    bench_stop_peer(b);
    bench_start_peer(b);
}

void
bench_add(Bench *b, const char *name, const char *unit, double value)
{
    results_add(b->results, name, b->n_defined, unit, value);
}

/* --- options ------------------------------------------------------------------------------ */

static char *out_file;
static gboolean is_short;
static gint n_rounds = 10;
static char *sizes = (char *)"10,100,1000,10000";
static gint main_size = 1000;
static char *only;
static gint n_seconds = 60;

static void
save(const Bench *b)
{
    if (out_file)
        results_write(b->results, out_file);
}

/* --- what is measured --------------------------------------------------------------------- */

static void
say(const Bench *b, const char *what)
{
    g_printerr("bench: %s, %u domains\n", what, b->n_defined);
}

static void
define_up_to(Bench *b, unsigned n)
{
    for (; b->n_defined < n; b->n_defined++)
        floor_define(&b->floor, b->n_defined + 1);
    b->n = n + 1;
    say(b, "defined");
}

/* Everything that grows with the number of domains. */
static void
measure_scaling(Bench *b)
{
    say(b, "connecting");
    bench_connect(b);
    bench_start_service(b);
    say(b, "GetManagedObjects, ListDomains");
    bench_managed_objects(b, false);
    bench_list(b, false);
    say(b, "memory");
    bench_memory(b, 1, b->n_defined < (unsigned)main_size);
    bench_stop_service(b);
    bench_stop_peer(b);
}

static void
connect_alone(Bench *b)
{
    bench_stop_service(b);
    bench_connect(b);
    bench_start_service(b);
}

static void
memory(Bench *b)
{
    bench_memory(b, MIN(b->rounds, 3), true);
}

static void
managed_objects(Bench *b)
{
    bench_managed_objects(b, true);
}

static void
list(Bench *b)
{
    bench_list(b, true);
}

/* Both anew, whatever happened to their connections. */
static void
restart(Bench *b)
{
    bench_stop_peer(b);
    bench_restart_service(b);
    bench_start_peer(b);
}

/* The guests of usage are some of those of rest, which follows it. */
static const struct {
    const char *name;
    void (*measure)(Bench *b);
} measurements[] = {
    {"connect", connect_alone},   {"memory", memory},
    {"objects", managed_objects}, {"property", bench_property},
    {"buses", bench_buses},       {"list", list},
    {"event", bench_event},       {"transition", bench_transition},
    {"stop", bench_stop},         {"idle", bench_idle},
    {"agent", bench_agent},       {"usage", bench_usage},
    {"rest", bench_rest},         {"frozen", bench_frozen},
    {"recovery", bench_recovery},
};

static void
measure_everything(Bench *b)
{
    g_auto(GStrv) names = only ? g_strsplit(only, ",", -1) : NULL;

    bench_start_service(b);
    bench_start_peer(b);
    for (unsigned i = 0; i < G_N_ELEMENTS(measurements); i++) {
        if (names && !g_strv_contains((const char *const *)names, measurements[i].name))
            continue;
        if (measurements[i].measure != bench_rest)
            bench_end_guests(b);
        say(b, measurements[i].name);
        measurements[i].measure(b);
        save(b);
        if (measurements[i].measure == bench_frozen) {
            restart(b);
            bench_thawed(b);
        }
    }
    bench_end_guests(b);
    bench_stop_service(b);
    bench_stop_peer(b);
}

/* --- life --------------------------------------------------------------------------------- */

static const GOptionEntry options[] = {
    {"short", 0, 0, G_OPTION_ARG_NONE, &is_short, "Few domains, few rounds: whether it works",
     NULL},
    {"rounds", 0, 0, G_OPTION_ARG_INT, &n_rounds, "Rounds of what takes long", "N"},
    {"sizes", 0, 0, G_OPTION_ARG_STRING, &sizes, "Numbers of domains, growing", "N,…"},
    {"main", 0, 0, G_OPTION_ARG_INT, &main_size, "Which of them meets the peers", "N"},
    {"seconds", 0, 0, G_OPTION_ARG_INT, &n_seconds, "How long what does nothing is watched", "N"},
    {"only", 0, 0, G_OPTION_ARG_STRING, &only, "These alone, of what meets the peers", "NAME,…"},
    {"output", 0, 0, G_OPTION_ARG_FILENAME, &out_file, "Where the samples go", "FILE"},
    {NULL},
};

static void
parse_options(int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;

    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error))
        g_error("%s", error->message);
    if (!is_short)
        return;
    n_rounds = 2;
    sizes = (char *)"5,20";
    main_size = 20;
}

static void
set_up(Bench *b)
{
    b->bare_list = floor_fork();
    b->bare_connect = floor_fork();
    b->is_short = is_short;
    b->rounds = (unsigned)n_rounds;
    b->quick_rounds = is_short ? b->rounds : MAX(b->rounds, 5);
    b->idle_seconds = is_short ? 3 : (unsigned)n_seconds;
    b->world = world_new();
    b->results = results_new();
    b->guests = g_ptr_array_new();
    b->bus = bus_connect(world_address(b->world));
    b->watch = watch_new(world_address(b->world));
    g_assert_cmpint(g_mkdir_with_parents(LINK_DIRECTORY, 0755), ==, 0);
    b->link = g_build_filename(LINK_DIRECTORY, "libvirt-sock", NULL);
    b->uri = g_strconcat("qemu+unix:///system?socket=", b->link, NULL);
    bench_link_socket(b);
    floor_start_events();
    floor_open(&b->floor, "qemu:///system");
    floor_watch(&b->floor);
    guest_define(b->world, "", "guest", "obey");
}

static void
tear_down(Bench *b)
{
    floor_close(&b->floor);
    close(b->bare_list);
    close(b->bare_connect);
    watch_free(b->watch);
    sd_bus_flush_close_unref(b->bus);
    bench_unlink_socket(b);
    world_free(b->world);
    results_free(b->results);
    g_ptr_array_unref(b->guests);
    g_free(b->link);
    g_free(b->uri);
}

int
main(int argc, char **argv)
{
    Bench b = {0};

    parse_options(argc, argv);
    set_up(&b);

    g_auto(GStrv) wanted = g_strsplit(sizes, ",", -1);
    for (unsigned i = 0; wanted[i]; i++) {
        define_up_to(&b, (unsigned)atoi(wanted[i]));
        if (b.n_defined == (unsigned)main_size)
            measure_everything(&b);
        else
            measure_scaling(&b);
        save(&b);
    }
    tear_down(&b);
    return EXIT_SUCCESS;
}
