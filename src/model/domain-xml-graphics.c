/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain-xml-graphics.h"

#include "domain-xml-row.h"

#define PORT_MAX 65535

/*
 * The attribute of the first <listen> that has it; the attribute of <graphics> is for those who
 * know no <listen>.
 */
static char *
where(const xmlNode *graphics, const char *in_listen, const char *in_graphics)
{
    for (const xmlNode *node = graphics->children; node; node = node->next) {
        if (!xml_is_element(node, "listen"))
            continue;
        g_autofree char *text = xml_attribute(node, in_listen);
        if (*text)
            return g_steal_pointer(&text);
    }
    return xml_attribute(graphics, in_graphics);
}

void
domain_xml_read_graphics(const xmlNode *graphics, RowBuilder *rows)
{
    g_autofree char *address = where(graphics, "address", "listen");
    g_autofree char *socket = where(graphics, "socket", "socket");

    row_builder_begin(rows);
    domain_xml_put_text(rows, ROW_TYPE, graphics, "type");
    row_builder_text(rows, ROW_LISTEN, address);
    row_builder_text(rows, ROW_SOCKET, socket);
    domain_xml_put_number(rows, ROW_PORT, graphics, "port", PORT_MAX);
    domain_xml_put_number(rows, ROW_TLS_PORT, graphics, "tlsPort", PORT_MAX);
    domain_xml_put_number(rows, ROW_WEBSOCKET, graphics, "websocket", PORT_MAX);
    /* Plain XML leaves it out: that it is missing tells nothing. */
    if (xmlHasNsProp(graphics, BAD_CAST "passwd", NULL))
        row_builder_number(rows, ROW_PASSWORD, true);
    row_builder_end(rows);
}
