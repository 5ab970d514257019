/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain-xml-disk.h"

#include "domain-xml-row.h"

#include <string.h>

/* --- URLs --------------------------------------------------------------------------------- */

/* Characters that RFC 3986 allows unescaped, besides letters, digits and "-._~". */
#define ALLOWED_IN_HOST  "!$&'()*+,;=:[]"
#define ALLOWED_IN_PATH  "!$&'()*+,;=:@/"
#define ALLOWED_IN_QUERY "!$'()*,:@/?"

static void
append_escaped(GString *url, const char *text, const char *allowed)
{
    g_string_append_uri_escaped(url, text, allowed, FALSE);
}

/* "host", "host:port", "[::1]:port"; never the user that a host might be made to carry. */
static char *
host_and_port(const xmlNode *host)
{
    g_autofree char *name = xml_attribute(host, "name");
    g_autofree char *port = xml_attribute(host, "port");
    const char *at = strrchr(name, '@');
    const char *bare = at ? at + 1 : name;
    bool in_brackets = strchr(bare, ':') && *bare != '[';

    return g_strconcat(in_brackets ? "[" : "", bare, in_brackets ? "]" : "", *port ? ":" : "", port,
                       NULL);
}

static void
append_scheme(GString *url, const char *protocol, const xmlNode *host)
{
    g_autofree char *transport = xml_attribute(host, "transport");

    g_string_append(url, protocol);
    if (*transport && !g_str_equal(transport, "tcp"))
        g_string_append_printf(url, "+%s", transport);
    g_string_append(url, "://");
}

static void
append_parameter(GString *url, const char *name, const char *value)
{
    g_string_append_printf(url, "%c%s=", strchr(url->str, '?') ? '&' : '?', name);
    append_escaped(url, value, ALLOWED_IN_QUERY);
}

/* The query of the source, which older configurations have in the name. */
static void
drop_query(const char *protocol, char *name)
{
    static const char *const with_query[] = {"http", "https", "ftp", "ftps", "tftp", NULL};

    if (g_strv_contains(with_query, protocol))
        name[strcspn(name, "?")] = '\0';
}

static void
append_path(GString *url, const char *protocol, const xmlNode *source)
{
    g_autofree char *name = xml_attribute(source, "name");
    g_autofree char *snapshot = xml_child_attribute(source, "snapshot", "name");

    drop_query(protocol, name);
    /* An export of NBD may begin with a slash, which is another one then. */
    if (*name && (*name != '/' || g_str_equal(protocol, "nbd")))
        g_string_append_c(url, '/');
    append_escaped(url, name, ALLOWED_IN_PATH);
    if (*snapshot)
        g_string_append_c(url, '@');
    append_escaped(url, snapshot, ALLOWED_IN_PATH);
}

static void
append_other_hosts(GString *url, const xmlNode *first)
{
    for (const xmlNode *host = first->next; host; host = host->next) {
        if (!xml_is_element(host, "host"))
            continue;
        g_autofree char *other = host_and_port(host);
        append_parameter(url, "host", other);
    }
}

static char *
network_source(const xmlNode *source, const char *protocol)
{
    const xmlNode *host = xml_child(source, "host");
    g_autofree char *authority = host_and_port(host);
    g_autofree char *socket = xml_attribute(host, "socket");
    g_autoptr(GString) url = g_string_new(NULL);

    append_scheme(url, protocol, host);
    append_escaped(url, authority, ALLOWED_IN_HOST);
    append_path(url, protocol, source);
    if (*socket)
        append_parameter(url, "socket", socket);
    if (host)
        append_other_hosts(url, host);
    return g_string_free(g_steal_pointer(&url), FALSE);
}

/* --- other types -------------------------------------------------------------------------- */

/* "a/b", or NULL where there is no first part. */
static char *
join(const char *first, const char *second)
{
    if (*first == '\0')
        return NULL;
    return *second ? g_strconcat(first, "/", second, NULL) : g_strdup(first);
}

static char *
volume_source(const xmlNode *source)
{
    g_autofree char *pool = xml_attribute(source, "pool");
    g_autofree char *volume = xml_attribute(source, "volume");

    return join(pool, volume);
}

static char *
nvme_source(const xmlNode *source)
{
    g_autofree char *address = domain_xml_pci_address(xml_child(source, "address"));
    g_autofree char *namespace = xml_attribute(source, "namespace");

    return join(address, namespace);
}

char *
domain_xml_disk_source(const xmlNode *disk)
{
    static const char *const paths[] = {"file", "dev", "dir", "path"};
    const xmlNode *source = xml_child(disk, "source");
    g_autofree char *protocol = xml_attribute(source, "protocol");

    if (*protocol)
        return network_source(source, protocol);
    for (unsigned i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autofree char *path = xml_attribute(source, paths[i]);

        if (*path)
            return g_steal_pointer(&path);
    }
    char *where = volume_source(source);
    if (!where)
        where = nvme_source(source);
    return where ? where : g_strdup("");
}

/* --- rows --------------------------------------------------------------------------------- */

void
domain_xml_read_disk(const xmlNode *disk, RowBuilder *disks)
{
    const xmlNode *target = xml_child(disk, "target");
    const xmlNode *driver = xml_child(disk, "driver");
    g_autofree char *source = domain_xml_disk_source(disk);
    g_autofree char *serial = xml_child_text(disk, "serial");

    row_builder_begin(disks);
    domain_xml_put_text(disks, ROW_TARGET, target, "dev");
    domain_xml_put_text(disks, ROW_BUS, target, "bus");
    domain_xml_put_text(disks, ROW_DEVICE, disk, "device");
    domain_xml_put_text(disks, ROW_TYPE, disk, "type");
    row_builder_text(disks, ROW_SOURCE, source);
    /* libvirt forgets the format of a running domain's empty drive. */
    if (*source)
        domain_xml_put_text(disks, ROW_FORMAT, driver, "type");
    row_builder_text(disks, ROW_SERIAL, serial);
    domain_xml_put_text(disks, ROW_CACHE, driver, "cache");
    row_builder_number(disks, ROW_READONLY, xml_child(disk, "readonly") != NULL);
    row_builder_number(disks, ROW_SHAREABLE, xml_child(disk, "shareable") != NULL);
    domain_xml_put_boot(disks, disk);
    row_builder_end(disks);
}
