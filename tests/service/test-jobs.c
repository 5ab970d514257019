/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Operations that take long: jobs, joining, Busy, overtaking, cancelling, time limits. The long
 * operation is the Stop of a guest that is shutting down, which the test driver leaves so for ever.
 */

#include "service.h"

#include <inttypes.h>
#include <string.h>

#define BUSY          VMS_ERROR_PREFIX "Busy"
#define CANCELED      VMS_ERROR_PREFIX "Canceled"
#define STILL_RUNNING VMS_ERROR_PREFIX "StillRunning"
#define TIMEOUT       VMS_ERROR_PREFIX "Timeout"

#define SEC UINT64_C(1000000)

static Service *
service_with_stuck_guests(const char *const *names, const char *option)
{
    g_autoptr(Node) node = node_new();

    for (; *names; names++)
        node_add(node, *names, "shutdown");
    return service_on_node(node, option, NULL);
}

static Service *
service_with_stuck_guest(const char *option)
{
    return service_with_stuck_guests((const char *const[]){"stuck", NULL}, option);
}

static Call *
send_stop(Service *s, const char *path, uint64_t timeout)
{
    return domain_send(s, path, "StopWithOptions", "a{sv}", 1, "timeout", "t", timeout);
}

static Call *
cancel(Service *s, const char *job)
{
    return client_call(s->client, job, VMS_JOB_INTERFACE, "Cancel", NULL);
}

/* "operation result" of a job, once it has ended. */
static char *
outcome(Service *s, const char *job)
{
    const Signal *removed;

    wait_for(s->world, mirror_job_removed(s->mirror, job));
    removed = mirror_job_removed(s->mirror, job);
    g_auto(GStrv) fields = g_strsplit(removed->body, " ", 5);
    g_assert_cmpuint(g_strv_length(fields), ==, 5);
    g_assert_true(g_str_equal(fields[3], "done") == g_str_equal(fields[4], ""));
    g_assert_false(mirror_has(s->mirror, job, VMS_JOB_INTERFACE));
    return g_strdup_printf("%s %s", fields[2], fields[3]);
}

#define assert_outcome(s, job, expected)                                                           \
    G_STMT_START                                                                                   \
    {                                                                                              \
        g_autofree char *outcome_ = outcome(s, job);                                               \
        g_assert_cmpstr(outcome_, ==, expected);                                                   \
    }                                                                                              \
    G_STMT_END

static void
test_object(void)
{
    g_autoptr(Service) s = service_with_stuck_guest("--stop-timeout=10");
    g_autofree char *path = client_domain(s->client, "stuck");
    guint64 before = (guint64)g_get_real_time();

    g_autoptr(Call) stop = send_stop(s, path, 600 * SEC);
    assert_ok(stop);
    const char *job = call_path(stop);
    /* The job's object exists before the reply names it. */
    g_assert_true(mirror_is(s->mirror, path, "Job", job));
    g_assert_cmpstr(mirror_get(s->mirror, job, VMS_JOB_INTERFACE, "Operation"), ==, "Stop");
    g_assert_cmpstr(mirror_get(s->mirror, job, VMS_JOB_INTERFACE, "Domain"), ==, path);
    g_assert_cmpstr(mirror_get(s->mirror, job, VMS_JOB_INTERFACE, "Progress"), ==, "-1");
    const char *started = mirror_get(s->mirror, job, VMS_JOB_INTERFACE, "StartedAt");
    g_assert_cmpuint(g_ascii_strtoull(started, NULL, 10), >=, before);
    g_assert_cmpuint(g_ascii_strtoull(started, NULL, 10), <=, (guint64)g_get_real_time());
    assert_property(s->client, job, VMS_JOB_INTERFACE, "Operation", "Stop");
    mirror_check(s->mirror);

    g_autoptr(Call) canceled = cancel(s, job);
    assert_ok(canceled);
    assert_outcome(s, job, "Stop canceled");
    g_assert_true(mirror_is(s->mirror, path, "Job", "/"));
    g_assert_true(mirror_is(s->mirror, path, "State", "shutdown"));
    g_autoptr(Call) again = cancel(s, job);
    assert_error(again, SD_BUS_ERROR_UNKNOWN_OBJECT);
}

