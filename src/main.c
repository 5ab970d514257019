/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <stdio.h>

int
main(void)
{
    puts("unraid-vmsd " PROJECT_VERSION);
    return 0;
}
