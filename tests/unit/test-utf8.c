/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Text of libvirt and of guests, which may be any bytes, as D-Bus takes it. */

#include "utf8.h"

#include <glib.h>

#define REPLACED "\xef\xbf\xbd"

static void
test_for_bus(void)
{
    static const struct {
        const char *text;
        const char *expected;
    } rows[] = {
        {NULL, ""},
        {"", ""},
        {"a\xc3\xa9 \xf0\x9f\x98\x80\n", "a\xc3\xa9 \xf0\x9f\x98\x80\n"},
        {"h\xf6st", "h" REPLACED "st"},
        {"cut \xe2\x82", "cut " REPLACED REPLACED},
        {"\xed\xa0\x80", REPLACED REPLACED REPLACED}, /* a surrogate */
        {"\xef\xb7\x90|\xef\xb7\xaf", REPLACED "|" REPLACED},
        {"\xef\xbf\xbe|\xf4\x8f\xbf\xbf", REPLACED "|" REPLACED},
        {"\xef\xb7\x8f|\xef\xb7\xb0", "\xef\xb7\x8f|\xef\xb7\xb0"}, /* beside these */
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = utf8_for_bus(rows[i].text);

        g_assert_cmpstr(text, ==, rows[i].expected);
    }
}

static void
test_prefix(void)
{
    static const struct {
        const char *text;
        size_t max;
        size_t length;
    } rows[] = {
        {"", 0, 0},
        {"", 5, 0},
        {"abc", 5, 3},
        {"abc", 3, 3},
        {"abc", 2, 2},
        {"abc", 0, 0},
        {"a\xc3\xa9", 3, 3},
        {"a\xc3\xa9", 2, 1},
        {"\xc3\xa9", 1, 0},
        {"\xe2\x82\xac", 2, 0},
        {"\xf0\x9f\x98\x80x", 4, 4},
        {"\xf0\x9f\x98\x80x", 3, 0},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpuint(utf8_prefix(rows[i].text, rows[i].max), ==, rows[i].length);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/utf8/for-bus", test_for_bus);
    g_test_add_func("/utf8/prefix", test_prefix);
    return g_test_run();
}
