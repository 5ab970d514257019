/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "disk-operation-world.h"

World world;

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

void
begin_world(const DiskOperationSpec *spec)
{
    DiskOperationSpec *copy = spec ? disk_operation_spec_new(spec) : NULL;

    world = (World){.now = 1000 * MSEC, .log = g_string_new(NULL)};
    world.op = disk_operation_new(copy, "It", &effects, NULL);
    disk_operation_spec_unref(copy);
}

void
end_world(void)
{
    g_assert_true(world.finished);
    g_assert_cmpuint(world.armed, ==, UINT64_MAX);
    disk_operation_free(world.op);
    error_free(world.error);
    g_string_free(world.log, TRUE);
}

void
expect(const char *log)
{
    g_assert_cmpstr(world.log->str, ==, log);
    g_string_truncate(world.log, 0);
}

void
expect_error(ErrorKind kind, const char *words)
{
    g_assert_nonnull(world.error);
    g_assert_cmpint(world.error->kind, ==, kind);
    if (!strstr(world.error->message, words))
        g_error("%s, and not %s", world.error->message, words);
}

void
done(CallOutcome outcome)
{
    g_autoptr(Error) error = error_new(ERROR_OPERATION_FAILED, "libvirt said no");

    disk_operation_call_done(world.op, world.now, outcome, NULL,
                             outcome == OUTCOME_FAILED ? error : NULL);
}

void
chain(const char *layers, bool is_active)
{
    DiskAnswer answer = {
        .chain = {.layers = g_strsplit(layers, " ", -1), .is_active = is_active},
    };

    disk_operation_call_done(world.op, world.now, OUTCOME_OK, &answer, NULL);
    disk_chain_clear(&answer.chain);
}

void
polled(BlockJobType type, double progress, bool ready)
{
    DiskAnswer answer = {.info = {.type = type, .progress = progress, .ready = ready}};

    disk_operation_call_done(world.op, world.now, OUTCOME_OK, &answer, NULL);
}

void
elapse(void)
{
    g_assert_cmpuint(world.armed, !=, UINT64_MAX);
    g_assert_cmpuint(world.armed, >, world.now);
    world.now = world.armed;
    disk_operation_elapsed(world.op, world.now);
}

void
event(BlockJobEvent about)
{
    disk_operation_event(world.op, world.now, about);
}

void
over(BlockJobEvent about)
{
    event(about);
    expect("poll");
    polled(BLOCK_JOB_NONE, -1, false);
}

void
connection(bool connected)
{
    disk_operation_connection(world.op, world.now, connected);
}

void
cancel(ErrorKind kind)
{
    g_autoptr(Error) error = disk_operation_cancel(world.op, world.now);

    g_assert_cmpint(error ? error->kind : ERROR_NONE, ==, kind);
}

void
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

const DiskOperationSpec a_commit = {.kind = DISK_COMMIT};
const DiskOperationSpec a_pull = {.kind = DISK_PULL};
const DiskOperationSpec a_copy = {.kind = DISK_COPY, .destination = (char *)"copy"};
const DiskOperationSpec a_move = {
    .kind = DISK_COPY,
    .destination = (char *)"copy",
    .pivot = true,
};
const DiskOperationSpec a_resize = {.kind = DISK_RESIZE, .bytes = 1 << 20};
