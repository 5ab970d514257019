/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "usage-world.h"

#include "clock.h"
#include "disk-sizes.h"
#include "hypervisor-stats.h"
#include "silent-cache.h"

#define KIB           1024
#define AVAILABLE_KIB 4000
#define UNUSED_KIB    1000
#define RSS_KIB       3500

typedef struct {
    Call *call;
    uint64_t begun;
    uint64_t returns_at; /* TIMER_NEVER: it hangs */
} Flight;

static World *world; /* the stand-ins' */
static bool blocked; /* the call that is being made hangs */

/* --- libvirt ------------------------------------------------------------------------------ */

static uint64_t
meter_read(const Meter *meter)
{
    return meter->counted + (clock_now_usec() - meter->since) * meter->rate / SEC;
}

static Meter
meter_begin(uint64_t rate)
{
    return (Meter){0, rate, clock_now_usec()};
}

void
meter_set_rate(Meter *meter, uint64_t rate)
{
    *meter = (Meter){meter_read(meter), rate, clock_now_usec()};
}

static TestGuest *
find_guest(const char *uuid)
{
    for (unsigned i = 0; i < world->guests->len; i++)
        if (g_str_equal(((TestGuest *)world->guests->pdata[i])->uuid, uuid))
            return world->guests->pdata[i];
    return NULL;
}

/* Records that hypervisor-stats.c makes are freed there; these are freed here. */
static void
free_record(gpointer data)
{
    StatsRecord *record = data;

    for (unsigned i = 0; i < record->fields->len; i++) {
        StatsField *field = &g_array_index(record->fields, StatsField, i);

        g_free(field->name);
        if (field->type == 's')
            g_free(field->s);
    }
    g_array_unref(record->fields);
    g_free(record);
}

static void
add_number(StatsRecord *record, const char *name, uint64_t number)
{
    const StatsField field = {.name = g_strdup(name), .type = 't', .t = number};

    g_array_append_val(record->fields, field);
}

static void
add_disk(StatsRecord *record, unsigned number, const GuestDisk *disk)
{
    g_autofree char *read = g_strdup_printf("block.%u.rd.bytes", number);
    g_autofree char *written = g_strdup_printf("block.%u.wr.bytes", number);
    const StatsField name = {
        .name = g_strdup_printf("block.%u.name", number),
        .type = 's',
        .s = g_strdup(disk->target),
    };

    g_array_append_val(record->fields, name);
    add_number(record, read, meter_read(&disk->read));
    add_number(record, written, 2 * meter_read(&disk->read));
}

static StatsRecord *
new_record(const TestGuest *guest, StatsGroups groups)
{
    StatsRecord *record = g_new0(StatsRecord, 1);
    const StatsField nic = {.name = g_strdup("net.0.name"), .type = 's', .s = g_strdup("vnet0")};

    g_strlcpy(record->uuid, guest->uuid, sizeof record->uuid);
    record->fields = g_array_new(FALSE, FALSE, sizeof(StatsField));
    add_number(record, "cpu.time", meter_read(&guest->cpu));
    add_number(record, "balloon.available", AVAILABLE_KIB);
    add_number(record, "balloon.unused", UNUSED_KIB);
    add_number(record, "balloon.rss", RSS_KIB);
    g_array_append_val(record->fields, nic);
    add_number(record, "net.0.rx.bytes", meter_read(&guest->rx));
    add_number(record, "net.0.tx.bytes", 2 * meter_read(&guest->rx));
    for (unsigned i = 0; (groups & STATS_BLOCK) && i < guest->disks->len; i++)
        add_disk(record, i, guest->disks->pdata[i]);
    return record;
}

