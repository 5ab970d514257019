/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Sets of host CPUs as libvirt writes them: "0-3,^2,8". Pure; any thread.
 */

#include <glib.h>

/* The largest number of a CPU that is taken. */
#define CPU_SET_MAX 16383

/*
 * Bit N of byte M is CPU 8 * M + N, and the last byte is not 0. NULL where `text` is no set or has
 * no member. "^" takes a CPU away from the ranges before it, not from those behind it, as in
 * libvirt.
 */
GByteArray *cpu_set_parse(const char *text);
