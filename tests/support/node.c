/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "node.h"

struct Node {
    GString *xml;
    unsigned n;
};

/* In the order of libvirt's virDomainState. */
static const char *const states[] = {"nostate",  "running", "idle",    "paused",
                                     "shutdown", "shutoff", "crashed", "pmsuspended"};

Node *
node_new(void)
{
    Node *node = g_new0(Node, 1);

    node->xml = g_string_new("<node>\n");
    return node;
}

void
node_free(Node *node)
{
    if (!node)
        return;
    g_string_free(node->xml, TRUE);
    g_free(node);
}

char *
node_uuid(unsigned place)
{
    return g_strdup_printf("00000000-0000-4000-8000-%012u", place);
}

static unsigned
state_number(const char *state)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(states); i++)
        if (g_str_equal(states[i], state))
            return i;
    g_error("there is no state %s", state);
}

static void
append_text(GString *xml, const char *element, const char *text)
{
    g_autofree char *s = NULL;

    if (!text)
        return;
    s = g_markup_printf_escaped("  <%s>%s</%s>\n", element, text, element);
    g_string_append(xml, s);
}

static void
append_raw(GString *xml, const char *element, const char *content)
{
    if (content)
        g_string_append_printf(xml, "  <%s>%s</%s>\n", element, content, element);
}

char *
node_domain_xml(const NodeDomain *d)
{
    g_autoptr(GString) xml = g_string_new(
        "<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>\n");

    append_text(xml, "name", d->name);
    append_text(xml, "uuid", d->uuid);
    append_text(xml, "title", d->title);
    append_text(xml, "description", d->description);
    append_raw(xml, "metadata", d->metadata);
    g_string_append(xml, "  <memory>1048576</memory>\n  <vcpu>2</vcpu>\n"
                         "  <os><type>hvm</type></os>\n");
    append_raw(xml, "devices", d->devices);
    if (d->state)
        g_string_append_printf(xml, "  <test:runstate>%u</test:runstate>\n",
                               state_number(d->state));
    if (d->transient)
        g_string_append(xml, "  <test:transient/>\n");
    if (d->has_managed_save)
        g_string_append(xml, "  <test:hasmanagedsave/>\n");
    g_string_append(xml, "</domain>\n");
    return g_string_free(g_steal_pointer(&xml), FALSE);
}

void
node_add_domain(Node *node, const NodeDomain *domain)
{
    g_autofree char *uuid = node_uuid(node->n++);
    NodeDomain d = *domain;
    g_autofree char *xml = NULL;

    if (!d.uuid)
        d.uuid = uuid;
    xml = node_domain_xml(&d);
    g_string_append(node->xml, xml);
}

void
node_add(Node *node, const char *name, const char *state)
{
    node_add_domain(node, &(NodeDomain){.name = name, .state = state});
}

void
node_add_xml(Node *node, const char *xml)
{
    g_string_append_printf(node->xml, "%s\n", xml);
}

char *
node_uri(const Node *node, const World *w)
{
    g_autofree char *path = g_build_filename(world_directory(w), "node.xml", NULL);
    g_autofree char *text = g_strconcat(node->xml->str, "</node>\n", NULL);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    return g_strconcat("test://", path, NULL);
}

char *
node_uri_option(const Node *node, const World *w)
{
    g_autofree char *uri = node_uri(node, w);

    return g_strconcat("--uri=", uri, NULL);
}
