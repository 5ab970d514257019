/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The bench: a bus, libvirtd with a number of domains, the service and libvirt-dbus on both, and
 * what is measured with them. Each measurement takes its rounds in turns: ours, a peer's, the
 * floor's, ours again; so that what else the machine does meets them all.
 */

#include "client.h"
#include "floor.h"
#include "measure.h"
#include "process.h"
#include "world.h"

typedef struct {
    World *world;
    Results *results;
    sd_bus *bus;
    Watch *watch;
    int bare_list; /* the bare libvirt program: floor_ask() */
    int bare_connect;
    Floor floor; /* our own connection */
    char *link;  /* the socket of libvirtd under a name that comes and goes */
    char *uri;   /* by that name: for the service and for the floor */
    Process *peer;
    GPtrArray *peer_paths;
    GPtrArray *guests; /* those that bench_start_guests() has started */

    bool is_short;
    unsigned rounds;       /* of what takes seconds */
    unsigned quick_rounds; /* of what takes less, at least */
    unsigned idle_seconds;
    unsigned n_defined;
    unsigned n; /* all domains: those, and the guest */
} Bench;

/* bench.c: what runs. The service is available and has told everything when this returns. */
void bench_start_service(Bench *b);
void bench_stop_service(Bench *b);
void bench_restart_service(Bench *b);
pid_t bench_service_pid(const Bench *b);
void bench_start_peer(Bench *b);
void bench_stop_peer(Bench *b);
void bench_restart_peer(Bench *b);
void bench_link_socket(Bench *b);
void bench_unlink_socket(Bench *b);
/* Adds to the series of that name for the present number of domains. */
void bench_add(Bench *b, const char *name, const char *unit, double value);

/* reads.c */
void bench_managed_objects(Bench *b, bool with_peer);
void bench_property(Bench *b);
void bench_list(Bench *b, bool with_peer);
void bench_frozen(Bench *b);
void bench_thawed(Bench *b);
/* connection.c */
void bench_connect(Bench *b);
void bench_transition(Bench *b);
void bench_recovery(Bench *b);
/* events.c */
/* Until the service has read everything that has changed. */
void bench_wait_read(Bench *b);
void bench_event(Bench *b);
void bench_stop(Bench *b);
/* buses.c */
void bench_buses(Bench *b);
/* usage.c */
/* The first n of them run, with images that libvirt need not open for figures, until all end. */
void bench_start_guests(Bench *b, unsigned n);
void bench_end_guests(Bench *b);
void bench_usage(Bench *b);
/* resources.c */
void bench_memory(Bench *b, unsigned rounds, bool with_peer);
void bench_idle(Bench *b);
void bench_agent(Bench *b);
void bench_rest(Bench *b);