/* The numbers of jobs are never used again. */
static void
test_numbers(void)
{
    g_autoptr(Service) s = service_with_stuck_guest("--stop-timeout=10");
    g_autofree char *path = client_domain(s->client, "stuck");

    g_autoptr(Call) first = send_stop(s, path, 600 * SEC);
    assert_ok(first);
    g_autoptr(Call) first_canceled = cancel(s, call_path(first));
    assert_ok(first_canceled);
    g_autoptr(Call) second = send_stop(s, path, 600 * SEC);
    assert_ok(second);
    g_assert_cmpstr(call_path(first), !=, call_path(second));
    g_autoptr(Call) second_canceled = cancel(s, call_path(second));
    assert_ok(second_canceled);
}

static void
test_join(void)
{
    g_autoptr(Service) s = service_with_stuck_guest("--stop-timeout=2");
    g_autoptr(Client) other = client_new(s->world);
    g_autofree char *path = client_domain(s->client, "stuck");
    guint64 mark = mirror_mark(s->mirror);

    g_autoptr(Call) a = domain_send(s, path, "Stop", NULL);
    g_autoptr(Call) b = client_send(other, path, VMS_DOMAIN_INTERFACE, "Stop", NULL);
    g_autoptr(Call) c = domain_send(s, path, "StopWithOptions", "a{sv}", 0);
    assert_ok(c);
    g_assert_true(mirror_is(s->mirror, path, "Job", call_path(c)));
    assert_ok(a);
    assert_ok(b);
    assert_outcome(s, call_path(c), "Stop done");
    g_assert_cmpuint(mirror_count(s->mirror, mark, NULL, "JobRemoved"), ==, 1);
    g_assert_true(mirror_is(s->mirror, path, "State", "shutoff"));
    /* It has not waited for less than the time that the guest was given. */
    g_assert_cmpint(call_duration_ms(a), >=, 1900);
}

static void
test_join_needs_same_arguments(void)
{
    g_autoptr(Service) s = service_with_stuck_guest("--stop-timeout=10");
    g_autofree char *path = client_domain(s->client, "stuck");

    g_autoptr(Call) a = send_stop(s, path, 600 * SEC);
    assert_ok(a);
    g_autoptr(Call) same = send_stop(s, path, 600 * SEC);
    assert_ok(same);
    g_assert_cmpstr(call_path(a), ==, call_path(same));
    g_autoptr(Call) longer = send_stop(s, path, 601 * SEC);
    assert_error_says(longer, BUSY, "Stop");
    g_autoptr(Call) gentle = domain_call(s, path, "StopWithOptions", "a{sv}", 2, "timeout", "t",
                                         600 * SEC, "force", "b", false);
    assert_error_says(gentle, BUSY, "Stop");
    g_autoptr(Call) plain = domain_call(s, path, "Stop", NULL);
    assert_error_says(plain, BUSY, "Stop");
    g_autoptr(Call) canceled = cancel(s, call_path(a));
    assert_ok(canceled);
}

