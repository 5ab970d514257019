/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Operations on disks: the test is the clock, the hypervisor and QEMU. Every effect is a word in a
 * log, which is compared with what it should be. */

#include "disk-operation.h"

#define MSEC UINT64_C(1000)

#define MAY_HAVE "it may have been carried out"

typedef struct {
    DiskOperation *op;
    uint64_t now;
    uint64_t armed;
    GString *log;
    bool may_withdraw;
    bool finished;
    OperationResult result;
    Error *error;
} World;

static World world;

/* --- effects ------------------------------------------------------------------------------ */

static void
say(const char *word)
{
    g_string_append_printf(world.log, "%s%s", world.log->len ? " " : "", word);
}

static void
on_call(void *userdata, DiskCallKind kind, BlockJobType type)
{
    static const char *const names[] = {
        [DISK_CALL_READ_CHAIN] = "chain", [DISK_CALL_READ_CAPACITY] = "capacity",
        [DISK_CALL_RESIZE] = "resize",    [DISK_CALL_START] = "start",
        [DISK_CALL_POLL] = "poll",        [DISK_CALL_KEEP] = "keep",
        [DISK_CALL_PIVOT] = "pivot",      [DISK_CALL_GIVE_UP] = "give-up",
    };
    static const char *const types[] = {
        [BLOCK_JOB_COMMIT] = "-below",
        [BLOCK_JOB_ACTIVE_COMMIT] = "-commit",
        [BLOCK_JOB_PULL] = "-pull",
        [BLOCK_JOB_COPY] = "-copy",
    };
    g_autofree char *start = g_strconcat(names[kind], types[type], NULL);

    say(kind == DISK_CALL_START ? start : names[kind]);
}

static bool
on_withdraw(void *userdata)
{
    say("withdraw");
    return world.may_withdraw;
}

static void
on_arm(void *userdata, uint64_t when)
{
    world.armed = when;
}

static void
on_progressed(void *userdata, double progress)
{
    g_autofree char *word = g_strdup_printf("%.0f%%", progress * 100);

    say(word);
}

static void
on_refused(void *userdata, const Error *error)
{
    say("refused");
}

static void
on_finished(void *userdata, OperationResult result, const Error *error)
{
    g_assert_false(world.finished);
    world.finished = true;
    world.result = result;
    world.error = error_copy(error);
    say(operation_result_name(result));
}

static const DiskOperationEffects effects = {
    .call = on_call,
    .withdraw = on_withdraw,
    .arm = on_arm,
    .progressed = on_progressed,
    .refused = on_refused,
    .finished = on_finished,
};

/* --- the world ---------------------------------------------------------------------------- */

static void
begin_world(const DiskOperationSpec *spec)
{
    DiskOperationSpec *copy = spec ? disk_operation_spec_new(spec) : NULL;

    world = (World){.now = 1000 * MSEC, .log = g_string_new(NULL)};
    world.op = disk_operation_new(copy, "It", &effects, NULL);
    disk_operation_spec_unref(copy);
}

static void
end_world(void)
{
    g_assert_true(world.finished);
    g_assert_cmpuint(world.armed, ==, UINT64_MAX);
    disk_operation_free(world.op);
    error_free(world.error);
    g_string_free(world.log, TRUE);
}

static void
expect(const char *log)
{
    g_assert_cmpstr(world.log->str, ==, log);
    g_string_truncate(world.log, 0);
}

static void
expect_error(ErrorKind kind, const char *words)
{
    g_assert_nonnull(world.error);
    g_assert_cmpint(world.error->kind, ==, kind);
    if (!strstr(world.error->message, words))
        g_error("%s, and not %s", world.error->message, words);
}

static void
done(CallOutcome outcome)
{
    g_autoptr(Error) error = error_new(ERROR_OPERATION_FAILED, "libvirt said no");

    disk_operation_call_done(world.op, world.now, outcome, NULL,
                             outcome == OUTCOME_FAILED ? error : NULL);
}

static void
chain(const char *layers, bool is_active)
{
    DiskAnswer answer = {
        .chain = {.layers = g_strsplit(layers, " ", -1), .is_active = is_active},
    };

    disk_operation_call_done(world.op, world.now, OUTCOME_OK, &answer, NULL);
    disk_chain_clear(&answer.chain);
}

static void
polled(BlockJobType type, double progress, bool ready)
{
    DiskAnswer answer = {.info = {.type = type, .progress = progress, .ready = ready}};

    disk_operation_call_done(world.op, world.now, OUTCOME_OK, &answer, NULL);
}

static void
elapse(void)
{
    g_assert_cmpuint(world.armed, !=, UINT64_MAX);
    g_assert_cmpuint(world.armed, >, world.now);
    world.now = world.armed;
    disk_operation_elapsed(world.op, world.now);
}

static void
event(BlockJobEvent about)
{
    disk_operation_event(world.op, world.now, about);
}

/* An event tells the end, and a poll shows that it is so. */
static void
over(BlockJobEvent about)
{
    event(about);
    expect("poll");
    polled(BLOCK_JOB_NONE, -1, false);
}

static void
connection(bool connected)
{
    disk_operation_connection(world.op, world.now, connected);
}

static void
cancel(ErrorKind kind)
{
    g_autoptr(Error) error = disk_operation_cancel(world.op, world.now);

    g_assert_cmpint(error ? error->kind : ERROR_NONE, ==, kind);
}

/* Started, with the layers "top middle base". */
static void
running(const DiskOperationSpec *spec, const char *start)
{
    begin_world(spec);
    disk_operation_begin(world.op, world.now);
    expect("chain");
    chain("top middle base", true);
    expect(start);
    done(OUTCOME_OK);
    expect("");
}

static const DiskOperationSpec a_commit = {.kind = DISK_COMMIT};
static const DiskOperationSpec a_pull = {.kind = DISK_PULL};
static const DiskOperationSpec a_copy = {.kind = DISK_COPY, .destination = (char *)"copy"};
static const DiskOperationSpec a_move = {
    .kind = DISK_COPY,
    .destination = (char *)"copy",
    .pivot = true,
};
static const DiskOperationSpec a_resize = {.kind = DISK_RESIZE, .bytes = 1 << 20};

/* --- cases -------------------------------------------------------------------------------- */

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

/* It has no name: a copy that somebody else makes would be taken for ours if ours were lost. */
static void
test_occupied(void)
{
    DiskAnswer answer = {
        .chain = {.layers = g_strsplit("top", " ", -1), .is_active = true, .has_mirror = true},
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
    g_test_add_func("/disk-operation/connection", test_connection);
    g_test_add_func("/disk-operation/unseen", test_unseen);
    g_test_add_func("/disk-operation/occupied", test_occupied);
    g_test_add_func("/disk-operation/end-lost", test_end_lost);
    g_test_add_func("/disk-operation/start-lost", test_start_lost);
    g_test_add_func("/disk-operation/resize", test_resize);
    g_test_add_func("/disk-operation/of-others", test_of_others);
    g_test_add_func("/disk-operation/domain-ends", test_domain_ends);
    return g_test_run();
}
