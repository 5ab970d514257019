/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host-address.h"

#include <glib.h>
#include <string.h>

/* One argument of ssh, which hands it to the user's shell, of whatever kind that is. It has no text
 * from outside. */
#define REMOTE_COMMAND                                                                             \
    "exec sh -c 'for bridge in systemd-stdio-bridge elogind-stdio-bridge; do "                     \
    "command -v $bridge >/dev/null && exec $bridge; done; exec vmsctl --stdio-bridge'"

/* A value of an address: the bytes that the specification of D-Bus does not let stand are escaped.
 */
static void
append_argument(GString *address, unsigned *n, const char *value)
{
    g_string_append_printf(address, ",argv%u=", ++*n);
    for (const char *c = value; *c; c++)
        if (g_ascii_isalnum(*c) || strchr("-_/.", *c))
            g_string_append_c(address, *c);
        else
            g_string_append_printf(address, "%%%02x", (guchar)*c);
}

/* Moves behind the host's name, and returns the name as ssh takes it: without brackets. */
static char *
take_name(const char **host)
{
    const char *start = *host, *end;

    if (*start == '[') {
        end = strchr(++start, ']');
        if (!end)
            return NULL;
        *host = end + 1;
    } else {
        end = start + strcspn(start, ":");
        *host = end;
    }
    return end > start ? g_strndup(start, (gsize)(end - start)) : NULL;
}

char *
host_address(const char *host)
{
    g_autoptr(GString) address = g_string_new("unixexec:path=ssh");
    const char *at = strchr(host, '@');
    g_autofree char *user = at ? g_strndup(host, (gsize)(at + 1 - host)) : g_strdup("");
    const char *rest = at ? at + 1 : host;
    g_autofree char *name = take_name(&rest);
    g_autofree char *destination = g_strconcat(user, name, NULL);
    unsigned n = 0;
    guint64 port;

    if (!name || g_str_equal(user, "@") || strchr(name, '@'))
        return NULL;
    append_argument(address, &n, "-xT");
    if (*rest) {
        if (*rest != ':' || !g_ascii_string_to_unsigned(rest + 1, 10, 1, G_MAXUINT16, &port, NULL))
            return NULL;
        append_argument(address, &n, "-p");
        append_argument(address, &n, rest + 1);
    }
    append_argument(address, &n, "--");
    append_argument(address, &n, destination);
    append_argument(address, &n, REMOTE_COMMAND);
    return g_string_free(g_steal_pointer(&address), FALSE);
}
