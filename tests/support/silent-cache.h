/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A cache for the test of a module that reads it: nobody listens to its changes.
 */

#include "cache.h"

Cache *silent_cache_new(void);
/* The domain is added, or starts or ends: its id is -1 while it is off. Its name is the UUID. */
void silent_cache_set(Cache *cache, const char *uuid, int id);
