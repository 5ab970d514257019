/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libFuzzer: a destination of a migration. What passes names a program, a key or a proxy nowhere.
 */

#include "libvirt-uri.h"

#include <glib.h>
#include <libxml/uri.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Looked for in another way than the code does it. */
static void
check_passed(const char *text)
{
    static const char *const forbidden[] = {"command", "keyfile", "proxy",      "pkipath",
                                            "netcat",  "sshauth", "known_hosts"};
    xmlURI *uri = xmlParseURI(text);

    if (!uri || !uri->scheme)
        abort();
    g_auto(GStrv) pairs = g_strsplit_set(uri->query_raw ? uri->query_raw : "", "&;", -1);
    for (char **pair = pairs; *pair; pair++) {
        g_autofree char *name = g_uri_unescape_segment(*pair, strchrnul(*pair, '='), NULL);
        for (guint i = 0; name && i < G_N_ELEMENTS(forbidden); i++)
            if (g_ascii_strcasecmp(name, forbidden[i]) == 0)
                abort();
    }
    if (g_ascii_strncasecmp(uri->scheme, "ext", 3) == 0 && uri->scheme[3] == '\0')
        abort();
    if (g_str_has_suffix(uri->scheme, "+ext"))
        abort();
    xmlFreeURI(uri);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autofree char *refusal = libvirt_uri_refuse_destination(text);

    if (!refusal)
        check_passed(text);
    else if (!*refusal)
        abort();
    return 0;
}
