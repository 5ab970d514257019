/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Operations on disks. */

#include "disk-operation-world.h"

static void
test_types(void)
{
    static const DiskOperationSpec below = {.kind = DISK_COMMIT, .top = (char *)"middle"};
    static const DiskOperationSpec named = {.kind = DISK_COMMIT, .top = (char *)"top"};

    running(&below, "start-below");
    over(BLOCK_JOB_COMPLETED);
    expect("done");
    end_world();
    running(&named, "start-commit");
    event(BLOCK_JOB_READY);
    expect("pivot");
    done(OUTCOME_OK);
    over(BLOCK_JOB_COMPLETED);
    expect("done");
    end_world();
    running(&a_move, "start-copy");
    event(BLOCK_JOB_READY);
    expect("pivot");
    event(BLOCK_JOB_COMPLETED); /* before the call returns */
    done(OUTCOME_OK);
    expect("poll");
    polled(BLOCK_JOB_NONE, -1, false);
    expect("done");
    end_world();
    /* The copy that was asked for stays: libvirt calls that "canceled". */
    running(&a_copy, "start-copy");
    event(BLOCK_JOB_READY);
    expect("keep");
    done(OUTCOME_OK);
    over(BLOCK_JOB_CANCELED);
    expect("done");
    end_world();
    running(&a_pull, "start-pull");
    event(BLOCK_JOB_READY);
    expect("");
    over(BLOCK_JOB_FAILED);
    expect("failed");
    expect_error(ERROR_OPERATION_FAILED, "does not say why");
    end_world();
}

static void
test_refused(void)
{
    begin_world(&a_pull);
    disk_operation_begin(world.op, world.now);
    chain("", true);
    expect("chain failed");
    expect_error(ERROR_OPERATION_FAILED, "no such disk");
    end_world();

    begin_world(&a_pull);
    disk_operation_begin(world.op, world.now);
    chain("top", true);
    expect("chain start-pull");
    done(OUTCOME_FAILED);
    expect("failed");
    expect_error(ERROR_OPERATION_FAILED, "libvirt said no");
    end_world();

    /* It is over before libvirt has said that it began. */
    begin_world(&a_pull);
    disk_operation_begin(world.op, world.now);
    chain("top base", true);
    event(BLOCK_JOB_COMPLETED);
    expect("chain start-pull");
    done(OUTCOME_OK);
    expect("poll");
    polled(BLOCK_JOB_NONE, -1, false);
    expect("done");
    end_world();

    /* An end that is refused is asked for again, where a poll still finds it ready, but not for
     * ever. */
    running(&a_commit, "start-commit");
    event(BLOCK_JOB_READY);
    expect("pivot");
    for (unsigned i = 0; i < 2; i++) {
        done(OUTCOME_FAILED);
        elapse();
        polled(BLOCK_JOB_ACTIVE_COMMIT, 1, true);
        expect("poll 100% pivot");
    }
    done(OUTCOME_FAILED);
    expect("failed");
    end_world();
}

/* The call to start it waits in libvirt for the end of another job of the disk. */
static void
test_end_of_another(void)
{
    begin_world(&a_move);
    disk_operation_begin(world.op, world.now);
    chain("top", true);
    event(BLOCK_JOB_READY);
    event(BLOCK_JOB_CANCELED);
    expect("chain start-copy");
    done(OUTCOME_OK);
    expect("poll");
    polled(BLOCK_JOB_COPY, 0.5, false);
    expect("50%");
    event(BLOCK_JOB_READY);
    expect("pivot");
    done(OUTCOME_OK);
    over(BLOCK_JOB_COMPLETED);
    expect("done");
    end_world();

    begin_world(&a_pull);
    disk_operation_begin(world.op, world.now);
    chain("top base", true);
    event(BLOCK_JOB_COMPLETED);
    expect("chain start-pull");
    done(OUTCOME_UNSENT);
    expect("start-pull");
    done(OUTCOME_OK);
    expect("");
    over(BLOCK_JOB_FAILED);
    expect("failed");
    end_world();

    /* Nobody knows whether it has begun. */
    begin_world(&a_copy);
    disk_operation_begin(world.op, world.now);
    chain("top base", true);
    event(BLOCK_JOB_COMPLETED);
    done(OUTCOME_LOST);
    polled(BLOCK_JOB_NONE, -1, false);
    expect("chain start-copy poll chain");
    chain("top base", true);
    expect("failed");
    expect_error(ERROR_OPERATION_FAILED, MAY_HAVE);
    end_world();

    /* The poll that is under way was answered before the event. */
    running(&a_copy, "start-copy");
    elapse();
    event(BLOCK_JOB_FAILED);
    polled(BLOCK_JOB_COPY, 0.75, false);
    expect("poll 75% poll");
    polled(BLOCK_JOB_NONE, -1, false);
    expect("failed");
    expect_error(ERROR_OPERATION_FAILED, "does not say why");
    end_world();
}

static void
test_polls(void)
{
    running(&a_copy, "start-copy");
    elapse();
    expect("poll");
    polled(BLOCK_JOB_COPY, 0.25, false);
    expect("25%");
    elapse();
    expect("poll");
    done(OUTCOME_FAILED); /* for any reason: it is asked again */
    elapse();
    expect("poll");
    polled(BLOCK_JOB_COPY, 1, true);
    expect("100% keep"); /* the event is not needed */
    done(OUTCOME_OK);
    elapse();
    expect("poll");
    polled(BLOCK_JOB_NONE, -1, false); /* the event may be on its way */
    expect("");
    over(BLOCK_JOB_CANCELED);
    expect("done");
    end_world();

    running(&a_pull, "start-pull");
    for (unsigned i = 0; i < 2; i++) {
        elapse();
        expect("poll");
        polled(BLOCK_JOB_NONE, -1, false);
    }
    expect("chain");
    chain("top", true);
    expect("done");
    end_world();

    /* A guest that writes all the time keeps a job that is ready from looking so. */
    running(&a_move, "start-copy");
    elapse();
    event(BLOCK_JOB_READY);
    polled(BLOCK_JOB_COPY, 0.99, false);
    expect("poll 99% pivot");
    done(OUTCOME_OK);
    over(BLOCK_JOB_COMPLETED);
    expect("done");
    end_world();
}

