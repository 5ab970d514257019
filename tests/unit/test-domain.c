/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The model of a domain, bare: what a snapshot changes, and what a name on the bus stands for. */

#include "domain-xml-device.h"
#include "domain-xml-peek.h"
#include "domain-xml.h"
#include "domain.h"

#include <string.h>

#define UUID "6695eb01-f6a4-8304-79aa-97f2502e193f"

static DomainUpdate *
snapshot_of_state(const char *name, DomainState state, const char *reason, int id)
{
    DomainUpdate *snapshot = domain_update_new(UUID);

    snapshot->known = FACT_STATE;
    snapshot->name = g_strdup(name);
    snapshot->state = state;
    snapshot->reason = reason;
    snapshot->id = id;
    return snapshot;
}

static void
test_new(void)
{
    g_autoptr(Domain) domain = domain_new(UUID);

    g_assert_cmpstr(domain->uuid, ==, UUID);
    g_assert_cmpstr(domain->name, ==, "");
    g_assert_cmpstr(domain->title, ==, "");
    g_assert_cmpstr(domain->description, ==, "");
    g_assert_cmpstr(domain->state_name, ==, "nostate");
    g_assert_cmpstr(domain->reason, ==, "unknown");
    g_assert_cmpuint(domain->job, ==, 0);
    g_assert_cmpint(domain->id, ==, -1);
    g_assert_false(domain->available);
    g_assert_cmpuint(domain->known, ==, 0);
    g_assert_cmpuint(domain->unsignaled, ==, 0);
}

static void
test_references(void)
{
    Domain *domain = domain_new(UUID);

    g_assert_true(domain_ref(domain) == domain);
    domain_unref(domain);
    g_assert_cmpstr(domain->uuid, ==, UUID);
    domain_unref(domain);
    domain_unref(NULL);
}

static void
test_state_names(void)
{
    static const struct {
        DomainState state;
        const char *name;
        bool down;
    } rows[] = {
        {DOMAIN_NOSTATE, "nostate", false},   {DOMAIN_RUNNING, "running", false},
        {DOMAIN_IDLE, "idle", false},         {DOMAIN_PAUSED, "paused", false},
        {DOMAIN_SHUTDOWN, "shutdown", false}, {DOMAIN_SHUTOFF, "shutoff", true},
        {DOMAIN_CRASHED, "crashed", false},   {DOMAIN_PMSUSPENDED, "pmsuspended", false},
    };

    g_assert_cmpuint(G_N_ELEMENTS(rows), ==, _DOMAIN_STATE_MAX);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_cmpstr(domain_state_name(rows[i].state), ==, rows[i].name);
        g_assert_true(domain_state_is_down(rows[i].state) == rows[i].down);
    }
    g_assert_cmpstr(domain_state_name(_DOMAIN_STATE_MAX), ==, "nostate");
    g_assert_cmpstr(domain_state_name((DomainState)4711), ==, "nostate");
}

/* Each single fact that changes is one bit, told once, and the same fact again is none. */
static void
test_apply_state(void)
{
    static const struct {
        const char *name;
        DomainState state;
        const char *reason;
        int id;
        uint64_t changed;
    } rows[] = {
        {"vm", DOMAIN_SHUTOFF, "shut-down", -1,
         DOMAIN_CHANGED(NAME) | DOMAIN_CHANGED(STATE) | DOMAIN_CHANGED(STATE_REASON)},
        {"vm", DOMAIN_SHUTOFF, "shut-down", -1, 0},
        {"vm2", DOMAIN_SHUTOFF, "shut-down", -1, DOMAIN_CHANGED(NAME)},
        {"vm2", DOMAIN_SHUTOFF, "destroyed", -1, DOMAIN_CHANGED(STATE_REASON)},
        {"vm2", DOMAIN_RUNNING, "booted", 7,
         DOMAIN_CHANGED(STATE) | DOMAIN_CHANGED(STATE_REASON) | DOMAIN_CHANGED(ID)},
        {"vm2", DOMAIN_RUNNING, "booted", 8, DOMAIN_CHANGED(ID)},
        {"vm2", DOMAIN_PAUSED, "booted", 8, DOMAIN_CHANGED(STATE)},
        {"vm2", DOMAIN_PAUSED, NULL, 8, DOMAIN_CHANGED(STATE_REASON)},
        {NULL, DOMAIN_PAUSED, NULL, 8, DOMAIN_CHANGED(NAME)},
    };
    g_autoptr(Domain) domain = domain_new(UUID);

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(DomainUpdate) snapshot =
            snapshot_of_state(rows[i].name, rows[i].state, rows[i].reason, rows[i].id);

        domain->unsignaled = 0;
        g_assert_cmphex(domain_apply(domain, snapshot), ==, rows[i].changed);
        g_assert_cmphex(domain->unsignaled, ==, rows[i].changed);
        g_assert_cmpstr(domain->name, ==, rows[i].name ? rows[i].name : "");
        g_assert_cmpint(domain->state, ==, rows[i].state);
        g_assert_cmpstr(domain->state_name, ==, domain_state_name(rows[i].state));
        g_assert_cmpstr(domain->reason, ==, rows[i].reason ? rows[i].reason : "unknown");
        g_assert_cmpint(domain->id, ==, rows[i].id);
    }
    g_assert_cmpuint(domain->known, ==, FACT_STATE);
}

