/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libFuzzer: a domain's XML, whole and as what a device is looked for in. */

#include "domain-xml-device.h"
#include "domain-xml.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_texts(const DomainSnapshot *snapshot)
{
    if (!g_utf8_validate(snapshot->title, -1, NULL) ||
        !g_utf8_validate(snapshot->description, -1, NULL) ||
        !g_variant_is_normal_form(snapshot->config.hardware))
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *xml = g_strndup((const char *)data, size);
    g_autoptr(DomainSnapshot) snapshot = domain_snapshot_new("");
    g_autofree char *name = NULL;
    g_autofree char *uuid = NULL;
    bool is_domain = domain_xml_read(xml, snapshot);

    if (is_domain != domain_xml_identity(xml, &name, &uuid))
        abort();
    if (is_domain != ((snapshot->known & FACT_XML) != 0))
        abort();
    if (is_domain)
        check_texts(snapshot);

    g_auto(GStrv) aliases = domain_xml_match_devices(xml, "<disk><target dev='vda'/></disk>");
    g_auto(GStrv) none = domain_xml_match_devices("<domain><devices/></domain>", xml);
    if (*none || (!is_domain && *aliases))
        abort();
    return 0;
}
