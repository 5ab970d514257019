/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* All that the service says of itself when it is introspected, object by object: tests that go over
 * the whole interface find in it what was added to the interface after them. */

#include "client.h"

typedef struct Member {
    char *path;
    char *interface;
    char *name;
    char *arguments;  /* of a method, the signature of what goes in; of a property, its type */
    bool is_property; /* else a method */
    bool is_writable;
} Member;

/* Of every object from "/" on, the standard interfaces too. */
GPtrArray *interface_members(Client *c);
/* Every path there is, "/" and the nodes without an interface of their own too. */
GPtrArray *interface_paths(Client *c);
