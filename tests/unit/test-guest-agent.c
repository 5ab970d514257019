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
#include <libvirt/virterror.h>

#define URI  "test:///default"
#define UUID "6695eb01-f6a4-8304-79aa-97f2502e193f"

#define TIMEOUT_USEC ((uint64_t)AGENT_TIMEOUT_SEC * G_USEC_PER_SEC)

/* libvirt's since 11.2, whatever the headers have. */
#define COMMAND_FAILED 113

/* How long the agent takes, or libvirt waits for it. */
static uint64_t takes_usec;
/* An error that libvirt has when it is asked for the OS, or for anything. */
static virError os_failure;
static virError failure;

static virErrorPtr last;

virErrorPtr
virGetLastError(void)
{
    return last;
}

int
virGetLastErrorCode(void)
{
    return last ? last->code : VIR_ERR_OK;
}

int
virGetLastErrorDomain(void)
{
    return last ? last->domain : VIR_FROM_NONE;
}

static virError
error_of(int code, int domain)
{
    return (virError){.code = code, .domain = domain, .message = (char *)"it was refused"};
}

/* Without an error it leaves out what was not answered. */
int
virDomainGetGuestInfo(virDomainPtr dom, unsigned types, virTypedParameterPtr *params, int *n,
                      unsigned flags)
{
    int room = 0;

    (void)dom;
    (void)flags;
    fake_loop_advance(takes_usec);
    *params = NULL;
    *n = 0;
    last = NULL;
    if (failure.code)
        last = &failure;
    else if (types == VIR_DOMAIN_GUEST_INFO_OS && os_failure.code)
        last = &os_failure;
    if (last)
        return -1;
    if (os_failure.code)
        g_assert_cmpint(virTypedParamsAddString(params, n, &room, "hostname", "web"), ==, 0);
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

/* --- an agent that refuses ------------------------------------------------------------------- */

/* The facts that are known where libvirt fails so when it is asked for the OS. */
static GuestFacts
facts_without_os(int code, int domain, uint64_t usec)
{
    Status why = STATUS_AVAILABLE;
    g_autoptr(Error) error = NULL;
    Hypervisor *h = hypervisor_open(URI, &why, &error);
    GuestUpdate update;

    g_assert_nonnull(h);
    takes_usec = usec;
    os_failure = error_of(code, domain);
    g_assert_true(hypervisor_guest_read(h, UUID, GUEST_HOSTNAME | GUEST_OS_INFO, &update, &error));
    g_assert_cmpstr(update.guest.hostname, ==, "web");
    g_assert_null(update.guest.os_info);
    guest_clear(&update.guest);
    hypervisor_close(h);
    os_failure = (virError){0};
    return update.known;
}

/* One that answers that it does not know the OS need not be asked again. libvirt has had a code of
 * its own for that since 11.2. */
static void
test_refuses(void)
{
    static const int codes[] = {VIR_ERR_INTERNAL_ERROR, COMMAND_FAILED, VIR_ERR_NO_SUPPORT};

    for (unsigned i = 0; i < G_N_ELEMENTS(codes); i++) {
        g_test_message("%d", codes[i]);
        g_assert_cmpint(facts_without_os(codes[i], VIR_FROM_QEMU, 1000), ==,
                        GUEST_HOSTNAME | GUEST_OS_INFO);
        g_assert_cmpint(facts_without_os(codes[i], VIR_FROM_RPC, 1000), ==, GUEST_HOSTNAME);
    }
    g_assert_cmpint(facts_without_os(VIR_ERR_AGENT_UNRESPONSIVE, VIR_FROM_QEMU, 1000), ==,
                    GUEST_HOSTNAME);
}

static void
assert_refusal(int code, Ask ask)
{
    failure = error_of(code, VIR_FROM_QEMU);
    g_assert_cmpint(error_after(ask, 1000), ==, ERROR_OPERATION_FAILED);
    failure = (virError){0};
}

static void
test_refusal(void)
{
    assert_refusal(VIR_ERR_INTERNAL_ERROR, ask_hostname);
    assert_refusal(COMMAND_FAILED, ask_hostname);
    assert_refusal(VIR_ERR_INTERNAL_ERROR, ask_facts);
    assert_refusal(COMMAND_FAILED, ask_facts);
}

#if LIBVIR_CHECK_VERSION(11, 2, 0)
G_STATIC_ASSERT(VIR_ERR_AGENT_COMMAND_FAILED == COMMAND_FAILED);
#endif

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fake_loop_reset();
    g_test_add_func("/guest-agent/hostname", test_hostname);
    g_test_add_func("/guest-agent/facts", test_facts);
    g_test_add_func("/guest-agent/refuses", test_refuses);
    g_test_add_func("/guest-agent/refusal", test_refusal);
    return g_test_run();
}