static void
test_busy(void)
{
    static const char *const others[] = {"Start", "Pause", "Resume", "Reboot", "Reset"};
    static const char *const with_options[] = {"StartWithOptions", "RebootWithOptions"};
    g_autoptr(Service) s =
        service_with_stuck_guests((const char *const[]){"stuck", "free", NULL}, "--stop-timeout=1");
    g_autofree char *path = client_domain(s->client, "stuck");
    g_autofree char *free_path = client_domain(s->client, "free");

    g_autoptr(Call) stop = send_stop(s, path, 600 * SEC);
    assert_ok(stop);
    guint64 mark = mirror_mark(s->mirror);
    for (guint i = 0; i < G_N_ELEMENTS(others); i++) {
        g_autoptr(Call) call = domain_call(s, path, others[i], NULL);
        assert_error_says(call, BUSY, "Stop");
    }
    for (guint i = 0; i < G_N_ELEMENTS(with_options); i++) {
        g_autoptr(Call) call = domain_call(s, path, with_options[i], "a{sv}", 0);
        assert_error_says(call, BUSY, "Stop");
    }
    g_assert_cmpuint(mirror_count(s->mirror, mark, NULL, NULL), ==, 0);

    /* Methods that are no operation are not held up, and neither are other domains. */
    g_autoptr(Call) autostart = domain_call(s, path, "SetAutostart", "b", true);
    assert_ok(autostart);
    g_assert_true(mirror_is(s->mirror, path, "Autostart", "true"));
    g_autoptr(Call) xml = domain_call(s, path, "GetXml", "a{sv}", 0);
    assert_ok(xml);
    g_autoptr(Call) list = manager_call(s, "ListDomains", NULL);
    assert_ok(list);
    g_autoptr(Call) elsewhere = domain_call(s, free_path, "Stop", NULL);
    assert_ok(elsewhere);

    g_assert_true(mirror_is(s->mirror, path, "Job", call_path(stop)));
    g_autoptr(Call) canceled = cancel(s, call_path(stop));
    assert_ok(canceled);
}

static void
test_force_stop_overtakes(void)
{
    g_autoptr(Service) s = service_with_stuck_guest("--stop-timeout=600");
    g_autofree char *path = client_domain(s->client, "stuck");

    g_autoptr(Call) waiting = domain_send(s, path, "Stop", NULL);
    g_autoptr(Call) stop = domain_send(s, path, "StopWithOptions", "a{sv}", 0);
    assert_ok(stop);
    guint64 mark = mirror_mark(s->mirror);
    /* The service finds both at once: the second one comes while the first is under way. */
    process_signal(world_service(s->world), SIGSTOP);
    g_autoptr(Call) force_a = domain_send(s, path, "ForceStop", NULL);
    g_autoptr(Call) force_b = domain_send(s, path, "ForceStop", NULL);
    client_pass_through_bus(s->client);
    process_signal(world_service(s->world), SIGCONT);
    assert_ok(force_a);
    assert_ok(force_b);
    assert_error(waiting, CANCELED);
    assert_outcome(s, call_path(stop), "Stop canceled");
    wait_for(s->world, mirror_count(s->mirror, mark, NULL, "JobRemoved") == 2);
    g_autofree char *history = mirror_history(s->mirror, mark, path, "State");
    g_assert_cmpstr(history, ==, "shutoff");
    g_assert_true(mirror_is(s->mirror, path, "Job", "/"));
}

static void
test_cancel_answers_everybody(void)
{
    g_autoptr(Service) s = service_with_stuck_guest("--stop-timeout=600");
    g_autofree char *path = client_domain(s->client, "stuck");

    g_autoptr(Call) a = domain_send(s, path, "Stop", NULL);
    g_autoptr(Call) b = domain_send(s, path, "Stop", NULL);
    g_autoptr(Call) job = domain_send(s, path, "StopWithOptions", "a{sv}", 0);
    assert_ok(job);
    g_autoptr(Call) canceled = cancel(s, call_path(job));
    assert_ok(canceled);
    assert_error(a, CANCELED);
    assert_error(b, CANCELED);
    assert_outcome(s, call_path(job), "Stop canceled");
    g_assert_true(mirror_is(s->mirror, path, "State", "shutdown"));
}

static void
test_gentle_stop_times_out(void)
{
    g_autoptr(Service) s = service_with_stuck_guest("--stop-timeout=600");
    g_autofree char *path = client_domain(s->client, "stuck");

    g_autoptr(Call) stop = domain_call(s, path, "StopWithOptions", "a{sv}", 2, "timeout", "t",
                                       SEC / 10, "force", "b", false);
    assert_ok(stop);
    assert_outcome(s, call_path(stop), "Stop timeout");
    g_assert_true(mirror_is(s->mirror, path, "State", "shutdown"));
}

