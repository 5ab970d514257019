/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The paths of domains and jobs on the bus, and back. One object has one path: upper case and
 * leading zeros name nothing. Pure, any thread.
 */

#include "domain.h"

/* By value: object_path_of_domain(uuid).text is valid to the end of the expression. */
typedef struct {
    char text[64];
} ObjectPath;

/* "/org/unraid/Vms/domain/<uuid with '_'>"; the UUID is canonical. */
ObjectPath object_path_of_domain(const char *uuid);
/* "/org/unraid/Vms/job/<number>"; "/" for 0, which is no job. */
ObjectPath object_path_of_job(uint64_t number);

/* False where that is no such path. */
bool object_path_to_domain(const char *path, char ret_uuid[static UUID_LENGTH + 1]);
bool object_path_to_job(const char *path, uint64_t *ret_number);
