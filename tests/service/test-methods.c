/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every operation in every state that the test driver can put a domain in: the table of the
 * interface's documentation. */

#include "service.h"

#include <string.h>

#define INVALID_STATE    VMS_ERROR_PREFIX "InvalidState"
#define OPERATION_FAILED VMS_ERROR_PREFIX "OperationFailed"
#define TIMEOUT          VMS_ERROR_PREFIX "Timeout"

#define NOT_SUPPORTED "this function is not supported by the connection driver"

static const char *const operations[] = {"Start",     "Stop",   "Pause", "Resume",
                                         "ForceStop", "Reboot", "Reset"};

typedef struct Cell {
    const char *error; /* NULL: it succeeds */
    const char *state; /* what the domain is afterwards; on error NULL: as before */
    const char *words; /* that the error contains */
} Cell;

#define OK(state_)                                                                                 \
    {                                                                                              \
        .state = state_                                                                            \
    }
#define NO                                                                                         \
    {                                                                                              \
        .error = INVALID_STATE                                                                     \
    }
#define FAILED(words_)                                                                             \
    {                                                                                              \
        .error = OPERATION_FAILED, .words = words_                                                 \
    }
#define TIMED_OUT(words_)                                                                          \
    {                                                                                              \
        .error = TIMEOUT, .words = words_                                                          \
    }

/* The test driver obeys a request to shut down at once, cannot wake a sleeping domain, and leaves
 * one that is shutting down so for ever. */
static const struct Row {
    const char *state;
    Cell cells[G_N_ELEMENTS(operations)];
} table[] = {
    {"running", {NO, OK("shutoff"), OK("paused"), NO, OK("shutoff"), OK("running"), OK("running")}},
    {"idle", {NO, OK("shutoff"), OK("paused"), NO, OK("shutoff"), OK("running"), OK("running")}},
    {"paused",
     {OK("running"), OK("shutoff"), NO, OK("running"), OK("shutoff"), OK("running"),
      OK("running")}},
    {"pmsuspended",
     {FAILED(NOT_SUPPORTED ": virDomainPMWakeup"), OK("shutoff"), NO,
      FAILED(NOT_SUPPORTED ": virDomainPMWakeup"), OK("shutoff"),
      FAILED(NOT_SUPPORTED ": virDomainPMWakeup"), OK("running")}},
    {"shutdown", {NO, OK("shutoff"), NO, NO, OK("shutoff"), TIMED_OUT("stays off"), OK("running")}},
    {"shutoff", {OK("running"), NO, NO, NO, NO, NO, NO}},
    {"crashed", {NO, OK("shutoff"), NO, NO, OK("shutoff"), NO, OK("running")}},
    /* Each verb is tried and libvirt answers: the domain is in fact active. */
    {"nostate",
     {FAILED("already running"), OK("shutoff"), OK("paused"), FAILED("not paused"), OK("shutoff"),
      OK("running"), OK("running")}},
};

static char *
cell_name(const struct Row *row, guint operation)
{
    return g_strdup_printf("%s-%s", row->state, operations[operation]);
}

static void
check_success(Service *s, const char *path, const Call *call, const struct Row *row,
              const Cell *cell, guint64 mark)
{
    g_autofree char *history = mirror_history(s->mirror, mark, path, "State");
    g_autofree char *jobs = mirror_history(s->mirror, mark, path, "Job");

    /* The loop stopped at the reply: what the mirror has now came before it. */
    g_test_message("%s: State %s, Job %s", call->what, history, jobs);
    g_assert_cmpstr(call->body, ==, "");
    g_assert_true(mirror_is(s->mirror, path, "State", cell->state));
    g_assert_true(mirror_is(s->mirror, path, "Job", "/"));
    if (!g_str_equal(row->state, cell->state))
        g_assert_true(g_str_has_suffix(history, cell->state));
    else
        g_assert_true(g_str_has_suffix(history, cell->state) || *history == '\0');
}

static void
check_refusal(Service *s, const char *path, Call *call, const struct Row *row, const Cell *cell,
              const char *operation, guint64 mark)
{
    assert_error_says(call, cell->error, cell->words);
    g_assert_true(mirror_is(s->mirror, path, "State", row->state));
    g_assert_true(mirror_is(s->mirror, path, "Job", "/"));
    if (!g_str_equal(cell->error, INVALID_STATE))
        return;
    /* It names both, and nothing has happened. */
    assert_error_says(call, cell->error, operation);
    assert_error_says(call, cell->error, row->state);
    g_assert_cmpuint(mirror_count(s->mirror, mark, path, NULL), ==, 0);
    g_assert_cmpuint(mirror_count(s->mirror, mark, VMS_ROOT_PATH, NULL), ==, 0);
}

