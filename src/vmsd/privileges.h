/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Root becomes the service's user, for good. The units of systemd say the same with User=,
 * SupplementaryGroups=, NoNewPrivileges=, LimitNOFILE= and UMask=. Main thread, before any other is
 * made.
 */

#include "error.h"

/* Descriptors of a process, as LimitNOFILE= of the units has it. */
#define PRIVILEGES_MAX_DESCRIPTORS 32768

/*
 * USER with its groups, and with GROUP where there is one; no program that it runs gets more
 * rights, and HOME, USER, LOGNAME and the working directory are as for USER. NULL, or why not: then
 * the process may be neither, and has to end.
 */
Error *privileges_become(const char *user, const char *group);
