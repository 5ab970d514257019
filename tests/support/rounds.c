/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rounds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Lanes that are idle go after 30 s. */
#define SETTLE_MS 45000

static guint
number(const char *name, guint fallback)
{
    const char *text = g_getenv(name);

    return text && *text ? (guint)g_ascii_strtoull(text, NULL, 10) : fallback;
}

bool
memory_counts(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return false;
#else
    return true;
#endif
}

void
rounds_init(Rounds *r, guint32 seed, guint most, guint seconds)
{
    bool asked = g_getenv("VMS_MINUTES") != NULL;

    /* A sanitizer's run is beside the plain one. */
    if (!memory_counts())
        seconds /= 2;
    *r = (Rounds){0};
    r->seed = number("VMS_SEED", seed) - 1;
    r->most = number("VMS_ROUNDS", asked ? G_MAXUINT : most);
    r->end = g_get_monotonic_time() +
             (asked ? number("VMS_MINUTES", 1) * 60 : seconds) * (gint64)G_USEC_PER_SEC;
}

bool
rounds_next(Rounds *r)
{
    if (r->done >= r->most || g_get_monotonic_time() >= r->end)
        return false;
    r->done++;
    r->seed++;
    if (r->rand)
        g_rand_free(r->rand);
    r->rand = g_rand_new_with_seed(r->seed);
    return true;
}

void
rounds_clear(Rounds *r)
{
    if (r->rand)
        g_rand_free(r->rand);
}

guint
pick(Rounds *r, guint n)
{
    return (guint)g_rand_int_range(r->rand, 0, (gint32)n);
}

bool
one_in(Rounds *r, guint n)
{
    return pick(r, n) == 0;
}

static guint64
status_field(const char *status, const char *name)
{
    const char *at = strstr(status, name);

    g_assert_nonnull(at);
    return g_ascii_strtoull(at + strlen(name), NULL, 10);
}

Holdings
holdings_of(const World *w)
{
    int pid = (int)process_pid(world_service(w));
    g_autofree char *status_path = g_strdup_printf("/proc/%d/status", pid);
    g_autofree char *fd_path = g_strdup_printf("/proc/%d/fd", pid);
    g_autofree char *status = NULL;
    g_autoptr(GDir) fds = g_dir_open(fd_path, 0, NULL);
    Holdings h = {0};

    g_assert_nonnull(fds);
    while (g_dir_read_name(fds))
        h.descriptors++;
    g_assert_true(g_file_get_contents(status_path, &status, NULL, NULL));
    h.threads = (guint)status_field(status, "\nThreads:\t");
    h.kib = status_field(status, "\nVmRSS:\t");
    h.peak_kib = status_field(status, "\nVmHWM:\t");
    return h;
}

/* Lists the open descriptors, so that the one too many can be found. */
static void
show_descriptors(const World *w)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/fd", (int)process_pid(world_service(w)));
    g_autoptr(GDir) fds = g_dir_open(path, 0, NULL);
    const char *name;

    while (fds && (name = g_dir_read_name(fds))) {
        g_autofree char *link = g_build_filename(path, name, NULL);
        g_autofree char *to = g_file_read_link(link, NULL);

        g_test_message("descriptor %s: %s", name, to);
    }
}

static bool
holds_no_more(const World *w, const Holdings *before)
{
    Holdings now = holdings_of(w);

    return now.threads <= before->threads && now.descriptors <= before->descriptors;
}

void
assert_no_more(World *w, const Holdings *before, guint64 kib)
{
    gint64 deadline = g_get_monotonic_time() + SETTLE_MS * G_GINT64_CONSTANT(1000);
    Holdings now;

    while (!holds_no_more(w, before)) {
        gint64 turn = g_get_monotonic_time() + 20000;

        if (turn > deadline)
            break;
        while (world_turn(w, turn))
            continue;
    }
    now = holdings_of(w);
    g_test_message("threads %u (%u before), descriptors %u (%u), resident %" G_GUINT64_FORMAT
                   " KiB (%" G_GUINT64_FORMAT "), at most %" G_GUINT64_FORMAT " KiB",
                   now.threads, before->threads, now.descriptors, before->descriptors, now.kib,
                   before->kib, now.peak_kib);
    if (now.descriptors > before->descriptors)
        show_descriptors(w);
    g_assert_cmpuint(now.threads, <=, before->threads);
    g_assert_cmpuint(now.descriptors, <=, before->descriptors);
    if (memory_counts())
        g_assert_cmpuint(now.kib, <=, before->kib + kib);
}
