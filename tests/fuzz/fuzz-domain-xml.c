/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libFuzzer: a domain's XML, whole and as what a device is looked for in. */

#include "domain-next.h"
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

static void
check_rows(Rows rows)
{
    for (Row row; rows_take(&rows, &row);)
        for (RowField field; row_take(&row, &field);) {
            if (row_key_type(field.key) != ROW_TYPE_TEXT)
                continue;
            check_text(field.text);
            if (strlen(field.text) != field.length || field.length > ROW_TEXT_MAX)
                abort();
        }
}

static void
check_update(const DomainUpdate *update)
{
    for (HardwarePart part = 0; part < _HARDWARE_MAX; part++) {
        if (part <= HARDWARE_FIRMWARE)
            check_text(domain_config_text(&update->config, part));
        else
            check_rows(domain_config_rows(&update->config, part));
    }
    check_text(update->title);
    check_text(update->description);
}

/* A second reading gives the same, with no change pending. */
static void
check_again(DomainUpdate *update, const char *xml)
{
    g_autoptr(DomainUpdate) again = domain_update_new("");

    if (!domain_xml_read(xml, again) || !domain_xml_read_next(xml, again) || !again->has_next)
        abort();
    if (domain_next_compare(&again->config, &again->next, 0))
        abort();
    if (domain_config_apply(&update->config, &again->config))
        abort();
}

/* The name and UUID that are found early are those that a full reading finds. */
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
    g_autoptr(DomainUpdate) update = domain_update_new("");
    g_autofree char *name = NULL;
    g_autofree char *uuid = NULL;
    bool is_domain = domain_xml_read(xml, update);

    if (is_domain != domain_xml_identity(xml, &name, &uuid))
        abort();
    if (is_domain != ((update->known & FACT_XML) != 0))
        abort();
    if (is_domain) {
        check_update(update);
        check_again(update, xml);
    }
    check_peek(xml, name, uuid);

    g_auto(GStrv) aliases = domain_xml_match_devices(xml, "<disk><target dev='vda'/></disk>");
    g_auto(GStrv) none = domain_xml_match_devices("<domain><devices/></domain>", xml);
    if (*none || (!is_domain && *aliases))
        abort();
    return 0;
}
