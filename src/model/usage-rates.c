/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "usage-rates.h"

#include "units.h"

#define NSEC_PER_SEC 1e9

typedef struct {
    UsageRate rate;
    char *device;
    uint64_t value;
    uint64_t at;
} Counter;

struct UsageSample {
    int run;
    GArray *counters;
};

static void
clear_counter(gpointer data)
{
    g_free(((Counter *)data)->device);
}

UsageSample *
usage_sample_new(int run)
{
    UsageSample *sample = g_new0(UsageSample, 1);

    sample->run = run;
    sample->counters = g_array_new(FALSE, FALSE, sizeof(Counter));
    g_array_set_clear_func(sample->counters, clear_counter);
    return sample;
}

void
usage_sample_free(UsageSample *sample)
{
    if (!sample)
        return;
    g_array_unref(sample->counters);
    g_free(sample);
}

void
usage_sample_add(UsageSample *sample, UsageRate rate, const char *device, uint64_t value,
                 uint64_t at_usec)
{
    const Counter counter = {rate, g_strdup(device), value, at_usec};

    g_array_append_val(sample->counters, counter);
}

static bool
is_same(const Counter *a, const Counter *b)
{
    return a->rate == b->rate && g_str_equal(a->device, b->device);
}

/* Devices seldom move: the same counter is usually at the same place. */
static const Counter *
find_counter(const UsageSample *sample, const Counter *like, unsigned place)
{
    const GArray *counters = sample->counters;

    if (place < counters->len && is_same(&g_array_index(counters, Counter, place), like))
        return &g_array_index(counters, Counter, place);
    for (unsigned i = 0; i < counters->len; i++)
        if (is_same(&g_array_index(counters, Counter, i), like))
            return &g_array_index(counters, Counter, i);
    return NULL;
}

static void
add_rate(UsageRates *rates, const Counter *before, const Counter *now)
{
    if (now->value < before->value || now->at <= before->at)
        return;
    double seconds = (double)(now->at - before->at) / (double)SEC;
    double unit = now->rate == USAGE_CPU ? NSEC_PER_SEC : 1;

    rates->values[now->rate] += (double)(now->value - before->value) / unit / seconds;
    rates->known |= 1U << now->rate;
}

void
usage_rates_compute(const UsageSample *before, const UsageSample *now, UsageRates *ret)
{
    *ret = (UsageRates){0};
    if (!before || before->run != now->run)
        return;
    for (unsigned i = 0; i < now->counters->len; i++) {
        const Counter *counter = &g_array_index(now->counters, Counter, i);
        const Counter *earlier = find_counter(before, counter, i);

        if (earlier)
            add_rate(ret, earlier, counter);
    }
}
