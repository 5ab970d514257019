/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "usage-reading.h"

#include "units.h"

#include <stdlib.h>
#include <string.h>

/* Two devices cannot have this name: it stands for all of a domain's disks. */
#define ALL_DISKS "*"

UsageReading *
usage_reading_new(int run)
{
    UsageReading *reading = g_new0(UsageReading, 1);

    reading->run = run;
    reading->counters = usage_sample_new(run);
    return reading;
}

void
usage_reading_free(UsageReading *reading)
{
    if (!reading)
        return;
    usage_sample_free(reading->counters);
    g_strfreev(reading->disks);
    g_free(reading);
}

static bool
find_number(const StatsRecord *record, const char *name, uint64_t *ret)
{
    for (unsigned i = 0; i < record->fields->len; i++) {
        const StatsField *field = &g_array_index(record->fields, StatsField, i);

        if (field->type == 't' && g_str_equal(field->name, name)) {
            *ret = field->t;
            return true;
        }
    }
    return false;
}

/* "block.3.rd.bytes": the device's number, and the name behind it. */
static const char *
split_device(const char *name, const char *group, unsigned long *ret_number)
{
    char *end;

    if (!g_str_has_prefix(name, group))
        return NULL;
    *ret_number = strtoul(name + strlen(group), &end, 10);
    return *end == '.' ? end + 1 : NULL;
}

/* libvirt puts a device's name before its counters. */
static void
add_devices(UsageReading *reading, const StatsRecord *record, const char *group,
            const char *const counters[2], UsageRate first, uint64_t at)
{
    const char *device = NULL;
    unsigned long named = 0;

    for (unsigned i = 0; i < record->fields->len; i++) {
        const StatsField *field = &g_array_index(record->fields, StatsField, i);
        unsigned long number;
        const char *rest = split_device(field->name, group, &number);

        if (rest && field->type == 's' && g_str_equal(rest, "name")) {
            device = field->s;
            named = number;
        }
        if (!rest || field->type != 't' || !device || number != named)
            continue;
        for (unsigned j = 0; j < 2; j++)
            if (g_str_equal(rest, counters[j]))
                usage_sample_add(reading->counters, first + j, device, field->t, at);
    }
}

static void
add_memory(UsageReading *reading, const StatsRecord *record)
{
    uint64_t available;
    uint64_t unused;
    uint64_t rss;

    if (find_number(record, "balloon.available", &available) &&
        find_number(record, "balloon.unused", &unused) && unused <= available) {
        reading->has_used = true;
        reading->memory_used = (available - unused) * KIB;
    }
    if (find_number(record, "balloon.rss", &rss)) {
        reading->has_rss = true;
        reading->memory_rss = rss * KIB;
    }
}

void
usage_reading_add(UsageReading *reading, const StatsRecord *record, uint64_t at_usec)
{
    static const char *const block[] = {"rd.bytes", "wr.bytes"};
    static const char *const net[] = {"rx.bytes", "tx.bytes"};
    uint64_t cpu;

    reading->has_figures = true;
    if (find_number(record, "cpu.time", &cpu))
        usage_sample_add(reading->counters, USAGE_CPU, "", cpu, at_usec);
    add_devices(reading, record, "block.", block, USAGE_DISK_READ, at_usec);
    add_devices(reading, record, "net.", net, USAGE_NET_RX, at_usec);
    add_memory(reading, record);
}

void
usage_reading_add_sums(UsageReading *reading, const char *const *disks, uint64_t read,
                       uint64_t written, uint64_t at_usec)
{
    g_strfreev(reading->disks);
    reading->disks = g_strdupv((char **)disks);
    usage_sample_add(reading->counters, USAGE_DISK_READ, ALL_DISKS, read, at_usec);
    usage_sample_add(reading->counters, USAGE_DISK_WRITE, ALL_DISKS, written, at_usec);
}

static bool
lacks_disk(const UsageReading *now, const UsageReading *before)
{
    for (char **disk = before->disks; now->disks && disk && *disk; disk++)
        if (!g_strv_contains((const char *const *)now->disks, *disk))
            return true;
    return false;
}

void
usage_reading_rates(const UsageReading *before, const UsageReading *now, UsageRates *ret)
{
    usage_rates_compute(before ? before->counters : NULL, now->counters, ret);
    if (!before || !lacks_disk(now, before))
        return;
    for (unsigned rate = USAGE_DISK_READ; rate <= USAGE_DISK_WRITE; rate++) {
        ret->known &= ~(1U << rate);
        ret->values[rate] = 0;
    }
}