static void
test_timeout_forces(void)
{
    g_autoptr(Service) s =
        service_with_stuck_guests((const char *const[]){"a", "b", NULL}, "--stop-timeout=600");
    g_autofree char *a_path = client_domain(s->client, "a");
    g_autofree char *b_path = client_domain(s->client, "b");

    g_autoptr(Call) soon = send_stop(s, a_path, SEC / 10);
    assert_ok(soon);
    assert_outcome(s, call_path(soon), "Stop done");
    g_assert_true(mirror_is(s->mirror, a_path, "State", "shutoff"));
    g_autoptr(Call) now = send_stop(s, b_path, 0);
    assert_ok(now);
    assert_outcome(s, call_path(now), "Stop done");
    g_assert_true(mirror_is(s->mirror, b_path, "State", "shutoff"));
    g_autofree char *log = process_stderr(world_service(s->world));
    g_assert_nonnull(
        strstr(log, "Stop of \"a\" is done: the guest did not power off within its time"));
    g_assert_nonnull(strstr(log, "VM_RESULT=done"));
}

static void
test_reboot_timeout(void)
{
    g_autoptr(Service) s = service_with_stuck_guest("--stop-timeout=600");
    g_autofree char *path = client_domain(s->client, "stuck");

    g_autoptr(Call) reboot =
        domain_call(s, path, "RebootWithOptions", "a{sv}", 1, "timeout", "t", SEC / 10);
    assert_ok(reboot);
    assert_outcome(s, call_path(reboot), "Reboot timeout");
    g_assert_nonnull(strstr(mirror_job_removed(s->mirror, call_path(reboot))->body, "stays off"));
    g_assert_true(mirror_is(s->mirror, path, "State", "shutdown"));
}

static void
test_caller_goes_away(void)
{
    g_autoptr(Service) s = service_with_stuck_guest("--stop-timeout=2");
    g_autofree char *path = client_domain(s->client, "stuck");
    Client *other = client_new(s->world);
    Call *call = client_send(other, path, VMS_DOMAIN_INTERFACE, "Stop", NULL);

    wait_for(s->world, !mirror_is(s->mirror, path, "Job", "/"));
    call_free(call);
    client_free(other);
    wait_for(s->world, mirror_is(s->mirror, path, "State", "shutoff"));
    wait_for(s->world, mirror_is(s->mirror, path, "Job", "/"));
}

/* Nothing takes longer than 20 s to be answered, and the work goes on nevertheless. */
static void
test_still_running(void)
{
    g_autoptr(Service) s =
        service_with_stuck_guests((const char *const[]){"a", "b", NULL}, "--stop-timeout=600");
    g_autofree char *a_path = client_domain(s->client, "a");
    g_autofree char *b_path = client_domain(s->client, "b");

    g_autoptr(Call) stop = domain_send(s, a_path, "Stop", NULL);
    g_autoptr(Call) reboot = domain_send(s, b_path, "Reboot", NULL);
    wait_for(s->world, !mirror_is(s->mirror, a_path, "Job", "/"));
    wait_for(s->world, !mirror_is(s->mirror, b_path, "Job", "/"));
    g_autofree char *stop_job =
        g_strdup(mirror_get(s->mirror, a_path, VMS_DOMAIN_INTERFACE, "Job"));
    g_autofree char *reboot_job =
        g_strdup(mirror_get(s->mirror, b_path, VMS_DOMAIN_INTERFACE, "Job"));

    assert_error(stop, STILL_RUNNING);
    assert_error(reboot, STILL_RUNNING);
    /* Before the bus's own time-out, of 25 s. */
    g_assert_cmpint(call_duration_ms(stop), <, 25000);
    g_assert_cmpint(call_duration_ms(stop), >=, 15000);
    g_assert_true(g_str_has_suffix(stop->error_message, stop_job));
    g_assert_true(g_str_has_suffix(reboot->error_message, reboot_job));
    g_assert_true(mirror_is(s->mirror, a_path, "Job", stop_job));
    g_assert_true(mirror_is(s->mirror, b_path, "Job", reboot_job));

    g_autoptr(Call) stop_canceled = cancel(s, stop_job);
    assert_ok(stop_canceled);
    g_autoptr(Call) reboot_canceled = cancel(s, reboot_job);
    assert_ok(reboot_canceled);
    assert_outcome(s, stop_job, "Stop canceled");
    assert_outcome(s, reboot_job, "Reboot canceled");
}