static void
test_cancel(void)
{
    running(&a_pull, "start-pull");
    cancel(ERROR_NONE);
    expect("give-up");
    done(OUTCOME_OK);
    over(BLOCK_JOB_CANCELED);
    expect("canceled");
    expect_error(ERROR_CANCELED, "as was asked for");
    cancel(ERROR_INVALID_STATE);
    end_world();

    /* libvirt does not give it up. */
    running(&a_pull, "start-pull");
    cancel(ERROR_NONE);
    done(OUTCOME_FAILED);
    expect("give-up refused");
    over(BLOCK_JOB_COMPLETED);
    expect("done");
    end_world();

    /* Too late. */
    running(&a_commit, "start-commit");
    event(BLOCK_JOB_READY);
    cancel(ERROR_INVALID_STATE);
    expect("pivot");
    done(OUTCOME_OK);
    over(BLOCK_JOB_COMPLETED);
    expect("done");
    end_world();

    /* Not sent yet; or sent, and then it is given up as soon as it runs. */
    for (unsigned sent = 0; sent < 2; sent++) {
        begin_world(&a_pull);
        disk_operation_begin(world.op, world.now);
        chain("top base", true);
        expect("chain start-pull");
        world.may_withdraw = !sent;
        cancel(ERROR_NONE);
        expect(sent ? "withdraw" : "withdraw canceled");
        if (sent) {
            done(OUTCOME_OK);
            expect("give-up");
            done(OUTCOME_OK);
            over(BLOCK_JOB_CANCELED);
            expect("canceled");
        }
        end_world();
    }

    /* Somebody else. */
    running(&a_pull, "start-pull");
    over(BLOCK_JOB_CANCELED);
    expect("canceled");
    expect_error(ERROR_CANCELED, "somebody else");
    end_world();
}

static void
capacity(uint64_t bytes)
{
    DiskAnswer answer = {.capacity = bytes};

    disk_operation_call_done(world.op, world.now, OUTCOME_OK, &answer, NULL);
}

static void
test_resize(void)
{
    begin_world(&a_resize);
    disk_operation_begin(world.op, world.now);
    cancel(ERROR_INVALID_STATE);
    done(OUTCOME_OK);
    expect("resize withdraw done");
    end_world();
    for (unsigned was_done = 0; was_done < 2; was_done++) {
        begin_world(&a_resize);
        disk_operation_begin(world.op, world.now);
        connection(false);
        done(OUTCOME_LOST);
        connection(true);
        expect("resize capacity");
        capacity(was_done ? 1 << 20 : 1 << 19);
        expect(was_done ? "done" : "failed");
        if (!was_done)
            expect_error(ERROR_OPERATION_FAILED, MAY_HAVE);
        end_world();
    }
}

/* Somebody else's is followed, and not ended. */
static void
test_of_others(void)
{
    BlockJobInfo info = {.type = BLOCK_JOB_COPY, .progress = 1, .ready = true};
    DiskChain before = {.layers = g_strsplit("top", " ", -1), .is_active = true};

    begin_world(NULL);
    disk_operation_follow(world.op, world.now, &info, &before);
    g_assert_null(before.layers);
    event(BLOCK_JOB_READY);
    elapse();
    polled(BLOCK_JOB_COPY, 1, true);
    expect("100% poll 100%");
    cancel(ERROR_NONE); /* but for a client */
    expect("give-up");
    done(OUTCOME_OK);
    over(BLOCK_JOB_CANCELED);
    expect("canceled");
    end_world();
}

static void
test_domain_ends(void)
{
    running(&a_copy, "start-copy");
    disk_operation_off(world.op, world.now);
    expect("chain");
    chain("top", false);
    expect("failed");
    expect_error(ERROR_OPERATION_FAILED, "turned off");
    end_world();
    running(&a_copy, "start-copy");
    disk_operation_gone(world.op);
    expect("failed");
    expect_error(ERROR_OPERATION_FAILED, "gone");
    end_world();
    /* libvirt's event comes first where there is one. */
    running(&a_copy, "start-copy");
    event(BLOCK_JOB_CANCELED);
    disk_operation_off(world.op, world.now);
    disk_operation_gone(world.op);
    expect("poll canceled");
    end_world();
    running(&a_copy, "start-copy");
    disk_operation_abort(world.op, "the service is stopping");
    disk_operation_abort(world.op, "the service is stopping");
    expect("failed");
    end_world();
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/disk-operation/types", test_types);
    g_test_add_func("/disk-operation/refused", test_refused);
    g_test_add_func("/disk-operation/end-of-another", test_end_of_another);
    g_test_add_func("/disk-operation/polls", test_polls);
    g_test_add_func("/disk-operation/cancel", test_cancel);
    g_test_add_func("/disk-operation/resize", test_resize);
    g_test_add_func("/disk-operation/of-others", test_of_others);
    g_test_add_func("/disk-operation/domain-ends", test_domain_ends);
    return g_test_run();
}
