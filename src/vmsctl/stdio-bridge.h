/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The far end of "vmsctl --host": passes messages between standard input and output and this host's
 * system bus, as systemd-stdio-bridge does. For hosts that have none.
 */
#pragma once

#include "failure.h"

/* Until either side closes. */
ExitStatus stdio_bridge_run(void);
