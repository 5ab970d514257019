/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "document.h"

#include "terminal-text.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static char *
read_all(int fd, GError **error)
{
    GString *text = g_string_new(NULL);
    char buffer[16384];
    ssize_t n;

    while ((n = read(fd, buffer, sizeof buffer)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            failure_set(error, EXIT_FAILED, "Cannot read standard input: %s", g_strerror(errno));
            g_string_free(text, TRUE);
            return NULL;
        }
        g_string_append_len(text, buffer, n);
    }
    return g_string_free(text, FALSE);
}

char *
document_read(const char *file, GError **error)
{
    g_autofree char *text = NULL;

    if (g_str_equal(file, "-")) {
        text = read_all(STDIN_FILENO, error);
        if (!text)
            return NULL;
    } else if (!g_file_get_contents(file, &text, NULL, error)) {
        return NULL;
    }
    if (!g_utf8_validate(text, -1, NULL)) {
        failure_set(error, EXIT_USAGE, "%s is not UTF-8 text", file);
        return NULL;
    }
    return g_steal_pointer(&text);
}

void
document_print(const char *text)
{
    g_autofree char *safe = isatty(STDOUT_FILENO) ? terminal_text_escape_lines(text) : NULL;

    (void)fputs(safe ? safe : text, stdout);
    if (!g_str_has_suffix(text, "\n"))
        putchar('\n');
}
