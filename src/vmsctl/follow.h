/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Methods that start jobs, and waiting for these jobs, any number at once. On a terminal each job
 * has a progress bar; elsewhere only failures are printed.
 */
#pragma once

#include "client.h"

/*
 * Calls METHOD of each of the VMs, one after the other, as polkit may ask about each; then waits
 * for all jobs together. Where the reply names a job, that job is followed. Where the method
 * replies when the work is done, and the work takes longer than a call may, the job as which it
 * goes on is followed. With NO_WAIT the number of each job is printed instead.
 *
 * ARGUMENTS is floating, held or NULL. A failure is printed and does not stop the others; returns
 * the status of the first one.
 */
ExitStatus follow_each(Client *client, char **vms, const char *interface, const char *method,
                       GVariant *arguments, bool no_wait);
ExitStatus follow_one(Client *client, const char *vm, const char *interface, const char *method,
                      GVariant *arguments, bool no_wait);

/* The details of a job besides its result, by its property Forced; NULL: none. */
const char *follow_remark(bool forced);

/* The option that goes with it. */
#define FOLLOW_NO_WAIT_OPTION(variable)                                                            \
    {                                                                                              \
        "no-wait", 0, 0, G_OPTION_ARG_NONE, variable,                                              \
            "Print the number of the job and do not wait for its end", NULL                        \
    }