GPtrArray *
hypervisor_stats(Hypervisor *h, const char *const *uuids, StatsGroups groups, Error **error)
{
    g_autoptr(GPtrArray) records = g_ptr_array_new_with_free_func(free_record);

    if (world->fails) {
        *error = error_new(ERROR_OPERATION_FAILED, "some reason");
        return NULL;
    }
    for (; *uuids; uuids++) {
        const TestGuest *guest = find_guest(*uuids);

        /* Of such a guest libvirt would open an image. */
        g_assert_false(guest->opens && (groups & STATS_BLOCK));
        blocked |= (guest->hangs & HANGS_IN_RECORD) != 0;
        if (guest->id >= 0)
            g_ptr_array_add(records, new_record(guest, groups));
    }
    return blocked ? NULL : g_steal_pointer(&records);
}

bool
hypervisor_block_totals(Hypervisor *h, const char *uuid, uint64_t *ret_read, uint64_t *ret_written,
                        Error **error)
{
    const TestGuest *guest = find_guest(uuid);

    *ret_read = 0;
    for (unsigned i = 0; i < guest->disks->len; i++)
        *ret_read += meter_read(&((GuestDisk *)guest->disks->pdata[i])->read);
    *ret_written = 2 * *ret_read;
    blocked |= (guest->hangs & HANGS_IN_DISKS) != 0;
    return !blocked;
}

bool
disk_sizes_opens_none(const DiskSizes *sizes, const Domain *domain)
{
    return !find_guest(domain->uuid)->opens;
}

/* --- the lane pool ------------------------------------------------------------------------ */

static void
arm_returns(World *w)
{
    uint64_t when = TIMER_NEVER;

    for (unsigned i = 0; i < w->flights->len; i++)
        when = MIN(when, ((const Flight *)w->flights->pdata[i])->returns_at);
    timer_arm(w->returns, when);
}

static void
tell(Call *call, CallOutcome outcome)
{
    if (call->told)
        return;
    call->told = true;
    call->done(call, outcome, call->error);
}

static void
end_flight(World *w, Flight *flight, CallOutcome outcome)
{
    Call *call = flight->call;

    g_ptr_array_remove(w->flights, flight);
    g_free(flight);
    tell(call, outcome);
    error_free(call->error);
    call->free(call);
}

static Flight *
find_due(const World *w)
{
    for (unsigned i = 0; i < w->flights->len; i++) {
        Flight *flight = w->flights->pdata[i];

        if (flight->returns_at <= clock_now_usec())
            return flight;
    }
    return NULL;
}

static void
on_returns(void *userdata)
{
    World *w = userdata;
    Flight *flight;

    while ((flight = find_due(w)))
        end_flight(w, flight, flight->call->succeeded ? OUTCOME_OK : OUTCOME_FAILED);
    arm_returns(w);
}

static void
make_call(World *w, Flight *flight)
{
    blocked = false;
    flight->call->succeeded = flight->call->work(flight->call, NULL, &flight->call->error);
    flight->returns_at = blocked ? TIMER_NEVER : clock_now_usec() + w->latency;
}

void
lane_pool_submit(LanePool *pool, Call *call)
{
    Flight *flight = g_new0(Flight, 1);

    if (call->class == CALL_STATS)
        world->asked_many++;
    else if (g_str_equal(call->name, "virDomainListGetStats"))
        world->asked_one++;
    else
        world->asked_disks++;
    flight->call = call;
    flight->begun = clock_now_usec();
    g_ptr_array_add(world->flights, flight);
    make_call(world, flight);
    arm_returns(world);
}

/* No call waits here: it goes on until it returns. */
void
lane_pool_abandon(LanePool *pool, Call *call)
{
    call->told = true;
}

bool
lane_pool_domain_is_silent(const LanePool *pool, const char *uuid)
{
    for (unsigned i = 0; i < world->flights->len; i++) {
        const Flight *flight = world->flights->pdata[i];

        if (g_str_equal(flight->call->key, uuid) &&
            flight->begun + CALL_HANGS_AFTER <= clock_now_usec())
            return true;
    }
    return false;
}

/* --- the world ---------------------------------------------------------------------------- */

static void
free_disk(gpointer data)
{
    GuestDisk *disk = data;

    g_free(disk->target);
    g_free(disk);
}

static void
free_guest(gpointer data)
{
    TestGuest *guest = data;

    g_ptr_array_unref(guest->disks);
    g_free(guest);
}

