/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The shipped core, through any schedule: a seed makes a world of a libvirt daemon, its domains and
 * guests, and clients, in which everything that may go wrong does, under a virtual clock. Only the
 * lanes, the loop and libvirt are stand-ins, put in their place by the linker.
 *
 *   simulate [--seeds N] [--first K] [--seed K]
 *
 * Without --seed it runs the seeds that once failed, then N others from K on, shared among the
 * processors. A failing seed prints its schedule. With --seed it prints that schedule.
 */

#include "checks.h"
#include "clients.h"
#include "daemon.h"
#include "disk-checks.h"
#include "guests.h"
#include "lanes.h"
#include "loop.h"
#include "mirror.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* After the last trouble; what has not ended by then never will. */
#define REST (700 * SEC)

/* Some thousands are usual. */
#define TURNS_MAX 200000

/* Seeds that find a rule of the core that is missing (the world they make changes with this
 * program). */
static const uint64_t kept_seeds[] = {
    1000, /* a job is not told that its domain was refreshed, or of the connection */
    1019, /* who asks for a list while one is made waits for the reconciliation */
    1027, /* a job is not told that libvirt gave up its call */
    1028, /* a call of a job that has ended is sent */
    1054, /* jobs are not told that the connection is gone */
    1250, /* a call that waits is sent after ForceStop */
    1398, /* jobs are not told what a new connection lists */
    1801, /* a job is not told that its guest rebooted */
    2039, /* an event does not mark its domain */
    2405, /* a change and its return in one turn are not signalled as both */
    3118, /* a domain that is not listed any more is kept */
    3329, /* an event between listing and adoption is forgotten */
};

/* --- the core's listener ------------------------------------------------------------------ */

static Core *core;

static void
on_domain_added(void *userdata, Domain *domain)
{
    mirror_domain_added(domain);
}

static void
on_domain_removed(void *userdata, Domain *domain)
{
    mirror_domain_removed(domain);
}

static void
on_domain_changed(void *userdata, Domain *domain)
{
    mirror_domain_changed(domain);
}

static void
on_flush(void *userdata)
{
    mirror_flush();
}

static void
on_job_added(void *userdata, JobObject *object)
{
    mirror_job_added(object);
    if (!disk_checks_job_added(object))
        checks_job_added(job_of_object(object));
}

static void
on_job_removed(void *userdata, JobObject *object, OperationResult result, const Error *error)
{
    mirror_job_removed(object);
    if (!disk_checks_job_removed(object, result, error))
        checks_job_removed(job_of_object(object), result, error);
}

static void
on_job_changed(void *userdata, JobObject *job, JobChange change)
{
    if (change == JOB_CHANGE_FORCED) {
        REQUIRE(job->ended && job->forced, "A job that goes on has cut the power");
        return;
    }
    REQUIRE(!job->ended && job->progress >= 0 && job->progress <= 1, "Progress that is none");
    disk_checks_progress(job);
}

static void
on_connection_changed(void *userdata, ConnectionChanges changes)
{
    mirror_connection_changed(core, changes);
}

static void
on_stopped(void *userdata)
{
}

static const CoreListener listener = {
    .domains = {on_domain_added, on_domain_removed, on_domain_changed, on_flush},
    .jobs = {on_job_added, on_job_removed, on_job_changed},
    .connection_changed = on_connection_changed,
    .stopped = on_stopped,
};

/* --- one schedule ------------------------------------------------------------------------- */

static struct {
    unsigned actions_left;
    uint64_t pace;
    unsigned trouble; /* percent of the actions */
} plan;

static void
heal(void *data, unsigned unused)
{
    say("all is well again");
    world_heal();
    guests_heal();
    daemon_heal();
}

static void
act(void *data, unsigned unused)
{
    unsigned what = below(100);

    if (what < plan.trouble)
        daemon_trouble();
    else if (what < plan.trouble + 4)
        guests_freeze_one();
    else if (what < plan.trouble + 20)
        guests_meddle();
    else
        clients_act();
    if (--plan.actions_left > 0)
        world_after(between(0, plan.pace), act, NULL, 0);
    else
        world_after(between(0, 20 * SEC), heal, NULL, 0);
}

static void
begin(uint64_t seed, bool tracing)
{
    g_autoptr(Error) error = NULL;

    world_begin(seed, tracing);
    daemon_begin();
    /* The others are as they were before there were disks, and so are the seeds above. */
    guests_begin(seed % 7 < 2);
    plan.trouble = 5 + below(35);
    plan.actions_left = 1 + below(percent(20) ? 60 : 16);
    plan.pace = percent(30) ? 50 * MSEC : percent(50) ? 2 * SEC : 15 * SEC;
    core = core_new(NULL, "qemu:///system", false, &listener, NULL, &error);
    mirror_begin(NULL);
    checks_begin(core);
    disk_checks_begin(core);
    clients_begin(core);
    core_start(core, NULL);
    world_after(0, act, NULL, 0);
}

static char *
end(void)
{
    core_stop_jobs(core);
    core_stop(core);
    REQUIRE(core_is_stopped(core), "It does not stop");
    clients_end();
    core_free(core);
    mirror_end();
    loop_end();
    return world_end();
}