/* An update leaves alone what it does not know, whatever its fields hold. */
static void
test_apply_only_what_is_known(void)
{
    g_autoptr(Domain) domain = domain_new(UUID);
    g_autoptr(DomainUpdate) all = snapshot_of_state("vm", DOMAIN_RUNNING, "booted", 3);

    all->known = FACT_ALL;
    all->persistent = true;
    all->autostart = true;
    all->title = g_strdup("a title");
    all->description = g_strdup("words");
    g_assert_cmphex(domain_apply(domain, all), ==,
                    DOMAIN_CHANGED(NAME) | DOMAIN_CHANGED(STATE) | DOMAIN_CHANGED(STATE_REASON) |
                        DOMAIN_CHANGED(ID) | DOMAIN_CHANGED(PERSISTENT) |
                        DOMAIN_CHANGED(AUTOSTART) | DOMAIN_CHANGED(TITLE) |
                        DOMAIN_CHANGED(DESCRIPTION));
    g_assert_cmpuint(domain->known, ==, FACT_ALL);

    static const struct {
        DomainFacts known;
        uint64_t changed;
    } rows[] = {
        {0, 0},
        {FACT_PERSISTENT, DOMAIN_CHANGED(PERSISTENT)},
        {FACT_AUTOSTART, DOMAIN_CHANGED(AUTOSTART)},
        {FACT_XML, DOMAIN_CHANGED(TITLE) | DOMAIN_CHANGED(DESCRIPTION)},
        {FACT_STATE, DOMAIN_CHANGED(NAME) | DOMAIN_CHANGED(STATE) | DOMAIN_CHANGED(STATE_REASON) |
                         DOMAIN_CHANGED(ID)},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(DomainUpdate) empty = domain_update_new(UUID);

        empty->known = rows[i].known;
        g_assert_cmphex(domain_apply(domain, empty), ==, rows[i].changed);
    }
    g_assert_cmpuint(domain->known, ==, FACT_ALL);
}

static void
test_changes_add_up_until_signalled(void)
{
    g_autoptr(Domain) domain = domain_new(UUID);
    g_autoptr(DomainUpdate) snapshot = domain_update_new(UUID);

    domain_set_available(domain, true);
    g_assert_cmphex(domain->unsignaled, ==, DOMAIN_CHANGED(AVAILABLE));
    domain_set_job(domain, 1);
    g_assert_cmpuint(domain->job, ==, 1);
    snapshot->known = FACT_AUTOSTART;
    snapshot->autostart = true;
    g_assert_cmphex(domain_apply(domain, snapshot), ==, DOMAIN_CHANGED(AUTOSTART));
    g_assert_cmphex(domain->unsignaled, ==,
                    DOMAIN_CHANGED(AVAILABLE) | DOMAIN_CHANGED(JOB) | DOMAIN_CHANGED(AUTOSTART));

    domain->unsignaled = 0;
    domain_set_available(domain, true);
    domain_set_job(domain, 1);
    g_assert_cmphex(domain->unsignaled, ==, 0);
    domain_set_job(domain, 0);
    g_assert_cmpuint(domain->job, ==, 0);
    domain_set_job(domain, 0);
    domain_set_available(domain, false);
    g_assert_cmphex(domain->unsignaled, ==, DOMAIN_CHANGED(AVAILABLE) | DOMAIN_CHANGED(JOB));
}

