/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a domain's XML says of its graphics servers, and what of it is a change. */

#include "domain-xml.h"

#include <string.h>

#define UUID "6695eb01-f6a4-8304-79aa-97f2502e193f"

static DomainUpdate *
read_devices(const char *devices)
{
    g_autofree char *xml = g_strdup_printf(
        "<domain type='test'><name>web</name><devices>%s</devices></domain>", devices);
    DomainUpdate *snapshot = domain_update_new(UUID);

    g_assert_true(domain_xml_read(xml, snapshot));
    return snapshot;
}

static char *
rows_of(const DomainConfig *config)
{
    WireReader rows = domain_config_part(config, HARDWARE_GRAPHICS);
    GString *text = g_string_new(NULL);

    while (wire_next_row(&rows)) {
        const char *type = wire_read_string(&rows);
        const char *listen = wire_read_string(&rows);
        const char *kind = wire_read_string(&rows);

        g_string_append_printf(text, "%s%s %s %s %d", text->len ? "; " : "", type, listen, kind,
                               (int)wire_read_u32(&rows));
    }
    return g_string_free(text, FALSE);
}

static void
test_rows(void)
{
    static const struct {
        const char *devices;
        const char *rows;
    } table[] = {
        {"", ""},
        {"<video/><disk><graphics type='vnc'/></disk>", ""},
        {"<graphics type='vnc' port='5901' autoport='yes' listen='127.0.0.1'/>",
         "vnc 127.0.0.1 port 5901"},
        {"<graphics type='vnc' port='-1' autoport='yes'/>", "vnc  port -1"},
        {"<graphics type='vnc' port='5901' websocket='5701' listen='1.2.3.4'>"
         "<listen type='address' address='0.0.0.0'/></graphics>",
         "vnc 0.0.0.0 port 5901; vnc 0.0.0.0 websocket 5701"},
        {"<graphics type='vnc' port='-1' websocket='-1'/>", "vnc  port -1; vnc  websocket -1"},
        {"<graphics type='vnc'><listen type='network' network='default'/></graphics>",
         "vnc  port -1"},
        {"<graphics type='vnc'><listen type='network' network='default' address='10.0.0.1'/>"
         "</graphics>",
         "vnc 10.0.0.1 port -1"},
        {"<graphics type='vnc' socket='/run/a'/>", "vnc /run/a port -1"},
        {"<graphics type='spice' tlsPort='5902'><listen type='socket' socket='/run/b'/></graphics>",
         "spice /run/b port -1"},
        {"<graphics type='spice'><listen type='none'/></graphics><graphics type='vnc' port='1'/>",
         "spice  port -1; vnc  port 1"},
        {"<graphics type='vnc' port='65536' websocket='x'/>", "vnc  port -1; vnc  websocket -1"},
        {"<graphics/>", "  port -1"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autoptr(DomainUpdate) snapshot = read_devices(table[i].devices);
        g_autofree char *rows = rows_of(&snapshot->config);
        g_assert_cmpstr(rows, ==, table[i].rows);
    }
}

static uint64_t
apply(Domain *domain, const char *devices)
{
    g_autoptr(DomainUpdate) snapshot = read_devices(devices);

    return domain_apply(domain, snapshot) & DOMAIN_CHANGED(GRAPHICS);
}

static void
test_changes(void)
{
    static const char *const steps[] = {
        "<graphics type='vnc' port='-1'/>",
        "<graphics type='vnc' port='5900'/>",
        "<graphics type='spice' port='5900'/>",
        "<graphics type='spice' port='5900' listen='::1'/>",
        "<graphics type='spice' port='5900' listen='::1' websocket='5700'/>",
        "",
    };
    g_autoptr(Domain) domain = domain_new(UUID);

    g_assert_cmpuint(domain_config_part(&domain->config, HARDWARE_GRAPHICS).size, ==, 0);
    g_assert_cmpuint(apply(domain, ""), ==, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++) {
        g_assert_cmpuint(apply(domain, steps[i]), !=, 0);
        g_assert_cmpuint(apply(domain, steps[i]), ==, 0);
    }
    g_assert_cmpuint(domain_config_part(&domain->config, HARDWARE_GRAPHICS).size, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/domain/graphics/rows", test_rows);
    g_test_add_func("/domain/graphics/changes", test_changes);
    return g_test_run();
}