/* Nothing goes on, and nothing will but the next reconciliation. */
static bool
is_at_rest(void)
{
    g_autoptr(GPtrArray) jobs = NULL;

    if (!world_is_healed() || lanes_generation() == 0 || world_next_time() != NEVER ||
        clients_wait() || !refresher_is_idle(core->refresher))
        return false;
    jobs = job_objects_all(core->job_objects, NULL);
    return jobs->len == 0;
}

static void
run_until_rest(void)
{
    bool unbounded_ended = false;
    unsigned turns = 0;

    while (!world_has_fault() && !is_at_rest()) {
        REQUIRE(++turns < TURNS_MAX, "The loop never comes to rest");
        if (!loop_turn() || world_now() >= REST + MIN(world_healed_at(), NEVER - REST))
            break;
        mirror_check(core);
        checks_always();
        clients_check_always();
        if (unbounded_ended || !world_is_healed() || lanes_generation() == 0 ||
            (world_next_time() != NEVER && world_now() < world_healed_at() + 60 * SEC))
            continue;
        unbounded_ended = true;
        clients_end_unbounded();
    }
}

/* NULL, or the law that was broken. */
static char *
simulate(uint64_t seed, bool tracing)
{
    begin(seed, tracing);
    run_until_rest();
    REQUIRE(lanes_generation() != 0, "It never comes back");
    checks_at_rest(false);
    clients_list();
    run_until_rest();
    clients_check_at_rest();
    checks_at_rest(true);
    disk_checks_at_rest();
    return end();
}

/* --- many schedules -------------------------------------------------------------------------- */

static uint64_t n_seeds = 20000;
static uint64_t first_seed = 1000;
static uint64_t only_seed = NEVER;

static void
report(uint64_t seed, const char *failure)
{
    printf("# seed %" G_GUINT64_FORMAT ": %s; its schedule:\n", seed, failure);
    g_free(simulate(seed, true));
    fflush(stdout);
}

/* Every n-th seed; the one under way is left where a crash of ours does not reach it. */
static int
run_share(uint64_t first, uint64_t step_size, uint64_t end, volatile uint64_t *current)
{
    for (uint64_t seed = first; seed < end; seed += step_size) {
        *current = seed;
        g_autofree char *failure = simulate(seed, false);

        if (!failure)
            continue;
        report(seed, failure);
        return 1;
    }
    return 0;
}

static void
test_schedules(void)
{
    unsigned n = MAX(g_get_num_processors(), 1);
    size_t size = n * sizeof(uint64_t);
    volatile uint64_t *current =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    g_autofree pid_t *pids = g_new0(pid_t, n);
    bool failed = false;

    g_assert_true(current != MAP_FAILED);
    fflush(stdout);
    for (unsigned i = 0; i < n; i++) {
        pids[i] = fork();
        g_assert_cmpint(pids[i], >=, 0);
        if (pids[i] == 0)
            _exit(run_share(first_seed + i, n, first_seed + n_seeds, &current[i]));
    }
    for (unsigned i = 0; i < n; i++) {
        int status;

        g_assert_cmpint(waitpid(pids[i], &status, 0), ==, pids[i]);
        if (WIFSIGNALED(status))
            g_test_message("seed %" G_GUINT64_FORMAT " died: %s", current[i],
                           g_strsignal(WTERMSIG(status)));
        failed |= !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    }
    munmap((void *)current, size);
    g_assert_false(failed);
    g_test_message("%" G_GUINT64_FORMAT " schedules", n_seeds);
}

static void
test_kept_seeds(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(kept_seeds); i++) {
        g_autofree char *failure = simulate(kept_seeds[i], false);

        if (!failure)
            continue;
        report(kept_seeds[i], failure);
        g_assert_cmpstr(failure, ==, NULL);
    }
}

static int
run_one(void)
{
    g_autofree char *failure = simulate(only_seed, true);

    printf("# seed %" G_GUINT64_FORMAT ": %s\n", only_seed, failure ? failure : "as it should be");
    return failure ? 1 : 0;
}

static bool
read_number(const char *text, uint64_t *number)
{
    return text && g_ascii_string_to_unsigned(text, 10, 0, NEVER - 1, number, NULL);
}

/* Ours are taken out before GLib, which has a --seed of its own, looks at them. */
static bool
take_options(int *argc, char **argv)
{
    int kept = 1;

    for (int i = 1; i < *argc; i++) {
        uint64_t *number = g_str_equal(argv[i], "--seeds")   ? &n_seeds
                           : g_str_equal(argv[i], "--first") ? &first_seed
                           : g_str_equal(argv[i], "--seed")  ? &only_seed
                                                             : NULL;
        if (!number)
            argv[kept++] = argv[i];
        else if (!read_number(argv[++i], number))
            return false;
    }
    argv[ *argc = kept] = NULL;
    return true;
}

int
main(int argc, char **argv)
{
    if (!take_options(&argc, argv)) {
        fprintf(stderr, "usage: simulate [--seeds N] [--first K] [--seed K]\n");
        return 2;
    }
    if (only_seed != NEVER)
        return run_one();
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/simulate/kept-seeds", test_kept_seeds);
    g_test_add_func("/simulate/schedules", test_schedules);
    return g_test_run();
}
