/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A service that says what the test has written for it: rows, figures and texts that no hypervisor
 * of the tests has. It owns org.unraid.Vms on the world's bus and runs on a thread of its own, so
 * that a test may wait for a terminal meanwhile.
 */

#include "world.h"

/*
 * The body of the reply to a method ("GetStats"; "GetAll INTERFACE" for properties), or of a signal
 * of the Manager's: Usage comes right after each reply to SubscribeUsage. BODY is a text as
 * g_variant_parse() takes it, a tuple of TYPE.
 */
typedef struct ScriptLine {
    const char *name;
    const char *type;
    const char *body;
} ScriptLine;

typedef struct Scripted Scripted;

/* SCRIPT ends with an empty line and outlives the service. */
Scripted *scripted_new(World *w, const ScriptLine *script);
void scripted_free(Scripted *scripted);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Scripted, scripted_free)

/* Sends PropertiesChanged of the object. */
void scripted_change(Scripted *scripted, const char *path, const char *interface,
                     const char *properties);
