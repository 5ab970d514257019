/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Several clients that call all the while: properties, GetManagedObjects, ListDomains, GetDomain
 * and GetXml, each client one call at a time, and the next one a moment after the reply.
 *
 * A read from memory must succeed, soon; what asks libvirt must answer within the bound of the
 * interface, and may only refuse because libvirt is unavailable. Anything else aborts the test.
 */

#include "service.h"

typedef struct Callers Callers;

/* On a domain that exists as long as they call. */
Callers *callers_start(World *w, guint clients, const char *path, const char *name);
/* Waits for the replies that are due, and says how many there were. */
void callers_stop(Callers *callers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Callers, callers_stop)