World *
world_new(void)
{
    World *w = g_new0(World, 1);

    fake_loop_reset();
    world = w;
    w->cache = silent_cache_new();
    w->guests = g_ptr_array_new_with_free_func(free_guest);
    w->flights = g_ptr_array_new();
    w->returns = timer_new(NULL, 0, on_returns, w);
    w->usage = usage_new(NULL, NULL, w->cache, NULL);
    usage_set_connected(w->usage, true);
    return w;
}

void
world_free(World *w)
{
    usage_set_connected(w->usage, false);
    while (w->flights->len > 0)
        end_flight(w, w->flights->pdata[0], OUTCOME_LOST);
    usage_free(w->usage);
    timer_free(w->returns);
    cache_free(w->cache);
    g_ptr_array_unref(w->flights);
    g_ptr_array_unref(w->guests);
    g_free(w);
    world = NULL;
}

unsigned
count_asked(const World *w)
{
    return w->asked_many + w->asked_one + w->asked_disks;
}

void
world_set_connected(World *w, bool connected)
{
    usage_set_connected(w->usage, connected);
}

void
world_lose_lanes(World *w)
{
    for (unsigned n = w->flights->len; n > 0; n--)
        end_flight(w, w->flights->pdata[0], OUTCOME_LOST);
    arm_returns(w);
}

/* --- guests ------------------------------------------------------------------------------- */

static void
learn_disks(Domain *domain, const TestGuest *guest)
{
    g_auto(RowBuilder) builder = {NULL};
    Rows parts[_HARDWARE_MAX] = {{NULL}};

    for (unsigned i = 0; i < guest->disks->len; i++) {
        const char *target = ((const GuestDisk *)guest->disks->pdata[i])->target;
        g_autofree char *source = g_strdup_printf("/images/%s.img", target);

        row_builder_begin(&builder);
        row_builder_text(&builder, ROW_TARGET, target);
        row_builder_text(&builder, ROW_SOURCE, source);
        row_builder_end(&builder);
    }
    parts[HARDWARE_DISKS] = row_builder_rows(&builder);
    domain_config_set_hardware(&domain->config, parts);
}

void
guest_learn(World *w, const TestGuest *guest)
{
    silent_cache_set(w->cache, guest->uuid, guest->id);
    learn_disks(cache_find(w->cache, guest->uuid), guest);
}

TestGuest *
guest_add(World *w)
{
    TestGuest *guest = g_new0(TestGuest, 1);

    g_snprintf(guest->uuid, sizeof guest->uuid, "00000000-0000-4000-8000-%012x", w->guests->len);
    guest->disks = g_ptr_array_new_with_free_func(free_disk);
    g_ptr_array_add(w->guests, guest);
    guest_plug(guest, "vda", 1000000);
    guest_start(w, guest);
    guest_learn(w, guest);
    return guest;
}

void
guest_start(World *w, TestGuest *guest)
{
    static int last_id;

    guest->id = ++last_id;
    guest->cpu = meter_begin(2000000000);
    guest->rx = meter_begin(3000000);
    for (unsigned i = 0; i < guest->disks->len; i++) {
        Meter *read = &((GuestDisk *)guest->disks->pdata[i])->read;

        *read = meter_begin(read->rate);
    }
}

void
guest_stop(TestGuest *guest)
{
    guest->id = -1;
}

GuestDisk *
guest_disk(TestGuest *guest, const char *target)
{
    for (unsigned i = 0; i < guest->disks->len; i++)
        if (g_str_equal(((GuestDisk *)guest->disks->pdata[i])->target, target))
            return guest->disks->pdata[i];
    return NULL;
}

void
guest_plug(TestGuest *guest, const char *target, uint64_t rate)
{
    GuestDisk *disk = g_new0(GuestDisk, 1);

    disk->target = g_strdup(target);
    disk->read = meter_begin(rate);
    g_ptr_array_add(guest->disks, disk);
}

void
guest_unplug(TestGuest *guest, const char *target)
{
    g_ptr_array_remove(guest->disks, guest_disk(guest, target));
}

