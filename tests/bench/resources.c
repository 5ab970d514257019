/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench.h"

#include "libvirtd.h"

#include <stdlib.h>

#define SETTLE_USEC (2 * G_USEC_PER_SEC)

/* All of it, and which mappings it is of. */
static void
add_memory(Bench *b, const char *series, pid_t pid)
{
    double mb[N_MAPPINGS];

    g_usleep(SETTLE_USEC);
    bench_add(b, series, "MB", process_private_mb(pid));
    process_mappings_mb(pid, mb);
    for (unsigned i = 0; i < N_MAPPINGS; i++) {
        g_autofree char *name = g_strdup_printf("%s-%s", series, mapping_names[i]);

        bench_add(b, name, "MB", mb[i]);
    }
}

/* The service as it was: $UNRAID_VMSD_BEFORE. */
static void
measure_before(Bench *b)
{
    const char *before = g_getenv("UNRAID_VMSD_BEFORE");
    g_autofree char *now = g_strdup(world_program());

    if (!before)
        return;
    g_setenv("UNRAID_VMSD", before, true);
    bench_restart_service(b);
    g_usleep(SETTLE_USEC);
    bench_add(b, "memory-before", "MB", process_private_mb(bench_service_pid(b)));
    g_setenv("UNRAID_VMSD", now, true);
}

/* Everything has been read once. */
void
bench_memory(Bench *b, unsigned rounds, bool with_peer)
{
    for (unsigned round = 0; round < rounds; round++) {
        if (with_peer)
            measure_before(b);
        bench_restart_service(b);
        add_memory(b, "memory", bench_service_pid(b));
        if (!with_peer)
            continue;
        bench_restart_peer(b);
        peer_get_all(b->bus, b->peer_paths, 16);
        add_memory(b, "memory-peer", process_pid(b->peer));
    }
}

/* Threads of the service. */
static const struct {
    const char *series;
    const char *thread;
} waiting[] = {
    {"idle-loop", "unraid-vmsd"},
    {"idle-events", "libvirt-events"},
    {"idle-lanes", "lane"},
    {"idle", NULL},
};

void
bench_idle(Bench *b)
{
    double before[G_N_ELEMENTS(waiting)];

    /* Lanes that nobody needs any more leave within half a minute. */
    g_usleep(b->is_short ? SETTLE_USEC : 35 * G_USEC_PER_SEC);
    for (unsigned i = 0; i < G_N_ELEMENTS(waiting); i++)
        before[i] = process_wakeups(bench_service_pid(b), waiting[i].thread);
    g_usleep(b->idle_seconds * G_USEC_PER_SEC);
    for (unsigned i = 0; i < G_N_ELEMENTS(waiting); i++)
        bench_add(b, waiting[i].series, "/min",
                  (process_wakeups(bench_service_pid(b), waiting[i].thread) - before[i]) * 60 /
                      b->idle_seconds);
}

/* How often the service wakes the agent of a guest: it counts by itself, so that nothing else does.
 */
void
bench_agent(Bench *b)
{
    guest_define(b->world, "--memory 192", "talker", "agent");
    guest_start(b->world, "talker");
    guest_wait(b->world, "talker", "VMS-GUEST-READY");
    run(b->world,
        "until virsh -q qemu-agent-command talker '{\"execute\": \"guest-exec\", \"arguments\": {"
        "\"path\": \"/bin/sh\", \"arg\": [\"-c\", \""
        "waits() { sed -n s/^voluntary_ctxt_switches:.//p /proc/$(pidof qemu-ga)/status; }; "
        "sleep 5; before=$(waits); sleep %u; "
        "echo VMS-GUEST-WAITS $(($(waits) - before)) >/dev/console\"]}}' >/dev/null; do\n"
        "    sleep 0.2\n"
        "done",
        b->idle_seconds);
    guest_wait(b->world, "talker", "VMS-GUEST-WAITS ");
    g_autofree char *waits = shell(
        b->world, "sed -n 's/.*VMS-GUEST-WAITS \\([0-9]*\\).*/\\1/p' /run/vms/talker.console");
    bench_add(b, "idle-agent", "/min", atoi(waits) * 60.0 / b->idle_seconds);
    run(b->world, "virsh -q destroy talker; virsh -q undefine talker");
}

/* Where many run and nobody asks: above all it reads XML again. */
void
bench_rest(Bench *b)
{
    bench_start_guests(b, MIN(b->is_short ? 3U : 100U, b->n_defined));
    g_usleep(b->is_short ? SETTLE_USEC : 20 * G_USEC_PER_SEC);
    double before = process_cpu_ms(bench_service_pid(b));
    double waits = process_wakeups(bench_service_pid(b), NULL);

    g_usleep(b->idle_seconds * G_USEC_PER_SEC);
    bench_add(b, "rest-cpu", "%",
              (process_cpu_ms(bench_service_pid(b)) - before) / (b->idle_seconds * 10.0));
    bench_add(b, "rest-waits", "/min",
              (process_wakeups(bench_service_pid(b), NULL) - waits) * 60 / b->idle_seconds);
}
