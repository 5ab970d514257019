/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libvirt's numbers in our words, and what is known of its drivers. */

#include "hypervisor-reason.h"
#include "hypervisor-traits.h"

#define VIR_ENUM_SENTINELS
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <glib.h>

/* How many reasons and error codes libvirt 12 knows, whatever the headers know. */
#define RUNNING_REASONS 12
#define PAUSED_REASONS  15
#define ERROR_CODES     115

/* Every reason of these headers and of the newest has a word, and no other has. */
static void
test_reasons(void)
{
    static const int n_reasons[_DOMAIN_STATE_MAX] = {
        [DOMAIN_NOSTATE] = VIR_DOMAIN_NOSTATE_LAST,
        [DOMAIN_RUNNING] = MAX(VIR_DOMAIN_RUNNING_LAST, RUNNING_REASONS),
        [DOMAIN_IDLE] = VIR_DOMAIN_BLOCKED_LAST,
        [DOMAIN_PAUSED] = MAX(VIR_DOMAIN_PAUSED_LAST, PAUSED_REASONS),
        [DOMAIN_SHUTDOWN] = VIR_DOMAIN_SHUTDOWN_LAST,
        [DOMAIN_SHUTOFF] = VIR_DOMAIN_SHUTOFF_LAST,
        [DOMAIN_CRASHED] = VIR_DOMAIN_CRASHED_LAST,
        [DOMAIN_PMSUSPENDED] = VIR_DOMAIN_PMSUSPENDED_LAST,
    };

    for (int state = 0; state < _DOMAIN_STATE_MAX; state++) {
        g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

        g_assert_cmpstr(hypervisor_reason_name(state, 0), ==, "unknown");
        for (int reason = 1; reason < n_reasons[state]; reason++) {
            const char *name = hypervisor_reason_name(state, reason);

            if (g_str_equal(name, "unknown") || !g_hash_table_add(seen, (char *)name))
                g_error("state %d has no word of its own for reason %d", state, reason);
        }
        g_assert_cmpstr(hypervisor_reason_name(state, -1), ==, "unknown");
        g_assert_cmpstr(hypervisor_reason_name(state, G_MAXINT), ==, "unknown");
    }
    g_assert_cmpstr(hypervisor_reason_name(DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR), ==,
                    "io-error");
    g_assert_cmpstr(hypervisor_reason_name(DOMAIN_PAUSED, 14), ==, "api-error");
    g_assert_cmpstr(hypervisor_reason_name(DOMAIN_RUNNING, 11), ==, "post-copy-failed");
    g_assert_cmpstr(hypervisor_reason_name(DOMAIN_SHUTOFF, 15), ==, "unknown");
    g_assert_cmpstr(hypervisor_reason_name(_DOMAIN_STATE_MAX, 1), ==, "unknown");
    g_assert_cmpstr(hypervisor_reason_name((DomainState)-1, 1), ==, "unknown");
}

/* Of the newest libvirt: the codes that say more than that something failed. */
static const struct {
    int code;
    ErrorKind kind;
} error_kinds[] = {
    {VIR_ERR_NO_DOMAIN, ERROR_NO_SUCH_DOMAIN},
    {VIR_ERR_OPERATION_INVALID, ERROR_INVALID_STATE},
    {VIR_ERR_OPERATION_TIMEOUT, ERROR_TIMEOUT},
    {VIR_ERR_OPERATION_ABORTED, ERROR_CANCELED},
    {VIR_ERR_BLOCK_COPY_ACTIVE, ERROR_INVALID_STATE},
    {VIR_ERR_AGENT_UNSYNCED, ERROR_TIMEOUT},
    {112 /* VIR_ERR_AGENT_COMMAND_TIMEOUT, which not all headers have */, ERROR_TIMEOUT},
};

static void
test_error_kinds(void)
{
    unsigned known = 0;

    for (int code = -1; code < MAX((int)VIR_ERR_NUMBER_LAST, ERROR_CODES); code++) {
        bool is_known = known < G_N_ELEMENTS(error_kinds) && error_kinds[known].code == code;
        ErrorKind kind = is_known ? error_kinds[known++].kind : ERROR_OPERATION_FAILED;

        g_test_message("%d", code);
        g_assert_cmpint(hypervisor_error_kind(code), ==, kind);
    }
    g_assert_cmpuint(known, ==, G_N_ELEMENTS(error_kinds));
    g_assert_cmpint(hypervisor_error_kind(G_MAXINT), ==, ERROR_OPERATION_FAILED);
}

static void
test_traits(void)
{
    g_assert_cmpint(hypervisor_traits_of_uri("test:///default") & TRAIT_SEPARATE_WORLDS, !=, 0);
    g_assert_cmpint(hypervisor_traits_of_uri("test+unix:///default?socket=/x"), ==,
                    hypervisor_traits_of_type("TEST"));
    g_assert_cmpint(hypervisor_traits_of_uri("qemu:///system"), ==, TRAIT_WAYS_TO_ASK);
    g_assert_cmpint(hypervisor_traits_of_uri("tester:///default"), ==, 0);
    g_assert_cmpint(hypervisor_traits_of_uri("an-alias"), ==, 0);
    g_assert_cmpint(hypervisor_traits_of_type("QEMU"), ==, TRAIT_WAYS_TO_ASK);
    g_assert_cmpint(hypervisor_traits_of_type(""), ==, 0);
    g_assert_cmpint(hypervisor_traits_of_daemon("QEMU", "9.0.0"), ==, TRAIT_WAYS_TO_ASK);
    g_assert_cmpint(hypervisor_traits_of_daemon("QEMU", "11.3.0"), ==,
                    TRAIT_WAYS_TO_ASK | TRAIT_XML_WAITS);
    g_assert_cmpint(hypervisor_traits_of_daemon("QEMU", ""), ==, TRAIT_WAYS_TO_ASK);
    g_assert_cmpint(hypervisor_traits_of_daemon("TEST", "11.3.0"), ==,
                    hypervisor_traits_of_type("TEST"));
    g_assert_cmpint(hypervisor_traits_of_daemon("Xen", "11.3.0"), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/reason/reasons", test_reasons);
    g_test_add_func("/reason/error-kinds", test_error_kinds);
    g_test_add_func("/reason/traits", test_traits);
    return g_test_run();
}
