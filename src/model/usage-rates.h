/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Rates from the counters of two samples of a domain.
 *
 * Every counter has the time at which it was read, so that counters of several calls can be in one
 * sample. A rate is the sum over the devices that both samples have and whose counter did not go
 * back: a device that was plugged in, or a counter that wrapped or began again, counts from the
 * next sample on. So no rate is negative. Pure, any thread.
 */

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum {
    USAGE_CPU, /* counts ns; 1.0 is one host CPU */
    USAGE_DISK_READ,
    USAGE_DISK_WRITE,
    USAGE_NET_RX,
    USAGE_NET_TX,
    _USAGE_RATE_MAX,
} UsageRate;

typedef struct UsageSample UsageSample;

typedef struct {
    unsigned known;                 /* a bit for each UsageRate */
    double values[_USAGE_RATE_MAX]; /* CPUs, or bytes/s */
} UsageRates;

/* `run` tells one run of the domain from the next: its id. */
UsageSample *usage_sample_new(int run);
void usage_sample_free(UsageSample *sample);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UsageSample, usage_sample_free)

/* `at_usec` is monotonic. The device is "" where there is only one. */
void usage_sample_add(UsageSample *sample, UsageRate rate, const char *device, uint64_t value,
                      uint64_t at_usec);

/* `before` may be NULL; without it, or after a restart, no rate is known. */
void usage_rates_compute(const UsageSample *before, const UsageSample *now, UsageRates *ret);
