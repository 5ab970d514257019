/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The start without systemd. The bus, or an init script, starts the program as root; it does what
 * the units tell systemd to do before the program runs, and then runs itself again: takes the
 * settings from the file, becomes the user of the service and joins the group of libvirt's socket.
 */

#include "error.h"
#include "options.h"

/* Did root start it with --drop-root? False in the program that launch() runs. */
bool launch_is_due(const Options *options);

/* Returns only where it fails; `argv` is that of main(). */
Error *launch(const Options *options, char **argv);

/*
 * The arguments of the program when it runs again: VMS_OPTIONS of the settings, and then those that
 * it was given. Free with g_strfreev().
 */
char **launch_arguments(char **argv, const char *vms_options);