/* SIGTERM: who still waits gets a definite answer, not the bus's NoReply. */
static void
test_sigterm_answers(void)
{
    g_autoptr(Node) node = node_new();
    g_autoptr(World) w = world_new();
    g_autofree char *uri = node_uri_option((node_add(node, "stuck", "shutdown"), node), w);

    world_start(w, uri, "--stop-timeout=600", NULL);
    g_autoptr(Client) c = client_new(w);
    client_wait_available(c, true);
    g_autofree char *path = client_domain(c, "stuck");
    g_autoptr(Call) stop = client_send(c, path, VMS_DOMAIN_INTERFACE, "Stop", NULL);
    g_autoptr(Call) job = client_call(c, path, VMS_DOMAIN_INTERFACE, "StopWithOptions", "a{sv}", 0);
    assert_ok(job);
    g_autofree char *log = world_stop_log(w);
    /* It ends as it is, and the log tells. */
    g_assert_nonnull(strstr(log, "Stop of \"stuck\" was canceled: the service is stopping"));
    g_assert_null(strstr(log, "power was cut"));
    call_wait(stop);
    g_test_message("%s: %s", stop->error_name, stop->error_message);
    g_assert_nonnull(stop->error_name);
    g_assert_true(g_str_has_prefix(stop->error_name, VMS_ERROR_PREFIX));
}

/* Changes that are no operations: in their order, none swallowed. */
static void
test_changes_keep_their_order(void)
{
    g_autoptr(Service) s = service_new("--uri=test:///default", NULL);
    g_autofree char *path = client_domain(s->client, "test");
    Call *calls[51];
    guint64 sequence = 0;

    for (guint i = 0; i < G_N_ELEMENTS(calls); i++)
        calls[i] = domain_send(s, path, "SetAutostart", "b", i % 2 == 0);
    for (guint i = 0; i < G_N_ELEMENTS(calls); i++) {
        assert_ok(calls[i]);
        g_assert_cmpuint(calls[i]->sequence, >, sequence);
        sequence = calls[i]->sequence;
        call_free(calls[i]);
    }
    g_assert_true(mirror_is(s->mirror, path, "Autostart", "true"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/jobs/object", test_object);
    g_test_add_func("/jobs/numbers", test_numbers);
    g_test_add_func("/jobs/join", test_join);
    g_test_add_func("/jobs/join-needs-same-arguments", test_join_needs_same_arguments);
    g_test_add_func("/jobs/busy", test_busy);
    g_test_add_func("/jobs/force-stop-overtakes", test_force_stop_overtakes);
    g_test_add_func("/jobs/cancel-answers-everybody", test_cancel_answers_everybody);
    g_test_add_func("/jobs/gentle-stop-times-out", test_gentle_stop_times_out);
    g_test_add_func("/jobs/timeout-forces", test_timeout_forces);
    g_test_add_func("/jobs/reboot-timeout", test_reboot_timeout);
    g_test_add_func("/jobs/caller-goes-away", test_caller_goes_away);
    g_test_add_func("/jobs/still-running", test_still_running);
    g_test_add_func("/jobs/sigterm-answers", test_sigterm_answers);
    g_test_add_func("/jobs/changes-keep-their-order", test_changes_keep_their_order);
    return g_test_run();
}
