/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Units: sizes are in bytes, as size_t, and times in microseconds, as uint64_t. Constants alone,
 * for any thread.
 */

#include <stddef.h>
#include <stdint.h>

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)

#define MSEC UINT64_C(1000)
#define SEC  (1000 * MSEC)
