/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Short forms of libxml2 for the readers of a domain's XML. Strings are the caller's, fit for D-Bus
 * (utf8.h), and "" where there is no such thing.
 */

#include <glib.h>
#include <libxml/tree.h>
#include <stdbool.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)

/*
 * NULL for what is not well-formed, has another root than `name` (where it is not NULL), or has a
 * document type declaration.
 */
xmlDoc *xml_parse(const char *text, const char *name);
/* Well-formed, but with a document type declaration. */
bool xml_has_doctype(const char *text);

bool xml_is_element(const xmlNode *node, const char *name);
/*
 * The first that is in no namespace: libvirt takes no other one for its own. NULL where there is
 * none. The parent may be NULL.
 */
const xmlNode *xml_child(const xmlNode *parent, const char *name);
char *xml_text(const xmlNode *node);
char *xml_child_text(const xmlNode *parent, const char *name);
char *xml_attribute(const xmlNode *node, const char *name);
char *xml_child_attribute(const xmlNode *parent, const char *child, const char *name);
