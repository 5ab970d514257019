/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libvirt-uri.h"

#include <arpa/inet.h>
#include <glib.h>
#include <libxml/uri.h>
#include <stdbool.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlURI, xmlFreeURI)

/* --- where a driver runs ------------------------------------------------------------------ */

/* These drivers run in the client: no daemon is asked unless the URI names a transport. */
static const char *const client_drivers[] = {
    "test",         "esx",    "gsx",    "vpx",    "vmwareplayer", "vmwarews",
    "vmwarefusion", "vmware", "hyperv", "openvz", NULL,
};

/* "qemu+ssh" is the driver "qemu" over the transport "ssh"; the transport is NULL if not named. */
typedef struct {
    char *driver;
    const char *transport;
} Scheme;

static void
scheme_clear(Scheme *scheme)
{
    g_free(scheme->driver);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Scheme, scheme_clear)

static Scheme
read_scheme(const xmlURI *uri)
{
    const char *name = uri && uri->scheme ? uri->scheme : "";
    const char *plus = strchr(name, '+');
    size_t length = plus ? (size_t)(plus - name) : strlen(name);

    return (Scheme){
        .driver = g_ascii_strdown(name, (gssize)length),
        .transport = plus ? plus + 1 : NULL,
    };
}

static bool
has_server(const xmlURI *uri)
{
    return uri && uri->server && *uri->server;
}

static LibvirtUriPlace
place_of(const xmlURI *uri, const Scheme *scheme)
{
    if (scheme->transport)
        return g_ascii_strcasecmp(scheme->transport, "unix") == 0 ? LIBVIRT_URI_LOCAL
                                                                  : LIBVIRT_URI_REMOTE;
    if (g_strv_contains(client_drivers, scheme->driver) ||
        (uri && g_strcmp0(uri->path, "/embed") == 0))
        return LIBVIRT_URI_IN_PROCESS;
    return has_server(uri) ? LIBVIRT_URI_REMOTE : LIBVIRT_URI_LOCAL;
}

LibvirtUriPlace
libvirt_uri_place(const char *text)
{
    g_autoptr(xmlURI) uri = text ? xmlParseURI(text) : NULL;
    g_auto(Scheme) scheme = read_scheme(uri);

    return *scheme.driver ? place_of(uri, &scheme) : LIBVIRT_URI_LOCAL;
}

char *
libvirt_uri_driver(const char *text)
{
    g_autoptr(xmlURI) uri = text ? xmlParseURI(text) : NULL;
    g_auto(Scheme) scheme = read_scheme(uri);

    return g_steal_pointer(&scheme.driver);
}

/* --- sockets ------------------------------------------------------------------------------ */

static void
add_default_sockets(GPtrArray *sockets, const char *driver, const char *base, const char *mode)
{
    if (g_strcmp0(mode, "legacy") != 0 && !g_str_equal(driver, "remote"))
        g_ptr_array_add(sockets, g_strdup_printf("%s/libvirt/virt%sd-sock", base, driver));
    if (g_strcmp0(mode, "direct") != 0)
        g_ptr_array_add(sockets, g_strdup_printf("%s/libvirt/libvirt-sock", base));
}

static void
add_sockets(GPtrArray *sockets, const xmlURI *uri, const char *driver, const char *runtime_dir)
{
    const char *query = uri->query_raw ? uri->query_raw : "";
    g_autoptr(GHashTable) params = g_uri_parse_params(query, -1, "&;", G_URI_PARAMS_NONE, NULL);
    const char *named = params ? g_hash_table_lookup(params, "socket") : NULL;
    const char *mode = params ? g_hash_table_lookup(params, "mode") : NULL;
    bool session = g_strcmp0(uri->path, "/session") == 0;

    if (!named)
        add_default_sockets(sockets, driver, session ? runtime_dir : "/run", mode);
    else if (g_path_is_absolute(named))
        g_ptr_array_add(sockets, g_strdup(named));
}

