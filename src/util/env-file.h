/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Settings as systemd reads them: the file of EnvironmentFile=, and how $VARIABLE in ExecStart=
 * becomes arguments. Pure: no I/O, no environment.
 */

#include <glib.h>

/* An assignment; a name that the file has twice comes twice, and the last one counts. */
typedef void (*EnvFileAssign)(const char *name, const char *value, void *userdata);

/*
 * NAME=VALUE on each line. Blank lines, lines that begin with "#" or ";", and those whose name is
 * not the name of a variable are passed over. A value may be quoted: "…" with \ before ", \, $ and
 * `, or '…'. A \ at the end of a line joins the next one to it; elsewhere in a value without quotes
 * it keeps the character that follows.
 */
void env_file_parse(const char *text, EnvFileAssign assign, void *userdata);

/* The words of VALUE, with quotes and \ taken away; what is open at the end closes there. Free with
 * g_strfreev(). */
char **env_file_words(const char *value);
