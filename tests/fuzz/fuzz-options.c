/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libFuzzer: the command line, one argument a line. */

#include "options.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* They print, and that is all. */
static bool
is_noisy(const char *argument)
{
    return g_str_has_prefix(argument, "--h") || g_str_has_prefix(argument, "-h") ||
           g_str_has_prefix(argument, "--v") || strstr(argument, "-?");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autofree char *line = g_strconcat("unraid-vmsd\n", text, NULL);
    g_auto(GStrv) words = g_strsplit(line, "\n", 64);
    Options options = {0};

    for (char **word = words; *word; word++)
        if (is_noisy(*word))
            return 0;
    /* It may move its arguments about: the words stay whose they are. */
    g_autofree char **argv = g_memdup2(words, (g_strv_length(words) + 1) * sizeof(char *));
    OptionsResult result = options_parse(&options, (int)g_strv_length(words), argv);
    if ((result == OPTIONS_BAD) != (options.message != NULL))
        abort();
    if (result == OPTIONS_RUN && (!options.uri || !options.name))
        abort();
    options_clear(&options);
    return 0;
}
