/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain-xml-device.h"

#include "xml.h"

#include <string.h>

/* The attributes that tell devices of a kind apart; "": of any kind. */
static const struct {
    const char *kind;
    const char *child;
    const char *attribute;
} identities[] = {
    {"", "alias", "name"},     {"", "address", "domain"},       {"", "address", "bus"},
    {"", "address", "slot"},   {"", "address", "function"},     {"", "address", "controller"},
    {"", "address", "target"}, {"", "address", "unit"},         {"", "address", "port"},
    {"disk", "target", "dev"}, {"interface", "mac", "address"},
};

static bool
number_of(const char *text, guint64 *ret)
{
    char *end;

    *ret = g_ascii_strtoull(text, &end, 0);
    return g_ascii_isdigit(*text) && *end == '\0';
}

static bool
is_same_mac(const char *a, const char *b)
{
    g_auto(GStrv) mine = g_strsplit(a, ":", -1);
    g_auto(GStrv) theirs = g_strsplit(b, ":", -1);

    if (g_strv_length(mine) != g_strv_length(theirs))
        return false;
    for (unsigned i = 0; mine[i]; i++)
        if (g_ascii_strtoull(mine[i], NULL, 16) != g_ascii_strtoull(theirs[i], NULL, 16))
            return false;
    return true;
}

/* As libvirt reads them: "3" is "0x03". */
static bool
is_same_value(const char *a, const char *b)
{
    guint64 x;
    guint64 y;

    if (g_ascii_strcasecmp(a, b) == 0)
        return true;
    if (strchr(a, ':') && strchr(b, ':'))
        return is_same_mac(a, b);
    return number_of(a, &x) && number_of(b, &y) && x == y;
}

/* An attribute that only one of them has makes no difference. */
static bool
is_same(const xmlNode *device, const xmlNode *wanted, const char *child, const char *attribute)
{
    g_autofree char *mine = xml_child_attribute(device, child, attribute);
    g_autofree char *theirs = xml_child_attribute(wanted, child, attribute);

    return *mine == '\0' || *theirs == '\0' || is_same_value(mine, theirs);
}

static bool
may_be(const xmlNode *device, const xmlNode *wanted)
{
    const char *kind = (const char *)wanted->name;

    if (!xml_is_element(device, kind))
        return false;
    for (unsigned i = 0; i < G_N_ELEMENTS(identities); i++) {
        if (*identities[i].kind != '\0' && !g_str_equal(identities[i].kind, kind))
            continue;
        if (!is_same(device, wanted, identities[i].child, identities[i].attribute))
            return false;
    }
    return true;
}

char **
domain_xml_match_devices(const char *domain_xml, const char *device_xml)
{
    g_autoptr(xmlDoc) domain = xml_parse(domain_xml, "domain");
    g_autoptr(xmlDoc) device = xml_parse(device_xml, NULL);
    GPtrArray *aliases = g_ptr_array_new();
    const xmlNode *devices = domain ? xml_child(xmlDocGetRootElement(domain), "devices") : NULL;
    const xmlNode *wanted = device ? xmlDocGetRootElement(device) : NULL;

    for (const xmlNode *node = devices ? devices->children : NULL; node && wanted;
         node = node->next) {
        g_autofree char *alias = xml_child_attribute(node, "alias", "name");

        if (*alias != '\0' && may_be(node, wanted))
            g_ptr_array_add(aliases, g_steal_pointer(&alias));
    }
    g_ptr_array_add(aliases, NULL);
    return (char **)g_ptr_array_free(aliases, FALSE);
}
