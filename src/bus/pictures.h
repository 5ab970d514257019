/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The memory of the pictures that clients hold. A picture is a file in memory, which counts as the
 * service's for as long as anybody has it open or mapped; inotify tells the end of that. Belongs to
 * the loop.
 */

#include <stdbool.h>
#include <sys/types.h>

struct sd_event;

typedef struct Pictures Pictures;

/* 0 or a negative errno. */
int pictures_new(struct sd_event *event, Pictures **ret);
void pictures_free(Pictures *pictures);

/* The file, whose descriptor stays the caller's, is given to the user. False where the user, or all
 * users together, hold too much already. */
bool pictures_give(Pictures *pictures, uid_t uid, int fd);