void
guest_set_hangs(World *w, TestGuest *guest, GuestHangs hangs)
{
    guest->hangs = hangs;
    for (unsigned i = 0; i < w->flights->len; i++) {
        Flight *flight = w->flights->pdata[i];

        if (flight->returns_at == TIMER_NEVER)
            make_call(w, flight);
    }
    arm_returns(w);
}

/* --- those who want figures --------------------------------------------------------------- */

static void
on_usage(void *userdata, uint64_t timestamp, const GArray *rows)
{
    Watch *watch = userdata;

    watch->n++;
    watch->at = clock_now_usec();
    watch->timestamp = timestamp;
    g_array_set_size(watch->rows, 0);
    g_array_append_vals(watch->rows, rows->data, rows->len);
    if (watch->on_tick)
        watch->on_tick(watch->userdata);
}

Watch *
watch_new(World *w, uint64_t interval)
{
    Watch *watch = g_new0(Watch, 1);

    watch->rows = g_array_new(FALSE, FALSE, sizeof(UsageRow));
    watch->series = usage_series_new(w->usage, interval, on_usage, watch);
    return watch;
}

void
watch_free(Watch *watch)
{
    if (!watch)
        return;
    usage_series_free(watch->series);
    g_array_unref(watch->rows);
    g_free(watch);
}

const UsageRow *
row_of(const Watch *watch, const TestGuest *guest)
{
    for (unsigned i = 0; i < watch->rows->len; i++) {
        const UsageRow *row = &g_array_index(watch->rows, UsageRow, i);

        if (g_str_equal(row->uuid, guest->uuid))
            return row;
    }
    return NULL;
}

void
expect_rate(const Watch *watch, const TestGuest *guest, UsageRate rate, double value)
{
    const UsageRow *row = row_of(watch, guest);

    g_assert_nonnull(row);
    g_assert_false(row->stale);
    g_assert_true(row->rates.known & (1U << rate));
    g_assert_cmpfloat_with_epsilon(row->rates.values[rate], value, 1e-6);
}

void
expect_unknown(const Watch *watch, const TestGuest *guest, UsageRate rate)
{
    const UsageRow *row = row_of(watch, guest);

    g_assert_nonnull(row);
    g_assert_false(row->stale);
    g_assert_false(row->rates.known & (1U << rate));
}

void
expect_rates(const Watch *watch, TestGuest *guest)
{
    const UsageRow *row = row_of(watch, guest);
    double read = 0;

    for (unsigned i = 0; i < guest->disks->len; i++)
        read += (double)((GuestDisk *)guest->disks->pdata[i])->read.rate;
    expect_rate(watch, guest, USAGE_CPU, (double)guest->cpu.rate / 1e9);
    expect_rate(watch, guest, USAGE_DISK_READ, read);
    expect_rate(watch, guest, USAGE_DISK_WRITE, 2 * read);
    expect_rate(watch, guest, USAGE_NET_RX, (double)guest->rx.rate);
    expect_rate(watch, guest, USAGE_NET_TX, 2 * (double)guest->rx.rate);
    g_assert_cmpuint(row->memory, ==, USAGE_HAS_MEMORY_USED | USAGE_HAS_MEMORY_RSS);
    g_assert_cmpuint(row->memory_used, ==, (AVAILABLE_KIB - UNUSED_KIB) * KIB);
    g_assert_cmpuint(row->memory_rss, ==, RSS_KIB * KIB);
}

void
expect_no_rates(const Watch *watch, const TestGuest *guest)
{
    for (unsigned rate = 0; rate < _USAGE_RATE_MAX; rate++)
        expect_unknown(watch, guest, rate);
}

void
expect_stale(const Watch *watch, const TestGuest *guest)
{
    const UsageRow *row = row_of(watch, guest);

    g_assert_nonnull(row);
    g_assert_true(row->stale);
    g_assert_cmpuint(row->rates.known, ==, 0);
    g_assert_cmpuint(row->memory, ==, 0);
}
