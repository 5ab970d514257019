/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A portable pixmap (binary, P6, 8 bits) as PNG: not compressed, as the point is a file that every
 * viewer opens, without a library for it.
 */
#pragma once

#include <glib.h>

/* NULL if the bytes are no such pixmap. */
GBytes *png_from_ppm(const guint8 *data, gsize size);
