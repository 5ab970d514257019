/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "png.h"

#include <stdbool.h>
#include <string.h>

#define STORED_MAX 65535u
#define SIDE_MAX   32768u

typedef struct Pixmap {
    guint32 width, height;
    const guint8 *pixels;
} Pixmap;

static void
put_u32(GByteArray *out, guint32 value)
{
    guint32 big = GUINT32_TO_BE(value);

    g_byte_array_append(out, (const guint8 *)&big, sizeof big);
}

static guint32
crc32(const guint8 *data, gsize size)
{
    guint32 crc = 0xffffffffu;

    for (gsize i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static guint32
adler32(const guint8 *data, gsize size)
{
    guint32 a = 1, b = 0;

    for (gsize i = 0; i < size; i++) {
        a = (a + data[i]) % 65521u;
        b = (b + a) % 65521u;
    }
    return b << 16 | a;
}

static void
put_chunk(GByteArray *out, const char *type, const guint8 *data, gsize size)
{
    put_u32(out, (guint32)size);
    guint begin = out->len;
    g_byte_array_append(out, (const guint8 *)type, 4);
    if (size > 0)
        g_byte_array_append(out, data, (guint)size);
    put_u32(out, crc32(out->data + begin, size + 4));
}

/* Every line begins with its filter: none. */
static GByteArray *
scan_lines(const Pixmap *pixmap)
{
    gsize row = (gsize)pixmap->width * 3;
    GByteArray *lines = g_byte_array_sized_new((guint)((row + 1) * pixmap->height));

    for (guint32 y = 0; y < pixmap->height; y++) {
        g_byte_array_append(lines, (const guint8 *)"", 1);
        g_byte_array_append(lines, pixmap->pixels + y * row, (guint)row);
    }
    return lines;
}

/* A zlib stream of stored blocks. */
static GByteArray *
store(const GByteArray *lines)
{
    GByteArray *out = g_byte_array_new();

    g_byte_array_append(out, (const guint8 *)"\x78\x01", 2);
    for (guint at = 0; at < lines->len;) {
        guint size = MIN(lines->len - at, STORED_MAX);
        guint8 head[] = {at + size == lines->len, (guint8)size, (guint8)(size >> 8), (guint8)~size,
                         (guint8)(~size >> 8)};

        g_byte_array_append(out, head, sizeof head);
        g_byte_array_append(out, lines->data + at, size);
        at += size;
    }
    put_u32(out, adler32(lines->data, lines->len));
    return out;
}

/* The next number of the header, after white space and comments. */
static bool
read_number(const guint8 **at, const guint8 *end, guint32 *number)
{
    while (*at < end && (g_ascii_isspace((char)**at) || **at == '#')) {
        if (**at == '#')
            while (*at < end && **at != '\n')
                (*at)++;
        else
            (*at)++;
    }
    if (*at == end || !g_ascii_isdigit((char)**at))
        return false;
    for (*number = 0; *at < end && g_ascii_isdigit((char)**at); (*at)++) {
        if (*number > SIDE_MAX)
            return false;
        *number = *number * 10 + (guint32)(**at - '0');
    }
    return true;
}

static bool
parse(const guint8 *data, gsize size, Pixmap *pixmap)
{
    const guint8 *at = data + 2, *end = data + size;
    guint32 depth;

    if (size < 2 || memcmp(data, "P6", 2) != 0)
        return false;
    if (!read_number(&at, end, &pixmap->width) || !read_number(&at, end, &pixmap->height) ||
        !read_number(&at, end, &depth) || at == end)
        return false;
    pixmap->pixels = at + 1;
    return depth == 255 && pixmap->width > 0 && pixmap->height > 0 && pixmap->width <= SIDE_MAX &&
           pixmap->height <= SIDE_MAX &&
           (gsize)(end - pixmap->pixels) >= (gsize)pixmap->width * pixmap->height * 3 &&
           (gsize)pixmap->width * pixmap->height * 3 < G_MAXINT32 / 2;
}

GBytes *
png_from_ppm(const guint8 *data, gsize size)
{
    Pixmap pixmap;

    if (!parse(data, size, &pixmap))
        return NULL;

    g_autoptr(GByteArray) header = g_byte_array_new();
    put_u32(header, pixmap.width);
    put_u32(header, pixmap.height);
    /* 8 bits, true colour, and the only compression, filter set and order for us. */
    g_byte_array_append(header, (const guint8 *)"\x08\x02\x00\x00\x00", 5);

    g_autoptr(GByteArray) lines = scan_lines(&pixmap);
    g_autoptr(GByteArray) stream = store(lines);
    GByteArray *out = g_byte_array_new();
    g_byte_array_append(out, (const guint8 *)"\x89PNG\r\n\x1a\n", 8);
    put_chunk(out, "IHDR", header->data, header->len);
    put_chunk(out, "IDAT", stream->data, stream->len);
    put_chunk(out, "IEND", NULL, 0);
    return g_byte_array_free_to_bytes(out);
}
