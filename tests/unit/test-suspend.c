/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A guest that falls asleep while libvirt loses its agent has done what was asked for; one that
 * refuses, or is killed, has not. libvirt's test driver has neither sleep nor agent, so its
 * functions are replaced here.
 */

#include "error.h"
#include "hypervisor-saved.h"

#include <glib.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#define URI  "test:///default"
#define UUID "6695eb01-f6a4-8304-79aa-97f2502e193f"

#define END_OF_FILE "internal error: End of file from agent socket"

#define GONE (-1)

/* A state that lasts for some questions; the last of a row lasts on. */
typedef struct {
    int state;
    int reason;
    unsigned n;
} Stage;

static virError failure;
static const Stage *stage;
static unsigned n_asked;
static unsigned n_agent_asked;
static bool agent_answers;
static gulong slept_usec;

virErrorPtr
virGetLastError(void)
{
    return failure.code ? &failure : NULL;
}

int
virGetLastErrorCode(void)
{
    return failure.code;
}

int
virGetLastErrorDomain(void)
{
    return failure.domain;
}

static int
fail_with(int code, int domain, const char *words)
{
    failure = (virError){.code = code, .domain = domain, .message = (char *)words};
    return -1;
}

int
virDomainPMSuspendForDuration(virDomainPtr dom, unsigned target, unsigned long long duration,
                              unsigned flags)
{
    (void)dom;
    (void)target;
    (void)duration;
    (void)flags;
    return -1; /* with the failure of the case */
}

int
virDomainGetState(virDomainPtr dom, int *state, int *reason, unsigned flags)
{
    (void)dom;
    (void)flags;
    if (n_asked >= stage->n && stage[1].n > 0) {
        stage++;
        n_asked = 0;
    }
    n_asked++;
    if (stage->state == GONE)
        return fail_with(VIR_ERR_NO_DOMAIN, VIR_FROM_QEMU, "Domain not found");
    *state = stage->state;
    *reason = stage->reason;
    return 0;
}

int
virDomainGetTime(virDomainPtr dom, long long *seconds, unsigned *nanoseconds, unsigned flags)
{
    (void)dom;
    (void)flags;
    n_agent_asked++;
    *seconds = 0;
    *nanoseconds = 0;
    return agent_answers ? 0
                         : fail_with(VIR_ERR_AGENT_UNRESPONSIVE, VIR_FROM_QEMU, "not connected");
}

void
g_usleep(gulong usec)
{
    slept_usec += usec;
}

#define STAGES(...)                                                                                \
    (const Stage[])                                                                                \
    {                                                                                              \
        __VA_ARGS__,                                                                               \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

#define AWAKE                                                                                      \
    {                                                                                              \
        VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED, 1                                           \
    }
#define ASLEEP                                                                                     \
    {                                                                                              \
        VIR_DOMAIN_PMSUSPENDED, VIR_DOMAIN_PMSUSPENDED_UNKNOWN, 1                                  \
    }

/* Suspend where libvirt fails with `code`. Returns the error, or NULL if it is done. */
static Error *
suspend(SuspendTarget target, int code, int domain, const Stage *stages)
{
    Status why = STATUS_AVAILABLE;
    Error *error = NULL;

    failure = (virError){0};
    Hypervisor *h = hypervisor_open(URI, &why, &error);
    g_assert_nonnull(h);

    stage = stages;
    n_asked = 0;
    n_agent_asked = 0;
    slept_usec = 0;
    fail_with(code, domain, END_OF_FILE);
    g_assert_cmpint(hypervisor_suspend(h, UUID, target, &error), ==, error == NULL);
    hypervisor_close(h);
    return error;
}

static Error *
suspend_at_end_of_file(SuspendTarget target, const Stage *stages)
{
    return suspend(target, VIR_ERR_INTERNAL_ERROR, VIR_FROM_QEMU, stages);
}

static void
assert_done(SuspendTarget target, const Stage *stages)
{
    g_autoptr(Error) error = suspend_at_end_of_file(target, stages);

    g_assert_null(error);
}

static void
assert_failed(Error *error)
{
    g_autoptr(Error) failed = error;

    g_assert_nonnull(failed);
    g_assert_cmpstr(failed->message, ==, END_OF_FILE);
}

static void
test_asleep(void)
{
    agent_answers = false;
    assert_done(SUSPEND_DISK, STAGES(ASLEEP));
    g_assert_cmpuint(n_agent_asked, ==, 0);
    assert_done(SUSPEND_MEMORY, STAGES(AWAKE, ASLEEP));
    assert_done(SUSPEND_DISK, STAGES({VIR_DOMAIN_RUNNING, 0, 9},
                                     {VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SHUTDOWN, 1}));
    assert_done(SUSPEND_DISK, STAGES({VIR_DOMAIN_SHUTDOWN, 0, 1}, {GONE, 0, 1}));
}

static void
test_killed(void)
{
    agent_answers = false;
    assert_failed(suspend_at_end_of_file(
        SUSPEND_DISK, STAGES(AWAKE, {VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_CRASHED, 1})));
    assert_failed(suspend_at_end_of_file(
        SUSPEND_MEMORY, STAGES(AWAKE, {VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SHUTDOWN, 1})));
    assert_failed(suspend_at_end_of_file(SUSPEND_HYBRID, STAGES({GONE, 0, 1})));
}

/* At once: the caller does not wait for a change that does not come. */
static void
test_refused(void)
{
    agent_answers = true;
    assert_failed(suspend_at_end_of_file(SUSPEND_MEMORY, STAGES(AWAKE)));
    g_assert_cmpuint(slept_usec, ==, 0);
}

/* Bounded where the agent says nothing, either. */
static void
test_undecided(void)
{
    agent_answers = false;
    assert_failed(suspend_at_end_of_file(SUSPEND_DISK, STAGES(AWAKE)));
    g_assert_cmpuint(slept_usec, >=, G_USEC_PER_SEC);
    g_assert_cmpuint(slept_usec, <=, 3 * G_USEC_PER_SEC);
}

/* Other codes, and the end of the connection, leave no doubt that this suspend did not do it. */
static void
test_certain(void)
{
    agent_answers = false;
    assert_failed(
        suspend(SUSPEND_MEMORY, VIR_ERR_OPERATION_INVALID, VIR_FROM_QEMU, STAGES(ASLEEP)));
    assert_failed(suspend(SUSPEND_MEMORY, VIR_ERR_INTERNAL_ERROR, VIR_FROM_RPC, STAGES(ASLEEP)));
    g_assert_cmpuint(n_agent_asked, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/suspend/asleep", test_asleep);
    g_test_add_func("/suspend/killed", test_killed);
    g_test_add_func("/suspend/refused", test_refused);
    g_test_add_func("/suspend/undecided", test_undecided);
    g_test_add_func("/suspend/certain", test_certain);
    return g_test_run();
}
