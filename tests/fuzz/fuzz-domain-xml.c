/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libFuzzer: a domain's XML, whole and as what a device is looked for in. */

#include "domain-xml-device.h"
#include "domain-xml-peek.h"
#include "domain-xml.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_text(const char *text)
{
    if (!g_utf8_validate(text, -1, NULL))
        abort();
}

/* Rows of so many texts, then a number of so many bytes or none. */
static void
check_rows(const DomainConfig *config, HardwarePart part, int texts, size_t number)
{
    WireReader rows = domain_config_part(config, part);

    while (wire_next_row(&rows)) {
        for (int i = 0; i < texts; i++)
            check_text(wire_read_string(&rows));
        if (number == sizeof(uint32_t))
            wire_read_u32(&rows);
        else if (number)
            wire_read_u64(&rows);
    }
    /* The end is looked for where another row would begin. */
    if (rows.position - rows.size >= WIRE_ALIGNMENT_MAX)
        abort();
}

static void
check_snapshot(const DomainUpdate *snapshot)
{
    const DomainConfig *config = &snapshot->config;
    WireReader os_type = domain_config_part(config, HARDWARE_OS_TYPE);

    check_text(snapshot->title);
    check_text(snapshot->description);
    if (os_type.size && !g_utf8_validate((const char *)os_type.data, (gssize)os_type.size, NULL))
        abort();
    check_rows(config, HARDWARE_TEMPLATE, 2, 0);
    check_rows(config, HARDWARE_DISKS, 3, sizeof(uint64_t));
    check_rows(config, HARDWARE_NICS, 3, 0);
    check_rows(config, HARDWARE_GRAPHICS, 3, sizeof(uint32_t));
}

/* What is found early is what is there. */
static void
check_peek(const char *xml, const char *name, const char *uuid)
{
    g_autofree char *early_name = NULL;
    g_autofree char *early_uuid = NULL;

    domain_xml_peek(xml, &early_name, &early_uuid);
    check_text(early_name);
    check_text(early_uuid);
    if (!name || strstr(xml, "encoding"))
        return;
    if ((*early_name && strcmp(early_name, name) != 0) ||
        (*early_uuid && strcmp(early_uuid, uuid) != 0))
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *xml = g_strndup((const char *)data, size);
    g_autoptr(DomainUpdate) snapshot = domain_update_new("");
    g_autofree char *name = NULL;
    g_autofree char *uuid = NULL;
    bool is_domain = domain_xml_read(xml, snapshot);

    if (is_domain != domain_xml_identity(xml, &name, &uuid))
        abort();
    if (is_domain != ((snapshot->known & FACT_XML) != 0))
        abort();
    if (is_domain)
        check_snapshot(snapshot);
    check_peek(xml, name, uuid);

    g_auto(GStrv) aliases = domain_xml_match_devices(xml, "<disk><target dev='vda'/></disk>");
    g_auto(GStrv) none = domain_xml_match_devices("<domain><devices/></domain>", xml);
    if (*none || (!is_domain && *aliases))
        abort();
    return 0;
}
