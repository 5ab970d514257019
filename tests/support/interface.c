/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "interface.h"

#include "names.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>

static void
member_free(gpointer data)
{
    Member *member = data;

    g_free(member->path);
    g_free(member->interface);
    g_free(member->name);
    g_free(member->arguments);
    g_free(member);
}

static char *
attribute(xmlNode *node, const char *name)
{
    xmlChar *value = xmlGetProp(node, (const xmlChar *)name);
    char *copy = g_strdup(value ? (const char *)value : "");

    xmlFree(value);
    return copy;
}

static bool
is_element(xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && g_str_equal(node->name, name);
}

static char *
arguments_in(xmlNode *method)
{
    GString *types = g_string_new(NULL);

    for (xmlNode *arg = method->children; arg; arg = arg->next) {
        if (!is_element(arg, "arg"))
            continue;
        g_autofree char *direction = attribute(arg, "direction");
        g_autofree char *type = attribute(arg, "type");
        if (!g_str_equal(direction, "out"))
            g_string_append(types, type);
    }
    return g_string_free(types, FALSE);
}

static void
add_members(GPtrArray *members, const char *path, xmlNode *interface)
{
    for (xmlNode *node = interface->children; node; node = node->next) {
        bool is_property = is_element(node, "property");

        if (!is_property && !is_element(node, "method"))
            continue;
        Member *member = g_new0(Member, 1);
        g_autofree char *access = attribute(node, "access");
        member->path = g_strdup(path);
        member->interface = attribute(interface, "name");
        member->name = attribute(node, "name");
        member->is_property = is_property;
        member->arguments = is_property ? attribute(node, "type") : arguments_in(node);
        member->is_writable = is_property && strstr(access, "write");
        g_ptr_array_add(members, member);
    }
}

/* Either may be NULL. */
static void
walk(Client *c, const char *path, GPtrArray *members, GPtrArray *paths)
{
    g_autoptr(Call) call =
        client_call(c, path, "org.freedesktop.DBus.Introspectable", "Introspect", NULL);
    const char *text;

    /* A job, or a transient domain, may end between its parent's answer and its own. */
    bool may_end =
        g_str_has_prefix(path, VMS_JOB_PREFIX "/") || g_str_has_prefix(path, VMS_DOMAIN_PREFIX "/");

    if (may_end && g_strcmp0(call->error_name, SD_BUS_ERROR_UNKNOWN_OBJECT) == 0)
        return;
    assert_ok(call);
    g_assert_cmpint(sd_bus_message_read(call->reply, "s", &text), >, 0);
    xmlDoc *doc = xmlReadMemory(text, (int)strlen(text), path, NULL, XML_PARSE_NONET);
    g_assert_nonnull(doc);
    if (paths)
        g_ptr_array_add(paths, g_strdup(path));
    for (xmlNode *node = xmlDocGetRootElement(doc)->children; node; node = node->next) {
        g_autofree char *name = NULL;

        if (is_element(node, "interface") && members)
            add_members(members, path, node);
        if (!is_element(node, "node"))
            continue;
        name = attribute(node, "name");
        g_autofree char *child = g_strdup_printf("%s/%s", g_str_equal(path, "/") ? "" : path, name);
        walk(c, child, members, paths);
    }
    xmlFreeDoc(doc);
}

GPtrArray *
interface_members(Client *c)
{
    GPtrArray *members = g_ptr_array_new_with_free_func(member_free);

    walk(c, "/", members, NULL);
    return members;
}

GPtrArray *
interface_paths(Client *c)
{
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);

    walk(c, "/", NULL, paths);
    return paths;
}
