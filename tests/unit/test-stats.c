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

/* The names that clients use, and libvirt's group for each; 0 where the headers have none. */
static const struct {
    const char *name;
    unsigned libvirt_group;
} groups[] = {
    {"state", VIR_DOMAIN_STATS_STATE},
    {"cpu", VIR_DOMAIN_STATS_CPU_TOTAL},
    {"balloon", VIR_DOMAIN_STATS_BALLOON},
    {"vcpu", VIR_DOMAIN_STATS_VCPU},
    {"interface", VIR_DOMAIN_STATS_INTERFACE},
    {"block", VIR_DOMAIN_STATS_BLOCK},
    {"perf", VIR_DOMAIN_STATS_PERF},
    {"iothread", VIR_DOMAIN_STATS_IOTHREAD},
    {"memory", VIR_DOMAIN_STATS_MEMORY},
    {"dirtyrate", DIRTYRATE},
    {"vm", VM},
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
    for (unsigned i = 0; i < G_N_ELEMENTS(groups); i++) {
        StatsGroups group = hypervisor_stats_group(groups[i].name);

        g_test_message("%s", groups[i].name);
        if (groups[i].libvirt_group)
            g_assert_cmpuint(ask(group), ==, groups[i].libvirt_group);
        else
            g_assert_cmpuint(group, ==, 0);
    }
    g_assert_cmpuint(hypervisor_stats_group("weather"), ==, 0);
    g_assert_cmpuint(hypervisor_stats_group("VM"), ==, 0);
    g_assert_cmpuint(hypervisor_stats_group(""), ==, 0);
}

/* 0 would be all of libvirt's groups. */
static unsigned
or_empty(unsigned libvirt_groups)
{
    return libvirt_groups ? libvirt_groups : VIR_DOMAIN_STATS_PERF;
}

static void
test_groups(void)
{
    unsigned all = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(groups); i++)
        all |= groups[i].libvirt_group;
    g_assert_cmpuint(ask(STATS_ALL), ==, all);
    g_assert_cmpuint(ask(STATS_STATE | STATS_VM), ==, VIR_DOMAIN_STATS_STATE | VM);
    g_assert_cmpuint(ask(STATS_DIRTYRATE), ==, or_empty(DIRTYRATE));
    g_assert_cmpuint(ask(STATS_VM), ==, or_empty(VM));
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
