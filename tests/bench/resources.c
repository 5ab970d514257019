/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench.h"

#define SETTLE_USEC (2 * G_USEC_PER_SEC)

/* Everything has been read once. */
void
bench_memory(Bench *b, bool with_peer)
{
    for (unsigned round = 0; round < MIN(b->rounds, 3); round++) {
        bench_stop_service(b);
        bench_start_service(b);
        g_usleep(SETTLE_USEC);
        bench_add(b, "memory", "MB", process_private_mb(bench_service_pid(b)));
        if (!with_peer)
            continue;
        bench_stop_peer(b);
        bench_start_peer(b);
        peer_get_all(b->bus, b->peer_paths, 16);
        g_usleep(SETTLE_USEC);
        bench_add(b, "memory-peer", "MB", process_private_mb(process_pid(b->peer)));
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