char **
libvirt_uri_sockets(const char *text, const char *runtime_dir)
{
    GPtrArray *sockets = g_ptr_array_new();
    g_autoptr(xmlURI) uri = text ? xmlParseURI(text) : NULL;
    g_auto(Scheme) scheme = read_scheme(uri);

    if (uri && *scheme.driver && !has_server(uri) && place_of(uri, &scheme) == LIBVIRT_URI_LOCAL)
        add_sockets(sockets, uri, scheme.driver, runtime_dir);
    g_ptr_array_add(sockets, NULL);
    return (char **)g_ptr_array_free(sockets, FALSE);
}

/* --- PID files ---------------------------------------------------------------------------- */

char *
libvirt_uri_domain_pid_file(const char *text, const char *runtime_dir, const char *name)
{
    g_autoptr(xmlURI) uri = text ? xmlParseURI(text) : NULL;
    g_auto(Scheme) scheme = read_scheme(uri);

    if (!uri || !g_str_equal(scheme.driver, "qemu") ||
        place_of(uri, &scheme) != LIBVIRT_URI_LOCAL || strchr(name, '/'))
        return NULL;
    if (g_strcmp0(uri->path, "/session") == 0)
        return g_strdup_printf("%s/libvirt/qemu/run/%s.pid", runtime_dir, name);
    return g_strdup_printf("/run/libvirt/qemu/%s.pid", name);
}

/* --- destinations of a migration ---------------------------------------------------------- */

typedef enum {
    TRANSPORT_SSH = 1 << 0,
    TRANSPORT_TLS = 1 << 1,
    TRANSPORT_TCP = 1 << 2,
    TRANSPORT_UNIX = 1 << 3,
} Transport;

static const struct {
    const char *name;
    Transport transport;
    bool needs_server;
} transports[] = {
    {"ssh", TRANSPORT_SSH, true},
    {"tls", TRANSPORT_TLS, true},
    {"tcp", TRANSPORT_TCP, true},
    {"unix", TRANSPORT_UNIX, false},
};

/*
 * None of these names a program, a key or a proxy. "name" is not among them: the daemon at the
 * other end would open any URI in it.
 */
static const struct {
    const char *name;
    unsigned transports;
} parameters[] = {
    {"socket", TRANSPORT_SSH | TRANSPORT_UNIX},
    {"mode", TRANSPORT_SSH | TRANSPORT_UNIX},
    {"no_tty", TRANSPORT_SSH},
    {"no_verify", TRANSPORT_SSH | TRANSPORT_TLS},
    {"no_sanity", TRANSPORT_TLS},
    {"tls_priority", TRANSPORT_TLS},
};

static char *
refuse_parameter(const char *encoded, Transport transport, const char *transport_name)
{
    const char *end = strchrnul(encoded, '=');
    /* As libvirt does it: a name may be spelt in percents. */
    g_autofree char *name = g_uri_unescape_segment(encoded, end, NULL);

    if (!name)
        return g_strdup("A parameter of the destination's URI is not well encoded");
    for (unsigned i = 0; i < G_N_ELEMENTS(parameters); i++)
        if (g_str_equal(parameters[i].name, name) && (parameters[i].transports & transport))
            return NULL;
    return g_strdup_printf("The parameter \"%s\" is not possible with the transport %s", name,
                           transport_name);
}

static char *
refuse_query(const char *query, Transport transport, const char *transport_name)
{
    g_auto(GStrv) words = g_strsplit_set(query, "&;", -1);
    char *refusal = NULL;

    for (char **word = words; *word && !refusal; word++)
        if (**word)
            refusal = refuse_parameter(*word, transport, transport_name);
    return refusal;
}

/* The drivers that libvirt reaches through TLS where the URI names no transport. Others have a
 * protocol of their own. */
static const char *const remote_drivers[] = {"qemu",  "xen", "lxc",  "ch",
                                             "bhyve", "vz",  "vbox", "test"};

static bool
is_remote_driver(const char *scheme)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(remote_drivers); i++)
        if (g_ascii_strcasecmp(scheme, remote_drivers[i]) == 0)
            return true;
    return false;
}