static void
test_uuid_parse(void)
{
    static const struct {
        const char *text;
        const char *uuid; /* NULL: it is none */
    } rows[] = {
        {UUID, UUID},
        {"6695EB01-F6A4-8304-79AA-97F2502E193F", UUID},
        {"", NULL},
        {"vm", NULL},
        {"6695eb01-f6a4-8304-79aa-97f2502e193", NULL},
        {"6695eb01-f6a4-8304-79aa-97f2502e193f0", NULL},
        {"6695eb01_f6a4_8304_79aa_97f2502e193f", NULL},
        {"6695eb01f6a4830479aa97f2502e193f", UUID},
        {"6695EB01F6A4830479AA97F2502E193F", UUID},
        {"6695eb01f6a4830479aa97f2502e193", NULL},
        {"6695eb01f6a4830479aa97f2502e193f0", NULL},
        {"6695eb01-f6a4-8304-79aa-97f2502e193g", NULL},
        {"-6695eb0-f6a4-8304-79aa-97f2502e193f", NULL},
        {"6695eb01-f6a4-8304-79aa-97f2502e19\xc3\xa9", NULL},
        {" 6695eb01-f6a4-8304-79aa-97f2502e193f", UUID},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        char uuid[UUID_LENGTH + 1];

        g_assert_true(domain_uuid_parse(rows[i].text, uuid) == (rows[i].uuid != NULL));
        if (rows[i].uuid)
            g_assert_cmpstr(uuid, ==, rows[i].uuid);
    }
}

static void
assert_peeked(const char *xml, const char *expected_name, const char *expected_uuid)
{
    g_autofree char *name = NULL;
    g_autofree char *uuid = NULL;

    domain_xml_peek(xml, &name, &uuid);
    g_assert_cmpstr(name, ==, expected_name);
    g_assert_cmpstr(uuid, ==, expected_uuid);
}

