/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "usage-rates.h"

#define SEC UINT64_C(1000000)

static void
assert_rate(const UsageRates *rates, UsageRate rate, double value)
{
    g_assert_true(rates->known & (1U << rate));
    g_assert_cmpfloat_with_epsilon(rates->values[rate], value, 1e-9);
}

static void
assert_unknown(const UsageRates *rates, UsageRate rate)
{
    g_assert_false(rates->known & (1U << rate));
    g_assert_cmpfloat(rates->values[rate], ==, 0);
}

static void
test_rates(void)
{
    g_autoptr(UsageSample) before = usage_sample_new(7);
    g_autoptr(UsageSample) now = usage_sample_new(7);
    UsageRates rates;

    usage_sample_add(before, USAGE_CPU, "", 1000000000, 10 * SEC);
    usage_sample_add(before, USAGE_DISK_READ, "vda", 100, 10 * SEC);
    usage_sample_add(before, USAGE_DISK_READ, "vdb", 1000, 10 * SEC);
    usage_sample_add(now, USAGE_CPU, "", 4000000000, 12 * SEC);
    usage_sample_add(now, USAGE_DISK_READ, "vdb", 5000, 12 * SEC);
    usage_sample_add(now, USAGE_DISK_READ, "vda", 300, 12 * SEC);
    usage_rates_compute(before, now, &rates);
    assert_rate(&rates, USAGE_CPU, 1.5);
    assert_rate(&rates, USAGE_DISK_READ, 2100);
    assert_unknown(&rates, USAGE_DISK_WRITE);
    assert_unknown(&rates, USAGE_NET_RX);
}

/* Counters that were read by two calls have each their own time. */
static void
test_times_of_their_own(void)
{
    g_autoptr(UsageSample) before = usage_sample_new(1);
    g_autoptr(UsageSample) now = usage_sample_new(1);
    UsageRates rates;

    usage_sample_add(before, USAGE_NET_RX, "vnet0", 0, 1 * SEC);
    usage_sample_add(before, USAGE_NET_TX, "vnet0", 0, 2 * SEC);
    usage_sample_add(now, USAGE_NET_RX, "vnet0", 100, 2 * SEC);
    usage_sample_add(now, USAGE_NET_TX, "vnet0", 100, 4 * SEC);
    usage_rates_compute(before, now, &rates);
    assert_rate(&rates, USAGE_NET_RX, 100);
    assert_rate(&rates, USAGE_NET_TX, 50);
}

static void
test_plugged_and_unplugged(void)
{
    g_autoptr(UsageSample) before = usage_sample_new(1);
    g_autoptr(UsageSample) now = usage_sample_new(1);
    UsageRates rates;

    usage_sample_add(before, USAGE_DISK_WRITE, "vda", 10, SEC);
    usage_sample_add(before, USAGE_DISK_WRITE, "vdb", 5000, SEC);
    usage_sample_add(before, USAGE_NET_RX, "vnet0", 5000, SEC);
    usage_sample_add(now, USAGE_DISK_WRITE, "vda", 30, 2 * SEC);
    usage_sample_add(now, USAGE_DISK_WRITE, "vdc", 900000, 2 * SEC);
    usage_sample_add(now, USAGE_NET_RX, "vnet9", 6000, 2 * SEC);
    usage_rates_compute(before, now, &rates);
    assert_rate(&rates, USAGE_DISK_WRITE, 20);
    assert_unknown(&rates, USAGE_NET_RX);
}

static void
test_counter_goes_back(void)
{
    g_autoptr(UsageSample) before = usage_sample_new(1);
    g_autoptr(UsageSample) now = usage_sample_new(1);
    UsageRates rates;

    usage_sample_add(before, USAGE_CPU, "", UINT64_MAX, SEC);
    usage_sample_add(before, USAGE_NET_TX, "vnet0", 500, SEC);
    usage_sample_add(before, USAGE_NET_TX, "vnet1", 500, SEC);
    usage_sample_add(now, USAGE_CPU, "", 3, 2 * SEC);
    usage_sample_add(now, USAGE_NET_TX, "vnet0", 100, 2 * SEC);
    usage_sample_add(now, USAGE_NET_TX, "vnet1", 501, 2 * SEC);
    usage_rates_compute(before, now, &rates);
    assert_unknown(&rates, USAGE_CPU);
    assert_rate(&rates, USAGE_NET_TX, 1);
}

/* Nothing is compared with an earlier run, with nothing, or with the same moment. */
static void
test_nothing_to_compare_with(void)
{
    g_autoptr(UsageSample) before = usage_sample_new(1);
    g_autoptr(UsageSample) restarted = usage_sample_new(2);
    g_autoptr(UsageSample) at_once = usage_sample_new(1);
    UsageRates rates;

    usage_sample_add(before, USAGE_CPU, "", 1, SEC);
    usage_sample_add(restarted, USAGE_CPU, "", 9, 2 * SEC);
    usage_sample_add(at_once, USAGE_CPU, "", 9, SEC);
    usage_rates_compute(before, restarted, &rates);
    assert_unknown(&rates, USAGE_CPU);
    usage_rates_compute(NULL, restarted, &rates);
    assert_unknown(&rates, USAGE_CPU);
    usage_rates_compute(before, at_once, &rates);
    assert_unknown(&rates, USAGE_CPU);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/usage-rates/rates", test_rates);
    g_test_add_func("/usage-rates/times-of-their-own", test_times_of_their_own);
    g_test_add_func("/usage-rates/plugged-and-unplugged", test_plugged_and_unplugged);
    g_test_add_func("/usage-rates/counter-goes-back", test_counter_goes_back);
    g_test_add_func("/usage-rates/nothing-to-compare-with", test_nothing_to_compare_with);
    return g_test_run();
}
