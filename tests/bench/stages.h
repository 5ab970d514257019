/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The moments at which the service gets to certain functions while it deals with an event, told by
 * the kernel (uprobes of tracefs), on the clock of now_ms(). A probe costs some microseconds.
 */

#include <stdbool.h>

typedef enum {
    STAGE_CALLBACK, /* libvirt calls the service */
    STAGE_LOOP,     /* the loop has the event */
    STAGE_READ,     /* a lane begins to read the state */
    STAGE_ANSWER,   /* and has it */
    STAGE_APPLY,    /* the loop has it */
    STAGE_SIGNAL,   /* the signal is made */
    N_STAGES,
} Stage;

/* False, and why on standard error, where the kernel or the program does not have it. */
bool stages_open(const char *program);
void stages_close(void);
void stages_reset(void);
/* When each was first reached since then; false if one was not. */
bool stages_read(double at[N_STAGES]);
