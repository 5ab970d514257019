/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The world around one operation: the test is the clock, the hypervisor and the guest. Every effect
 * is a word in a log ("shutdown refresh done"), which is compared with what it should be.
 */

#include "operation-plan.h"
#include "operation.h"

#define MSEC UINT64_C(1000)
#define SEC  (1000 * MSEC)

#define STOP_TIMEOUT (10 * SEC)

#define MAY_HAVE "; it may have been carried out"

typedef struct {
    Operation *op;
    OperationSpec spec;
    bool transient;
    Observation domain; /* what does not follow from its state */
    uint64_t now;
    uint64_t began;
    uint64_t armed;
    GString *log;
    unsigned serial; /* of the last call or probe */
    bool refuse;     /* calls fail at once */
    bool finished;
    bool forced;
    OperationResult result;
    Error *error;
} World;

extern const OperationEffects world_effects;

World *world_new(OperationKind kind);
void world_free(World *w);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(World, world_free)

int id_of(DomainState state);

/* Begin w->spec; where it refreshes the domain first, that is over. */
void begin(World *w, DomainState state);
World *begun(OperationKind kind, DomainState state);
/* The effects since the last time. */
void expect(World *w, const char *log);
void expect_error(World *w, ErrorKind kind, const char *words);

void end_call(World *w, unsigned serial, CallOutcome outcome);
/* The last call succeeds. */
void ok(World *w);
void observe(World *w, DomainState state, bool fresh);
/* An event tells; then a refresh has come back. */
void see(World *w, DomainState state);
void refreshed(World *w, DomainState state);
/* A refresh finds no such domain. */
void vanish(World *w);
void connection(World *w, bool connected);
/* A new connection, on which the domain is found so: listed first, then refreshed. */
void reset_connection(World *w, DomainState state);
void pass(World *w, uint64_t usec);
/* The answer to the last probe. */
void probed(World *w, ProbeAnswer answer);
