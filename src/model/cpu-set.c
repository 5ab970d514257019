/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu-set.h"

#include <stdbool.h>

static bool
take_number(const char **text, unsigned *ret)
{
    const char *p = *text;
    unsigned number = 0;

    if (!g_ascii_isdigit(*p))
        return false;
    for (; g_ascii_isdigit(*p); p++) {
        number = number * 10 + (unsigned)(*p - '0');
        if (number > CPU_SET_MAX)
            return false;
    }
    *text = p;
    *ret = number;
    return true;
}

/* "5", "1-4" or "^5". */
static bool
take_range(const char **text, bool *ret_remove, unsigned *ret_first, unsigned *ret_last)
{
    *ret_remove = **text == '^';
    if (*ret_remove)
        (*text)++;
    if (!take_number(text, ret_first))
        return false;
    *ret_last = *ret_first;
    if (**text != '-')
        return true;
    (*text)++;
    return !*ret_remove && take_number(text, ret_last) && *ret_last >= *ret_first;
}

static void
change_bits(GByteArray *set, bool remove, unsigned first, unsigned last)
{
    unsigned length = set->len;

    if (length <= last / 8) {
        g_byte_array_set_size(set, last / 8 + 1);
        for (; length < set->len; length++)
            set->data[length] = 0;
    }
    for (unsigned cpu = first; cpu <= last; cpu++) {
        unsigned bit = 1U << (cpu % 8);

        set->data[cpu / 8] =
            (guint8)(remove ? set->data[cpu / 8] & ~bit : set->data[cpu / 8] | bit);
    }
}

GByteArray *
cpu_set_parse(const char *text)
{
    g_autoptr(GByteArray) set = g_byte_array_new();
    bool remove;
    unsigned first;
    unsigned last;

    for (;; text++) {
        if (!take_range(&text, &remove, &first, &last))
            return NULL;
        change_bits(set, remove, first, last);
        if (*text != ',')
            break;
    }
    while (set->len > 0 && set->data[set->len - 1] == 0)
        g_byte_array_set_size(set, set->len - 1);
    return *text == '\0' && set->len > 0 ? g_steal_pointer(&set) : NULL;
}
