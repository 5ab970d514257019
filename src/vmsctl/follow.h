/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Waiting for jobs, any number at once: a progress bar for each on a terminal, nothing but failures
 * elsewhere. Make the follower before the calls that start the jobs, or their end may be missed.
 */
#pragma once

#include "client.h"

typedef struct Follower Follower;

Follower *follower_new(Client *client, GError **error);
void follower_free(Follower *follower);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Follower, follower_free)

/* VM is how the user calls it; METHOD is what made the job. */
void follower_add(Follower *follower, const char *vm, const char *method, const char *job);

/*
 * Calls METHOD of the VM at PATH. Where the reply names a job, that is followed, or with NO_WAIT
 * its number is printed; where the method replies when the work is done, and the work takes longer
 * than a call may, the job it goes on as is followed.
 */
ExitStatus follower_call(Follower *follower, const char *vm, const char *path,
                         const char *interface, const char *method, GVariant *arguments,
                         bool no_wait);

/* Returns when all are over, each failure printed: the status of the first one that failed. */
ExitStatus follower_wait(Follower *follower);