/* libvirt takes the brackets away from what is no address, too. */
static bool
is_bracketed_nonsense(const char *server)
{
    size_t length = strlen(server);

    if (!strpbrk(server, "[]"))
        return false;
    if (server[0] != '[' || server[length - 1] != ']')
        return true;

    g_autofree char *inside = g_strndup(server + 1, length - 2);
    char *zone = strchr(inside, '%');
    unsigned char binary[sizeof(struct in6_addr)];
    if (zone)
        *zone = '\0';
    return inet_pton(AF_INET6, inside, binary) != 1;
}

/* An argument of ssh's that looks like an option, or has more than one line. */
static bool
is_suspicious(const char *word)
{
    if (word[0] == '-')
        return true;
    for (; *word; word++)
        if (g_ascii_iscntrl(*word) || g_ascii_isspace(*word))
            return true;
    return false;
}

static char *
refuse_server(const xmlURI *uri, bool needs_server, const char *transport_name)
{
    bool given = has_server(uri);

    if (given != needs_server)
        return g_strdup_printf("The transport %s needs %s server", transport_name,
                               needs_server ? "a" : "no");
    if ((given && is_suspicious(uri->server)) || (uri->user && is_suspicious(uri->user)))
        return g_strdup("The server or its user cannot begin with \"-\" or contain blanks");
    if (given && is_bracketed_nonsense(uri->server))
        return g_strdup("Only an IPv6 address can stand in brackets");
    if (!given && uri->user && *uri->user)
        return g_strdup_printf("The transport %s needs no user", transport_name);
    return NULL;
}

char *
libvirt_uri_refuse_destination(const char *text)
{
    g_autoptr(xmlURI) uri = xmlParseURI(text);

    if (!uri || !uri->scheme || uri->opaque)
        return g_strdup("The destination is no URI of a hypervisor");

    const char *plus = strchr(uri->scheme, '+');
    const char *name = plus ? plus + 1 : "tls";
    if (plus == uri->scheme || (!plus && !has_server(uri)))
        return g_strdup("The destination's URI names no transport");
    if (!plus && !is_remote_driver(uri->scheme))
        return g_strdup("The destination's URI names no transport, and its driver has its own");
    /* It would end the word that it stands in. */
    if (strstr(text, "%00"))
        return g_strdup("The destination's URI cannot have a NUL");
    if (uri->fragment)
        return g_strdup("The destination's URI cannot have a fragment");

    for (unsigned i = 0; i < G_N_ELEMENTS(transports); i++) {
        if (g_ascii_strcasecmp(transports[i].name, name) != 0)
            continue;
        char *refusal = refuse_server(uri, transports[i].needs_server, name);
        if (refusal || !uri->query_raw)
            return refusal;
        return refuse_query(uri->query_raw, transports[i].transport, name);
    }
    return g_strdup_printf("The transport \"%s\" is not possible: only ssh, tls, tcp and unix",
                           name);
}

/* --- passwords ---------------------------------------------------------------------------- */

/* Ends the authority ("user@host") of a URI, or the URI itself. */
static bool
ends_authority(char c)
{
    return c == '\0' || strchr("/?#\"<>", c) || g_ascii_isspace(c) || g_ascii_iscntrl(c);
}

char *
libvirt_uri_hide_passwords(const char *text)
{
    GString *shown = g_string_new(NULL);

    for (const char *start; (start = strstr(text, "://"));) {
        const char *user = start + strlen("://");
        const char *colon = NULL;
        const char *at = NULL;
        const char *end = user;

        for (; !ends_authority(*end); end++) {
            if (*end == ':' && !colon)
                colon = end;
            if (*end == '@')
                at = end;
        }
        if (at && colon && colon < at) {
            g_string_append_len(shown, text, colon - text);
            text = at;
        }
        g_string_append_len(shown, text, end - text);
        text = end;
    }
    g_string_append(shown, text);
    return g_string_free(shown, FALSE);
}
