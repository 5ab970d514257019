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

static void
count_wakeups(Bench *b, const char *name, pid_t pid, double begin)
{
    double n = process_wakeups(pid, NULL) - begin;

    bench_add(b, name, "/min", n * 60 / b->idle_seconds);
}

void
bench_idle(Bench *b)
{
    pid_t ours = bench_service_pid(b);
    pid_t peer = process_pid(b->peer);
    g_autoptr(GString) before = g_string_new(NULL);
    g_autoptr(GString) after = g_string_new(NULL);

    /* Lanes that nobody needs any more leave within half a minute. */
    g_usleep(b->is_short ? SETTLE_USEC : 35 * G_USEC_PER_SEC);
    double begin = process_wakeups(ours, before);
    double begin_peer = process_wakeups(peer, NULL);
    g_usleep(b->idle_seconds * G_USEC_PER_SEC);
    count_wakeups(b, "idle", ours, begin);
    count_wakeups(b, "idle-peer", peer, begin_peer);
    process_wakeups(ours, after);
    g_message("waits by thread, before:%s, after %u s:%s", before->str, b->idle_seconds,
              after->str);
}