/* The domain named to polkit is the one that libvirt will define, however it is written. */
static void
test_identity(void)
{
    static const struct {
        const char *xml;
        const char *name;
        const char *uuid;
    } rows[] = {
        {"<domain><name>web</name><uuid>" UUID "</uuid></domain>", "web", UUID},
        {"<domain/>", "", ""},
        {"<domain><name>web</name><name>db</name></domain>", "web", ""},
        {"<domain><metadata><name>db</name></metadata><name>web</name></domain>", "web", ""},
        {"<domain xmlns:x='urn:x'><x:name>db</x:name><name>web</name></domain>", "web", ""},
        {"<domain><name xmlns='urn:x'>db</name><name>web</name></domain>", "web", ""},
        {"<domain xmlns='urn:x'><name>db</name><name xmlns=''>web</name></domain>", "web", ""},
        {"<domain xmlns:x='urn:x'><x:uuid>01234567-89ab-cdef-0123-456789abcdef</x:uuid>"
         "<uuid>" UUID "</uuid></domain>",
         "", UUID},
        {"<domain><uuid>6695EB01-F6A4-8304-79AA-97F2502E193F</uuid></domain>", "", UUID},
        {"<domain><uuid>6695eb01f6a4830479aa97f2502e193f</uuid></domain>", "", UUID},
        {"<domain><uuid>\n 66-95eb01f6a4--830479aa-97f2502e193f\t</uuid></domain>", "", UUID},
        {"<domain><uuid>6-695eb01f6a4830479aa97f2502e193f</uuid></domain>", "",
         "6-695eb01f6a4830479aa97f2502e193f"},
        {"<domain><uuid>" UUID "0</uuid></domain>", "", UUID "0"},
        {"<domain><uuid>6695eb01-f6a4</uuid></domain>", "", "6695eb01-f6a4"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *name = NULL;
        g_autofree char *uuid = NULL;

        g_assert_true(domain_xml_identity(rows[i].xml, &name, &uuid));
        g_assert_cmpstr(name, ==, rows[i].name);
        g_assert_cmpstr(uuid, ==, rows[i].uuid);
        assert_peeked(rows[i].xml, rows[i].name, rows[i].uuid);
    }
}

/* It is found at the beginning, whatever follows. */
static void
test_peek(void)
{
    static const struct {
        const char *xml;
        const char *name;
        const char *uuid;
    } rows[] = {
        {"", "", ""},
        {"no XML", "", ""},
        {"<domain><name>web</name><torn", "web", ""},
        {"<domain><name>web</name></devices>", "web", ""},
        {"<domain><name>web", "", ""},
        {"<network><name>web</name></network>", "", ""},
        {"<x:domain><name>web</name></x:domain>", "", ""},
        {"<x:domain xmlns:x='urn:x'><name>web</name></x:domain>", "web", ""},
        {"<!DOCTYPE domain [<!ENTITY e 'x'>]><domain><name>&e;</name></domain>", "", ""},
        {"<!-- a='> --><domain><name>a&lt;&#98;<![CDATA[c]]><!-- d --><e>e</e> </name></domain>",
         "a<bce ", ""},
        {"<?xml version='1.0' encoding='UTF-7'?><domain><name>web</name></domain>", "web", ""},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        assert_peeked(rows[i].xml, rows[i].name, rows[i].uuid);
}

/* Neither what is long nor what is slow to read is looked at. */
static void
test_peek_bounds(void)
{
    g_autoptr(GString) attributes = g_string_new(NULL);
    g_autofree char *spaces = g_strnfill(DOMAIN_XML_PEEK_MAX, ' ');

    for (unsigned i = 0; i < DOMAIN_XML_PEEK_ATTRIBUTES; i++)
        g_string_append_printf(attributes, " a%u='>'", i);
    g_autofree char *at_limit =
        g_strdup_printf("<domain%s><name>web</name></domain>", attributes->str);
    assert_peeked(at_limit, "web", "");
    g_autofree char *beyond = g_strdup_printf(
        "<domain><name>web</name><a%s b=''/><uuid>" UUID "</uuid></domain>", attributes->str);
    assert_peeked(beyond, "web", "");
    g_autofree char *late =
        g_strdup_printf("<domain><name>web</name>%s<uuid>" UUID "</uuid></domain>", spaces);
    assert_peeked(late, "web", "");
    g_autofree char *hidden =
        g_strdup_printf("<!-- ' --><domain%s b=''><name>web</name></domain>", attributes->str);
    assert_peeked(hidden, "", "");
}

/* Devices are found however their addresses are spelt. */
static void
test_match_devices(void)
{
    static const char domain[] =
        "<domain><devices><interface type='user'><mac address='52:54:00:96:74:2d'/>"
        "<alias name='net0'/><address type='pci' domain='0x0000' bus='0x00' slot='0x03' "
        "function='0x0'/></interface></devices></domain>";
    static const struct {
        const char *device;
        bool found;
    } rows[] = {
        {"<interface type='user'><address type='pci' domain='0' bus='0' slot='3' function='0'/>"
         "</interface>",
         true},
        {"<interface type='user'><address type='pci' slot='0x003'/></interface>", true},
        {"<interface type='user'><address type='pci' slot='4'/></interface>", false},
        {"<interface type='user'><mac address='52:54:00:96:74:2D'/></interface>", true},
        {"<interface type='user'><mac address='52:54:0:96:74:2d'/></interface>", true},
        {"<interface type='user'><mac address='52:54:00:96:74:2e'/></interface>", false},
        {"<interface type='user'><mac address='52:54:00:96:74'/></interface>", false},
        {"<disk/>", false},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(GStrv) aliases = domain_xml_match_devices(domain, rows[i].device);

        g_assert_cmpint(aliases[0] != NULL, ==, rows[i].found);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/domain/new", test_new);
    g_test_add_func("/domain/references", test_references);
    g_test_add_func("/domain/state-names", test_state_names);
    g_test_add_func("/domain/apply/state", test_apply_state);
    g_test_add_func("/domain/apply/only-what-is-known", test_apply_only_what_is_known);
    g_test_add_func("/domain/changes-add-up-until-signalled", test_changes_add_up_until_signalled);
    g_test_add_func("/domain/uuid", test_uuid_parse);
    g_test_add_func("/domain/identity", test_identity);
    g_test_add_func("/domain/peek", test_peek);
    g_test_add_func("/domain/peek-bounds", test_peek_bounds);
    g_test_add_func("/domain/match-devices", test_match_devices);
    return g_test_run();
}
