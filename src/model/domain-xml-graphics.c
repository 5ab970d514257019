/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain-xml-graphics.h"

#include "xml.h"

#define PORT_MAX 65535

/* NULL where there is no such attribute, or an empty one. */
static char *
attribute(const xmlNode *node, const char *name)
{
    g_autofree char *value = xml_attribute(node, name);

    return *value ? g_steal_pointer(&value) : NULL;
}

/* libvirt writes -1 where the number is chosen when the domain starts. */
static int
number(const char *text)
{
    gint64 value;

    if (!text || !g_ascii_string_to_signed(text, 10, 1, PORT_MAX, &value, NULL))
        return -1;
    return (int)value;
}

/* The first <listen> that says where; the attribute of old is kept for those who know only it. */
static char *
listen_of(const xmlNode *graphics)
{
    for (const xmlNode *node = graphics->children; node; node = node->next) {
        if (!xml_is_element(node, "listen"))
            continue;
        char *where = attribute(node, "address");

        if (!where)
            where = attribute(node, "socket");
        if (where)
            return where;
    }
    char *where = attribute(graphics, "listen");

    if (!where)
        where = attribute(graphics, "socket");
    return where ? where : g_strdup("");
}

static void
put_row(Wire *rows, const char *type, const char *listen, const char *kind, const char *text)
{
    wire_align(rows, 8);
    wire_put_string(rows, type ? type : "");
    wire_put_string(rows, listen);
    wire_put_string(rows, kind);
    wire_put_u32(rows, (uint32_t)number(text));
}

static void
put_device(Wire *rows, const xmlNode *graphics)
{
    g_autofree char *type = attribute(graphics, "type");
    g_autofree char *listen = listen_of(graphics);
    g_autofree char *port = attribute(graphics, "port");
    g_autofree char *websocket = attribute(graphics, "websocket");

    put_row(rows, type, listen, "port", port);
    if (websocket)
        put_row(rows, type, listen, "websocket", websocket);
}

void
domain_xml_read_graphics(const xmlNode *root, Wire *rows)
{
    for (const xmlNode *devices = root->children; devices; devices = devices->next) {
        if (!xml_is_element(devices, "devices"))
            continue;
        for (const xmlNode *node = devices->children; node; node = node->next)
            if (xml_is_element(node, "graphics"))
                put_device(rows, node);
    }
}