static void
check_job(Service *s, const char *path, const Cell *cell, const char *operation, guint64 mark)
{
    const char *result = !cell->error                        ? "done"
                         : g_str_equal(cell->error, TIMEOUT) ? "timeout"
                                                             : "failed";
    g_autofree char *middle = g_strdup_printf(" %s %s %s ", path, operation, result);
    guint wanted = g_strcmp0(cell->error, INVALID_STATE) == 0 ? 0 : 1;
    const Signal *removed;

    wait_for(s->world, mirror_count(s->mirror, mark, NULL, "JobRemoved") >= wanted);
    g_assert_cmpuint(mirror_count(s->mirror, mark, NULL, "JobRemoved"), ==, wanted);
    if (wanted == 0)
        return;
    removed = mirror_find(s->mirror, mark, NULL, "JobRemoved");
    g_assert_nonnull(strstr(removed->body, middle));
    if (!cell->error)
        g_assert_true(g_str_has_suffix(removed->body, middle));
    else
        g_assert_nonnull(strstr(removed->body, cell->words));
}

static void
test_by_state(void)
{
    g_autoptr(Node) node = node_new();

    for (guint r = 0; r < G_N_ELEMENTS(table); r++)
        for (guint o = 0; o < G_N_ELEMENTS(operations); o++) {
            g_autofree char *name = cell_name(&table[r], o);
            node_add(node, name, table[r].state);
        }
    g_autoptr(Service) s = service_on_node(node, "--stop-timeout=1", NULL);

    for (guint r = 0; r < G_N_ELEMENTS(table); r++)
        for (guint o = 0; o < G_N_ELEMENTS(operations); o++) {
            const Cell *cell = &table[r].cells[o];
            g_autofree char *name = cell_name(&table[r], o);
            g_autofree char *path = client_domain(s->client, name);
            g_assert_true(mirror_is(s->mirror, path, "State", table[r].state));

            guint64 mark = mirror_mark(s->mirror);
            g_autoptr(Call) call = domain_call(s, path, operations[o], NULL);
            if (cell->error)
                check_refusal(s, path, call, &table[r], cell, operations[o], mark);
            else {
                assert_ok(call);
                check_success(s, path, call, &table[r], cell, mark);
            }
            check_job(s, path, cell, operations[o], mark);
            mirror_check(s->mirror);
        }
}

/* The same through the job: the path is the reply, the outcome is in JobRemoved. */
static void
test_with_options_by_state(void)
{
    static const guint having[] = {0, 1, 5};
    g_autoptr(Node) node = node_new();

    for (guint r = 0; r < G_N_ELEMENTS(table); r++)
        for (guint i = 0; i < G_N_ELEMENTS(having); i++) {
            g_autofree char *name = cell_name(&table[r], having[i]);
            node_add(node, name, table[r].state);
        }
    g_autoptr(Service) s = service_on_node(node, "--stop-timeout=1", NULL);

    for (guint r = 0; r < G_N_ELEMENTS(table); r++)
        for (guint i = 0; i < G_N_ELEMENTS(having); i++) {
            const char *operation = operations[having[i]];
            const Cell *cell = &table[r].cells[having[i]];
            g_autofree char *name = cell_name(&table[r], having[i]);
            g_autofree char *path = client_domain(s->client, name);
            g_autofree char *member = g_strconcat(operation, "WithOptions", NULL);

            guint64 mark = mirror_mark(s->mirror);
            g_autoptr(Call) call = domain_call(s, path, member, "a{sv}", 0);
            if (g_strcmp0(cell->error, INVALID_STATE) == 0) {
                check_refusal(s, path, call, &table[r], cell, operation, mark);
                continue;
            }
            assert_ok(call);
            g_assert_true(g_str_has_prefix(call_path(call), VMS_JOB_PREFIX "/"));
            wait_for(s->world, mirror_job_removed(s->mirror, call_path(call)));
            g_assert_cmpuint(mirror_job_removed(s->mirror, call_path(call))->sequence, >,
                             call->sequence);
            g_assert_true(
                mirror_is(s->mirror, path, "State", cell->error ? table[r].state : cell->state));
            check_job(s, path, cell, operation, mark);
            g_assert_false(mirror_has(s->mirror, call_path(call), VMS_JOB_INTERFACE));
            mirror_check(s->mirror);
        }
}

