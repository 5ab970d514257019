/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Guests whose figures rise at known rates, a libvirt that tells them, and a lane pool without
 * lanes. The test is the clock. A call reads the figures when it is submitted and returns after
 * World.latency, or, where it is about a guest that hangs, when that guest goes on.
 *
 *     TestGuest *guest = guest_add(w);
 *     Watch *watch = watch_new(w, SEC);
 *     fake_loop_advance(SEC);
 *     expect_rates(watch, guest);
 *     watch_free(watch);
 */

#include "fake-loop.h"
#include "timer.h"
#include "usage.h"

#define MSEC        UINT64_C(1000)
#define SEC         (1000 * MSEC)
/* A call about many domains that has not returned by then is given up. */
#define HANGS_AFTER SEC

/* A counter that rises by `rate` each second. */
typedef struct {
    uint64_t counted;
    uint64_t rate;
    uint64_t since;
} Meter;

typedef struct {
    char *target;
    Meter read; /* twice as much is written */
} GuestDisk;

/* The calls that do not return while it hangs. */
typedef enum {
    HANGS_NOT = 0,
    HANGS_IN_RECORD = 1 << 0,
    HANGS_IN_DISKS = 1 << 1,
    HANGS_IN_ALL = HANGS_IN_RECORD | HANGS_IN_DISKS,
} GuestHangs;

/* As libvirt has it; the service has what it learnt last. */
typedef struct {
    char uuid[UUID_LENGTH + 1];
    int id;
    bool opens; /* libvirt would open an image of it: its disks are asked for on their own */
    GuestHangs hangs;
    Meter cpu;
    Meter rx;
    GPtrArray *disks; /* GuestDisk */
} TestGuest;

typedef struct {
    Cache *cache;
    Usage *usage;
    GPtrArray *guests;
    GPtrArray *flights; /* calls that libvirt has not finished */
    Timer *returns;
    uint64_t latency;
    bool fails; /* every call from now on */
    /* The calls that were submitted so far. */
    unsigned asked_many;  /* about many domains */
    unsigned asked_one;   /* the same about a single one */
    unsigned asked_disks; /* about the disks of one */
} World;

/* Connected, and without guests. Everything that was submitted has returned at the end. */
World *world_new(void);
void world_free(World *w);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(World, world_free)
unsigned count_asked(const World *w);

/* The connection is lost, or is there again. What was submitted on the old one returns later. */
void world_set_connected(World *w, bool connected);
/* The calls under way are lost with their lanes; the connection stays. */
void world_lose_lanes(World *w);

/* --- guests */

/* One that runs, with a network and the disk "vda", and that the service knows. */
TestGuest *guest_add(World *w);
/* In libvirt alone: a new run, in which each counter begins again; and its end. */
void guest_start(World *w, TestGuest *guest);
void guest_stop(TestGuest *guest);
void guest_plug(TestGuest *guest, const char *target, uint64_t rate);
void guest_unplug(TestGuest *guest, const char *target);
/* The service learns what libvirt has. */
void guest_learn(World *w, const TestGuest *guest);
/* Calls that hung on it return now, if they hang on nothing else. */
void guest_set_hangs(World *w, TestGuest *guest, GuestHangs hangs);
void meter_set_rate(Meter *meter, uint64_t rate);
GuestDisk *guest_disk(TestGuest *guest, const char *target);

/* --- those who want figures */

typedef struct {
    UsageSeries *series;
    unsigned n;         /* ticks so far */
    uint64_t at;        /* the last one */
    uint64_t timestamp; /* that it had */
    GArray *rows;       /* of the last one */
    void (*on_tick)(void *userdata);
    void *userdata;
} Watch;

Watch *watch_new(World *w, uint64_t interval);
/* NULL is fine. */
void watch_free(Watch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Watch, watch_free)

/* NULL where the last tick does not name it. */
const UsageRow *row_of(const Watch *watch, const TestGuest *guest);
/* All figures are there and as the guest has them. */
void expect_rates(const Watch *watch, TestGuest *guest);
void expect_rate(const Watch *watch, const TestGuest *guest, UsageRate rate, double value);
void expect_unknown(const Watch *watch, const TestGuest *guest, UsageRate rate);
/* It is there without any rate. */
void expect_no_rates(const Watch *watch, const TestGuest *guest);
void expect_stale(const Watch *watch, const TestGuest *guest);
