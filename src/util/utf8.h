/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Text as D-Bus takes it. Any thread.
 */

#include <stddef.h>

/*
 * A copy in which all that D-Bus refuses is replaced: bytes that are no UTF-8, and the code points
 * that Unicode never makes characters, which XML allows. A message that carried one of them could
 * not be sent. NULL is "".
 */
char *utf8_for_bus(const char *text);

/* The length of the longest beginning of valid `text` that has at most `max` bytes and ends between
 * two characters. */
size_t utf8_prefix(const char *text, size_t max);
