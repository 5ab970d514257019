/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "retry.h"

/* A list that loses its connection is made once more; the second loss is its failure. */
static void
test_read_is_retried_once(void)
{
    g_assert_cmpint(retry_decide(true, OUTCOME_LOST, 0), ==, RETRY_AGAIN);
    g_assert_cmpint(retry_decide(true, OUTCOME_LOST, 1), ==, RETRY_FAIL);
    g_assert_cmpint(retry_decide(true, OUTCOME_UNSENT, 0), ==, RETRY_AGAIN);
    g_assert_cmpint(retry_decide(true, OUTCOME_UNSENT, 1), ==, RETRY_FAIL);
}

/* A failure of the retry is reported like that of the first try. */
static void
test_second_failure_is_like_any_other(void)
{
    g_autoptr(Error) words = error_new(ERROR_OPERATION_FAILED, "libvirt's words");
    words->libvirt_code = 38;

    for (unsigned retries = 0; retries < 2; retries++) {
        g_assert_cmpint(retry_decide(true, OUTCOME_FAILED, retries), ==, RETRY_FAIL);
        g_autoptr(Error) no = retry_failure(OUTCOME_FAILED, words);
        g_assert_cmpint(no->kind, ==, ERROR_OPERATION_FAILED);
        g_assert_cmpint(no->libvirt_code, ==, 38);
        g_assert_cmpstr(no->message, ==, "libvirt's words");
    }
    g_autoptr(Error) lost = retry_failure(OUTCOME_LOST, words);
    g_assert_cmpint(lost->kind, ==, ERROR_NOT_AVAILABLE);
    g_assert_cmpstr(lost->message, ==, "VMs are not available: libvirt's words");
    g_autoptr(Error) silent = retry_failure(OUTCOME_UNSENT, NULL);
    g_assert_cmpint(silent->kind, ==, ERROR_NOT_AVAILABLE);
}

static void
test_change_that_may_have_arrived_is_not_repeated(void)
{
    g_assert_cmpint(retry_decide(false, OUTCOME_LOST, 0), ==, RETRY_MAY_HAVE);
    g_assert_cmpint(retry_decide(false, OUTCOME_UNSENT, 0), ==, RETRY_AGAIN);
    g_assert_cmpint(retry_decide(false, OUTCOME_UNSENT, 3), ==, RETRY_FAIL);
    g_assert_cmpint(retry_decide(false, OUTCOME_OK, 0), ==, RETRY_DONE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/retry/read-once", test_read_is_retried_once);
    g_test_add_func("/retry/second-failure", test_second_failure_is_like_any_other);
    g_test_add_func("/retry/change", test_change_that_may_have_arrived_is_not_repeated);
    return g_test_run();
}
