/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heap.h"

#include "units.h"

#include <stdlib.h> /* defines __GLIBC__ */

#ifdef __GLIBC__

#include <malloc.h>

#define KEPT_MAX (128 * KIB)

void
heap_keep_small(void)
{
    (void)mallopt(M_ARENA_MAX, 1);
    (void)mallopt(M_TRIM_THRESHOLD, KEPT_MAX);
    (void)mallopt(M_MMAP_THRESHOLD, KEPT_MAX);
}

void
heap_give_back(void)
{
    (void)malloc_trim(0);
}

#else

void
heap_keep_small(void)
{
}

void
heap_give_back(void)
{
}

#endif
