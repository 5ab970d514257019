/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The names of groups in GetStats, and the groups that libvirt is asked for: those of the headers,
 * which older ones lack. libvirt's function is replaced here, since the test driver knows one group
 * alone, and that of libvirt 7.0 none.
 */

#include "error.h"
#include "hypervisor-stats.h"

#include <glib.h>
#include <libvirt/libvirt.h>

#define URI  "test:///default"
#define UUID "6695eb01-f6a4-8304-79aa-97f2502e193f"

#if LIBVIR_CHECK_VERSION(7, 2, 0)
#define DIRTYRATE VIR_DOMAIN_STATS_DIRTYRATE
#else
#define DIRTYRATE 0
#endif
#if LIBVIR_CHECK_VERSION(8, 9, 0)
#define VM VIR_DOMAIN_STATS_VM
#else
#define VM 0
#endif

/* libvirt's group; 0 where the headers have none. */
static const struct {
    const char *name;
    StatsGroups group;
    unsigned libvirt_group;
} groups[] = {
    {"state", STATS_STATE, VIR_DOMAIN_STATS_STATE},
    {"cpu", STATS_CPU, VIR_DOMAIN_STATS_CPU_TOTAL},
    {"balloon", STATS_BALLOON, VIR_DOMAIN_STATS_BALLOON},
    {"vcpu", STATS_VCPU, VIR_DOMAIN_STATS_VCPU},
    {"interface", STATS_INTERFACE, VIR_DOMAIN_STATS_INTERFACE},
    {"block", STATS_BLOCK, VIR_DOMAIN_STATS_BLOCK},
    {"perf", STATS_PERF, VIR_DOMAIN_STATS_PERF},
    {"iothread", STATS_IOTHREAD, VIR_DOMAIN_STATS_IOTHREAD},
    {"memory", STATS_MEMORY, VIR_DOMAIN_STATS_MEMORY},
    {"dirtyrate", STATS_DIRTYRATE, DIRTYRATE},
    {"vm", STATS_VM, VM},
};

static unsigned asked;

/* No domain has figures. */
int
virDomainListGetStats(virDomainPtr *doms, unsigned stats, virDomainStatsRecordPtr **records,
                      unsigned flags)
{
    (void)doms;
    (void)flags;
    asked = stats;
    *records = g_new0(virDomainStatsRecordPtr, 1);
    return 0;
}

void
virDomainStatsRecordListFree(virDomainStatsRecordPtr *records)
{
    g_free(records);
}

/* The groups that libvirt is asked for. */
static unsigned
ask(StatsGroups wanted)
{
    static const char *const uuids[] = {UUID, NULL};
    Status why = STATUS_AVAILABLE;
    g_autoptr(Error) error = NULL;
    Hypervisor *h = hypervisor_open(URI, &why, &error);

    g_assert_nonnull(h);
    asked = 0;
    g_autoptr(GPtrArray) records = hypervisor_stats(h, uuids, wanted, &error);
    g_assert_nonnull(records);
    g_assert_cmpuint(records->len, ==, 0);
    hypervisor_close(h);
    return asked;
}

static void
test_names(void)
{
    StatsGroups all = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(groups); i++) {
        g_test_message("%s", groups[i].name);
        g_assert_cmpuint(hypervisor_stats_group(groups[i].name), ==,
                         groups[i].libvirt_group ? groups[i].group : 0U);
        all |= groups[i].group;
    }
    g_assert_cmpuint(all, ==, STATS_ALL);
    g_assert_cmpuint(hypervisor_stats_group("weather"), ==, 0);
    g_assert_cmpuint(hypervisor_stats_group("VM"), ==, 0);
    g_assert_cmpuint(hypervisor_stats_group(""), ==, 0);
}

static void
test_groups(void)
{
    unsigned all = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(groups); i++) {
        /* 0 would be all of libvirt's groups. */
        unsigned group = groups[i].libvirt_group ? groups[i].libvirt_group : VIR_DOMAIN_STATS_PERF;

        g_test_message("%s", groups[i].name);
        g_assert_cmpuint(ask(groups[i].group), ==, group);
        all |= group;
    }
    g_assert_cmpuint(ask(STATS_ALL), ==, all);
    g_assert_cmpuint(ask(STATS_STATE | STATS_VM), ==, VIR_DOMAIN_STATS_STATE | VM);
    g_assert_cmpuint(ask(0), ==, VIR_DOMAIN_STATS_PERF);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stats/names", test_names);
    g_test_add_func("/stats/groups", test_groups);
    return g_test_run();
}
