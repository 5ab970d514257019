/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The identity that domain_xml_identity() finds, from the beginning of the XML alone, at a cost
 * that its author cannot drive up: for XML of a caller who is not authorised yet. Pure; any thread.
 *
 * No more is looked at than DOMAIN_XML_PEEK_MAX bytes, and nothing from the first element on that
 * has more than DOMAIN_XML_PEEK_ATTRIBUTES attributes: libxml2 before 2.12 compares each of them
 * with all others.
 */

#define DOMAIN_XML_PEEK_MAX        16384
#define DOMAIN_XML_PEEK_ATTRIBUTES 128

/*
 * Each is "" where it is not found. The rest of the XML may have it nevertheless, or may not be
 * well-formed: nothing may rest on the result before domain_xml_identity() has confirmed it.
 */
void domain_xml_peek(const char *xml, char **ret_name, char **ret_uuid);
