/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Those who wait until domains have been refreshed, each for a set of its own. Belongs to the loop.
 */

#include "waiters.h"

#include <stdbool.h>

typedef struct RefreshWaits RefreshWaits;

RefreshWaits *refresh_waits_new(void);
/* Nobody is answered. */
void refresh_waits_free(RefreshWaits *waits);

/*
 * Answers with OUTCOME_OK and no value when refresh_waits_answer() has taken each of these domains
 * off the wait, at once where there is none. Takes the set of UUIDs.
 */
void refresh_waits_add(RefreshWaits *waits, GHashTable *uuids, bool awaits_suspects,
                       Pending *pending, WaiterDone done, void *userdata);
/* Take the domain off every wait; without `all`, off those alone that do not wait for suspect
 * domains. */
void refresh_waits_answer(RefreshWaits *waits, const char *uuid, bool all);
