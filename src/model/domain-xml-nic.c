/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain-xml-nic.h"

#include "domain-xml-row.h"

#include <string.h>

static char *
socket_source(const xmlNode *source)
{
    g_autofree char *address = xml_attribute(source, "address");
    g_autofree char *port = xml_attribute(source, "port");
    bool in_brackets = strchr(address, ':') != NULL;

    if (*address == '\0' && *port == '\0')
        return g_strdup("");
    return g_strconcat(in_brackets ? "[" : "", address, in_brackets ? "]" : "", *port ? ":" : "",
                       port, NULL);
}

/* The back end passt makes the socket itself, and takes a device of the host instead. */
static char *
vhostuser_source(const xmlNode *source)
{
    const char *attribute = xmlHasNsProp(source, BAD_CAST "path", NULL) ? "path" : "dev";

    return xml_attribute(source, attribute);
}

/* The attribute of <source> that names it, or the function that does. */
static const struct {
    const char *type;
    const char *attribute;
    char *(*source)(const xmlNode *source);
} sources[] = {
    {"network", "network", NULL},
    {"bridge", "bridge", NULL},
    {"direct", "dev", NULL},
    {"ethernet", "dev", NULL},
    {"vdpa", "dev", NULL},
    {"internal", "name", NULL},
    {"vds", "switchid", NULL},
    {"vhostuser", NULL, vhostuser_source},
    {"mcast", NULL, socket_source},
    {"client", NULL, socket_source},
    {"server", NULL, socket_source},
    {"udp", NULL, socket_source},
    {"hostdev", NULL, domain_xml_host_address},
};

static char *
source_of(const char *type, const xmlNode *source)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(sources); i++)
        if (g_str_equal(sources[i].type, type))
            return sources[i].source ? sources[i].source(source)
                                     : xml_attribute(source, sources[i].attribute);
    return g_strdup("");
}

static bool
is_link_up(const xmlNode *nic)
{
    g_autofree char *state = xml_child_attribute(nic, "link", "state");

    return !g_str_equal(state, "down");
}

void
domain_xml_read_nic(const xmlNode *nic, RowBuilder *nics)
{
    const xmlNode *source = xml_child(nic, "source");
    /* While it runs, the type is that of the device which the network gave it. */
    g_autofree char *network = xml_attribute(source, "network");
    g_autofree char *type = *network ? g_strdup("network") : xml_attribute(nic, "type");
    g_autofree char *attached_to = source_of(type, source);

    row_builder_begin(nics);
    domain_xml_put_text(nics, ROW_MAC, xml_child(nic, "mac"), "address");
    domain_xml_put_text(nics, ROW_MODEL, xml_child(nic, "model"), "type");
    row_builder_text(nics, ROW_TYPE, type);
    row_builder_text(nics, ROW_SOURCE, attached_to);
    domain_xml_put_text(nics, ROW_TARGET, xml_child(nic, "target"), "dev");
    row_builder_number(nics, ROW_LINK, is_link_up(nic));
    domain_xml_put_boot(nics, nic);
    row_builder_end(nics);
}
