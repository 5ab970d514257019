/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The service while somebody means harm: on a bus with the limits of a system bus, with 200
 * domains, and what others notice of it.
 *
 *     g_autoptr(Service) s = hostile_service(world_new_with_limits());
 *     g_autoptr(Others) others = others_new(s->world);
 *     (the attack)
 *     others_check(others);
 *
 * Declare the others after the service, so that they go first.
 */

#include "service.h"

#define HOSTILE_DOMAINS 200
/* The bytes that the published description of each of them takes. */
#define HOSTILE_TEXT    4096

/* "domain0" and so on run; each has a description longer than what is published of it. */
Service *hostile_service(World *w);

/*
 * Another client. It reads the same property of the service and of an idle instance of it on the
 * same bus, so that what the bus itself takes, and a busy machine, count for both.
 */
typedef struct Others Others;

Others *others_new(World *w);
void others_free(Others *others);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Others, others_free)

/* A read takes at most three times what it takes of the idle instance, to which a small time is
 * added. The test's output has what it took before the attack, too. */
void others_check(Others *others);
/* The same, and a change of root's on this domain is carried out. */
void others_check_change(Others *others, const char *path);
/* The memory of the service has stayed below what the manual says. */
void others_check_memory(const Others *others);
