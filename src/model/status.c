/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "status.h"

static const char *const status_names[_STATUS_MAX] = {
    [STATUS_STARTING] = "starting", [STATUS_AVAILABLE] = "available",
    [STATUS_STOPPED] = "stopped",   [STATUS_UNREACHABLE] = "unreachable",
    [STATUS_DENIED] = "denied",     [STATUS_FAILED] = "failed",
};

const char *
status_name(Status status)
{
    return status_names[status];
}
