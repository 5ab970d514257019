/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How often a test of faults goes round, and what must not grow meanwhile.
 *
 * Each round has a seed of its own: a round that fails says which, and VMS_SEED=THAT VMS_ROUNDS=1
 * does it again. VMS_ROUNDS and VMS_MINUTES bound the rounds, whichever is reached first; VMS_SEED
 * is the first seed.
 */

#include "world.h"

typedef struct Rounds {
    guint32 seed; /* of this round */
    GRand *rand;  /* made from it */
    guint done;
    guint most;
    gint64 end;
} Rounds;

void rounds_init(Rounds *r, guint32 seed, guint most, guint seconds);
/* The next round, or false when it is enough. */
bool rounds_next(Rounds *r);
void rounds_clear(Rounds *r);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Rounds, rounds_clear)

/* At random, 0 to n - 1; one in n. */
guint pick(Rounds *r, guint n);
bool one_in(Rounds *r, guint n);

/* Resources that the service holds. */
typedef struct Holdings {
    guint threads, descriptors;
    guint64 kib; /* resident */
    guint64 peak_kib;
} Holdings;

Holdings holdings_of(const World *w);
/* Waits until there are no more threads and descriptors than before; memory may be this much more.
 */
void assert_no_more(World *w, const Holdings *before, guint64 kib);
/* Sanitizers keep what was freed: then memory says nothing. */
bool memory_counts(void);