static void
test_transient_vanishes(void)
{
    static const char *const ends[] = {"Stop", "ForceStop"};
    g_autoptr(Node) node = node_new();

    for (guint i = 0; i < G_N_ELEMENTS(ends); i++)
        node_add_domain(node,
                        &(NodeDomain){.name = ends[i], .state = "running", .transient = true});
    g_autoptr(Service) s = service_on_node(node, "--stop-timeout=1", NULL);

    for (guint i = 0; i < G_N_ELEMENTS(ends); i++) {
        g_autofree char *path = client_domain(s->client, ends[i]);
        g_assert_true(mirror_is(s->mirror, path, "Persistent", "false"));
        g_autoptr(Call) call = domain_call(s, path, ends[i], NULL);
        assert_ok(call);
        g_assert_false(mirror_has(s->mirror, path, VMS_DOMAIN_INTERFACE));
        g_autoptr(Call) again = domain_call(s, path, "Start", NULL);
        assert_error(again, SD_BUS_ERROR_UNKNOWN_OBJECT);
        g_autoptr(Call) lookup = manager_call(s, "GetDomain", "s", ends[i]);
        assert_error(lookup, VMS_ERROR_PREFIX "NoSuchDomain");
    }
}

/* It would vanish on a power cycle: the hypervisor's own reboot and reset keep it. */
static void
test_transient_survives(void)
{
    g_autoptr(Node) node = node_new();

    node_add_domain(node, &(NodeDomain){.name = "t", .state = "running", .transient = true});
    g_autoptr(Service) s = service_on_node(node, "--stop-timeout=1", NULL);
    g_autofree char *path = client_domain(s->client, "t");
    guint64 mark = mirror_mark(s->mirror);

    g_autoptr(Call) reboot = domain_call(s, path, "Reboot", NULL);
    assert_ok(reboot);
    g_assert_true(mirror_is(s->mirror, path, "State", "running"));
    g_assert_true(mirror_is(s->mirror, path, "Persistent", "false"));
    g_autoptr(Call) reset = domain_call(s, path, "Reset", NULL);
    assert_ok(reset);
    g_assert_true(mirror_is(s->mirror, path, "State", "running"));
    /* The same life. */
    g_autofree char *ids = mirror_history(s->mirror, mark, path, "Id");
    g_assert_cmpstr(ids, ==, "");
}

static void
test_default_host(void)
{
    g_autoptr(Service) s = service_new("--uri=test:///default", "--stop-timeout=5", NULL);
    g_autofree char *path = client_domain(s->client, "test");

    g_assert_cmpstr(path, ==, VMS_DOMAIN_PREFIX "/6695eb01_f6a4_8304_79aa_97f2502e193f");
    g_assert_true(mirror_is(s->mirror, path, "Uuid", "6695eb01-f6a4-8304-79aa-97f2502e193f"));
    g_assert_true(mirror_is(s->mirror, path, "Name", "test"));
    g_assert_true(mirror_is(s->mirror, path, "State", "running"));
    g_assert_true(mirror_is(s->mirror, path, "Id", "1"));
    g_assert_true(mirror_is(s->mirror, path, "Persistent", "true"));
    g_assert_true(mirror_is(s->mirror, path, "Autostart", "false"));
    g_assert_true(mirror_is(s->mirror, path, "Available", "true"));
    g_assert_true(mirror_is(s->mirror, path, "Job", "/"));

    guint64 mark = mirror_mark(s->mirror);
    g_autoptr(Call) stop = domain_call(s, path, "Stop", NULL);
    assert_ok(stop);
    g_autofree char *stopped = mirror_history(s->mirror, mark, path, "State");
    g_autofree char *reason = mirror_history(s->mirror, mark, path, "StateReason");
    g_autofree char *id = mirror_history(s->mirror, mark, path, "Id");
    g_assert_cmpstr(stopped, ==, "shutoff");
    g_assert_cmpstr(reason, ==, "shut-down");
    g_assert_cmpstr(id, ==, "-1");

    mark = mirror_mark(s->mirror);
    g_autoptr(Call) start = domain_call(s, path, "Start", NULL);
    assert_ok(start);
    g_autofree char *started = mirror_history(s->mirror, mark, path, "State");
    g_assert_cmpstr(started, ==, "running");
    g_assert_true(mirror_is(s->mirror, path, "StateReason", "booted"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/methods/by-state", test_by_state);
    g_test_add_func("/methods/with-options-by-state", test_with_options_by_state);
    g_test_add_func("/methods/transient-vanishes", test_transient_vanishes);
    g_test_add_func("/methods/transient-survives", test_transient_survives);
    g_test_add_func("/methods/default-host", test_default_host);
    return g_test_run();
}
