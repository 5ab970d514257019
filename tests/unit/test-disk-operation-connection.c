/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Operations on disks whose connection comes and goes: what libvirt did meanwhile is found out. */

#include "disk-operation-world.h"

/* While the connection is away nothing is called; then it is looked at first. */
static void
test_connection(void)
{
    running(&a_move, "start-copy");
    connection(false);
    expect("");
    connection(true);
    expect("poll");
    polled(BLOCK_JOB_COPY, 1, true);
    expect("100% pivot");
    connection(false);
    done(OUTCOME_LOST);
    expect("");
    connection(true);
    expect("poll");
    polled(BLOCK_JOB_COPY, 1, true); /* it was not carried out */
    expect("100% pivot");
    connection(false);
    done(OUTCOME_LOST);
    connection(true);
    polled(BLOCK_JOB_NONE, -1, false);
    expect("poll chain");
    chain("copy", true);
    expect("done");
    end_world();

    /* The connection of the call alone died: it is asked again where the job is still there. */
    running(&a_pull, "start-pull");
    cancel(ERROR_NONE);
    expect("give-up");
    done(OUTCOME_LOST);
    expect("poll");
    polled(BLOCK_JOB_PULL, 0.5, false);
    expect("50% give-up");
    done(OUTCOME_OK);
    over(BLOCK_JOB_CANCELED);
    expect("canceled");
    end_world();
}

/* The layers tell how a job has ended that nobody saw end. */
static void
test_unseen(void)
{
    static const struct {
        const DiskOperationSpec *spec;
        const char *start, *layers;
        bool is_active;
        const char *result, *words;
    } ends[] = {
        {&a_pull, "start-pull", "top", true, "done", NULL},
        {&a_pull, "start-pull", "top middle base", true, "failed", "unseen"},
        {&a_pull, "start-pull", "top", false, "failed", MAY_HAVE},
        {&a_commit, "start-commit", "middle base", true, "done", NULL},
        {&a_commit, "start-commit", "middle", false, "done", NULL},
        {&a_commit, "start-commit", "top", false, "failed", "turned off"},
        {&a_move, "start-copy", "copy", true, "done", NULL},
        {&a_copy, "start-copy", "top middle base", true, "failed", "unseen"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(ends); i++) {
        running(ends[i].spec, ends[i].start);
        connection(false);
        connection(true);
        polled(BLOCK_JOB_NONE, -1, false);
        expect("poll chain");
        chain(ends[i].layers, ends[i].is_active);
        expect(ends[i].result);
        if (ends[i].words)
            expect_error(ERROR_OPERATION_FAILED, ends[i].words);
        end_world();
    }

    /* All was copied when it was asked to end. */
    running(&a_copy, "start-copy");
    event(BLOCK_JOB_READY);
    connection(false);
    done(OUTCOME_LOST);
    connection(true);
    polled(BLOCK_JOB_NONE, -1, false);
    expect("keep poll chain");
    chain("top middle base", true);
    expect("done");
    end_world();
}

/* It has no name: the job of somebody else would be taken for ours if ours were lost. */
static void
test_occupied(void)
{
    DiskAnswer answer = {
        .chain = {.layers = g_strsplit("top", " ", -1), .is_active = true, .has_job = true},
    };

    begin_world(&a_copy);
    disk_operation_begin(world.op, world.now);
    disk_operation_call_done(world.op, world.now, OUTCOME_OK, &answer, NULL);
    disk_chain_clear(&answer.chain);
    expect("chain failed");
    expect_error(ERROR_BUSY, "somebody else's job");
    end_world();
}

/* libvirt goes on with a call whose connection was lost. The poll comes before it is carried out,
 * and the call that asks again after it. */
static void
test_end_lost(void)
{
    for (unsigned is_seen = 0; is_seen < 2; is_seen++) {
        running(&a_copy, "start-copy");
        event(BLOCK_JOB_READY);
        connection(false);
        done(OUTCOME_LOST);
        connection(true);
        expect("keep poll");
        polled(BLOCK_JOB_COPY, 1, true);
        expect("100% keep");
        if (is_seen)
            event(BLOCK_JOB_CANCELED);
        done(OUTCOME_FAILED);
        if (!is_seen)
            elapse();
        expect("poll");
        polled(BLOCK_JOB_NONE, -1, false);
        if (!is_seen) {
            elapse();
            polled(BLOCK_JOB_NONE, -1, false);
            expect("poll chain");
            chain("top middle base", true);
        }
        expect("done");
        end_world();
    }

    running(&a_pull, "start-pull");
    cancel(ERROR_NONE);
    done(OUTCOME_LOST);
    polled(BLOCK_JOB_PULL, 0.5, false);
    expect("give-up poll 50% give-up");
    event(BLOCK_JOB_CANCELED);
    done(OUTCOME_FAILED);
    expect("refused poll");
    polled(BLOCK_JOB_NONE, -1, false);
    expect("canceled");
    expect_error(ERROR_CANCELED, "as was asked for");
    end_world();

    /* A domain that is off does not tell whether it was given up or was done before. */
    running(&a_pull, "start-pull");
    cancel(ERROR_NONE);
    done(OUTCOME_LOST);
    polled(BLOCK_JOB_NONE, -1, false);
    expect("give-up poll chain");
    chain("top", false);
    expect("failed");
    expect_error(ERROR_OPERATION_FAILED, MAY_HAVE);
    end_world();
}

/* The call that begins it may have been lost. */
static void
test_start_lost(void)
{
    for (unsigned found = 0; found < 2; found++) {
        begin_world(&a_pull);
        disk_operation_begin(world.op, world.now);
        done(OUTCOME_LOST); /* a read is repeated */
        chain("top base", true);
        expect("chain chain start-pull");
        done(OUTCOME_UNSENT); /* and what cannot have been carried out */
        expect("start-pull");
        connection(false);
        done(OUTCOME_LOST);
        connection(true);
        expect("poll");
        polled(found ? BLOCK_JOB_PULL : BLOCK_JOB_NONE, 0.5, false);
        if (found) {
            expect("50%");
            over(BLOCK_JOB_COMPLETED);
            expect("done");
        } else {
            chain("top base", true);
            expect("chain failed");
            expect_error(ERROR_OPERATION_FAILED, MAY_HAVE);
        }
        end_world();
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/disk-operation-connection/connection", test_connection);
    g_test_add_func("/disk-operation-connection/unseen", test_unseen);
    g_test_add_func("/disk-operation-connection/occupied", test_occupied);
    g_test_add_func("/disk-operation-connection/end-lost", test_end_lost);
    g_test_add_func("/disk-operation-connection/start-lost", test_start_lost);
    return g_test_run();
}
