/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libFuzzer: the contents of a PID file. */

#include "daemon-watch.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pid_t pid = 0;
    int r = pidfile_parse((const char *)data, size, &pid);

    if ((r == 0) != (pid > 0))
        abort();
    return 0;
}
