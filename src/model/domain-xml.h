/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Reading a domain's XML, with libxml2; any thread.
 *
 * The XML is outside data, read with bounds: no network, no external entities, and no document type
 * declaration at all (libvirt writes none), so that nothing expands.
 */

#include "domain.h"

/* Add FACT_XML to `update`; false, and nothing is added, where `xml` is no domain. */
bool domain_xml_read(const char *xml, DomainUpdate *update);
/*
 * Add to FACT_XML what the domain will be after its next start, out of the XML of its configuration
 * (VIR_DOMAIN_XML_INACTIVE); false, and there is nothing of that, where `xml` is no domain.
 */
bool domain_xml_read_next(const char *xml, DomainUpdate *update);

/*
 * The name and the UUID that defining this XML is about; each is "" where the XML has none, and a
 * UUID is canonical however it is written. False where it is no well-formed domain.
 */
bool domain_xml_identity(const char *xml, char **ret_name, char **ret_uuid);
