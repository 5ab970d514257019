/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Tests that start their own program again, which QEMU's user mode cannot: the kernel executes only
 * what is built for the processor that there is. tests/elsewhere/cross.sh sets VMS_EMULATED.
 */

#include <glib.h>

static inline void
skip_emulated(void)
{
    g_test_skip("QEMU's user mode cannot start this program again");
}

static inline void
add_unless_emulated(const char *path, GTestFunc func)
{
    g_test_add_func(path, g_getenv("VMS_EMULATED") ? skip_emulated : func);
}
