/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * An agent that does not answer is told apart from one that has nothing to tell. libvirt's test
 * driver has no agent, so its function is replaced here, and the clock with it.
 */

#include "error.h"
#include "fake-loop.h"
#include "hypervisor-guest.h"

#include <glib.h>
#include <libvirt/libvirt.h>

#define URI  "test:///default"
#define UUID "6695eb01-f6a4-8304-79aa-97f2502e193f"

#define TIMEOUT_USEC ((uint64_t)AGENT_TIMEOUT_SEC * G_USEC_PER_SEC)

/* How long the agent takes, or libvirt waits for it. */
static uint64_t takes_usec;

/* It leaves out what was not answered, without an error. */
int
virDomainGetGuestInfo(virDomainPtr dom, unsigned types, virTypedParameterPtr *params, int *n,
                      unsigned flags)
{
    (void)dom;
    (void)types;
    (void)flags;
    fake_loop_advance(takes_usec);
    *params = NULL;
    *n = 0;
    return 0;
}

static bool
ask_hostname(Hypervisor *h, Error **error)
{
    g_autofree char *name = hypervisor_guest_hostname(h, UUID, error);

    return name != NULL;
}

static bool
ask_facts(Hypervisor *h, Error **error)
{
    GuestUpdate update;

    return hypervisor_guest_read(h, UUID, GUEST_HOSTNAME, &update, error);
}

typedef bool (*Ask)(Hypervisor *h, Error **error);

static ErrorKind
error_after(Ask ask, uint64_t usec)
{
    Status why = STATUS_AVAILABLE;
    g_autoptr(Error) error = NULL;
    Hypervisor *h = hypervisor_open(URI, &why, &error);

    g_assert_nonnull(h);
    takes_usec = usec;
    g_assert_false(ask(h, &error));
    hypervisor_close(h);
    return error->kind;
}

static void
assert_told_apart(Ask ask)
{
    g_assert_cmpint(error_after(ask, TIMEOUT_USEC), ==, ERROR_TIMEOUT);
    /* libvirt waits until a whole millisecond, so it may give up in the last one. */
    g_assert_cmpint(error_after(ask, TIMEOUT_USEC - 999), ==, ERROR_TIMEOUT);
    g_assert_cmpint(error_after(ask, 1000), ==, ERROR_OPERATION_FAILED);
}

static void
test_hostname(void)
{
    assert_told_apart(ask_hostname);
}

static void
test_facts(void)
{
    assert_told_apart(ask_facts);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fake_loop_reset();
    g_test_add_func("/guest-agent/hostname", test_hostname);
    g_test_add_func("/guest-agent/facts", test_facts);
    return g_test_run();
}
