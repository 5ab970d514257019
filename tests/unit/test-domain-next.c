/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The difference that the next start makes: by value, without what only a running domain has. */

#include "domain-next.h"
#include "domain-xml.h"
#include "domain.h"

#define UUID "6695eb01-f6a4-8304-79aa-97f2502e193f"

typedef struct {
    const char *live; /* the content of a <domain> */
    const char *next;
    DomainChanges differ;
} Case;

static DomainUpdate *
read_both(const char *live, const char *next)
{
    DomainUpdate *update = domain_update_new(UUID);
    g_autofree char *live_xml = g_strconcat("<domain id='1'>", live, "</domain>", NULL);
    g_autofree char *next_xml = g_strconcat("<domain>", next, "</domain>", NULL);

    g_assert_true(domain_xml_read(live_xml, update));
    g_assert_true(domain_xml_read_next(next_xml, update));
    return update;
}

static void
check(const Case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        g_autoptr(DomainUpdate) update = read_both(cases[i].live, cases[i].next);

        g_assert_cmphex(domain_next_compare(&update->config, &update->next, 0), ==,
                        cases[i].differ);
    }
}

#define DEVICES(xml) "<devices>" xml "</devices>"

static void
test_settings(void)
{
    static const Case cases[] = {
        {"", "", 0},
        {"<title>a</title>", "<title>b</title>", 0},
        {"<vcpu current='1'>4</vcpu>", "<vcpu>4</vcpu>", DOMAIN_CHANGED(VCPUS)},
        {"<vcpu>4</vcpu>", "<vcpu current='4'>8</vcpu>", DOMAIN_CHANGED(MAX_VCPUS)},
        {"<memory>1024</memory><currentMemory>512</currentMemory>",
         "<memory>2048</memory><currentMemory>512</currentMemory>",
         DOMAIN_CHANGED(MAX_MEMORY_BYTES)},
        {"<memory>3072</memory><currentMemory>512</currentMemory>",
         "<memory>2048</memory><currentMemory>512</currentMemory>",
         DOMAIN_CHANGED(MAX_MEMORY_BYTES)},
        /* It is rounded up to whole MiB at the start. */
        {"<memory>98304</memory><currentMemory>512</currentMemory>",
         "<memory>97656</memory><currentMemory>512</currentMemory>", 0},
        {"<os><type arch='x86_64' machine='pc-i440fx-7.2'>hvm</type></os>",
         "<os firmware='efi'><type arch='x86_64' machine='q35'>hvm</type></os>",
         DOMAIN_CHANGED(MACHINE) | DOMAIN_CHANGED(FIRMWARE)},
        {"<os><type arch='x86_64'>xen</type></os>", "<os><type arch='i686'>linux</type></os>",
         DOMAIN_CHANGED(OS_TYPE) | DOMAIN_CHANGED(ARCHITECTURE)},
        {"<os><boot dev='hd'/><boot dev='cdrom'/></os>",
         "<os><boot dev='cdrom'/><boot dev='hd'/></os>", DOMAIN_CHANGED(BOOT_ORDER)},
        {"<metadata><vmtemplate xmlns='unraid' name='a'/></metadata>",
         "<metadata><vmtemplate xmlns='unraid' name='b'/></metadata>", DOMAIN_CHANGED(TEMPLATE)},
        {"",
         "<metadata><s xmlns='x'/><settings xmlns='http://unraid.org/vms/1' "
         "stop-timeout-usec='5'/></metadata>",
         DOMAIN_CHANGED(STOP_TIMEOUT_USEC)},
        {"<cputune><vcpupin vcpu='0' cpuset='1'/><vcpupin vcpu='1' cpuset='2'/></cputune>",
         "<cputune><vcpupin vcpu='1' cpuset='2'/><vcpupin vcpu='0' cpuset='1'/></cputune>", 0},
        {"<cputune><vcpupin vcpu='0' cpuset='1'/></cputune>", "", DOMAIN_CHANGED(CPU_PINS)},
    };

    check(cases, G_N_ELEMENTS(cases));
}

#define VDA "<disk type='file'><target dev='vda'/><source file='/a'/></disk>"
#define VDB "<disk type='file'><target dev='vdb'/></disk>"

static void
test_disks(void)
{
    static const Case cases[] = {
        {DEVICES(VDA VDB), DEVICES(VDB VDA), 0},
        {DEVICES(VDA), DEVICES(VDA VDB), DOMAIN_CHANGED(DISKS)},
        {DEVICES(VDA), DEVICES(VDB), DOMAIN_CHANGED(DISKS)},
        {DEVICES(VDA), DEVICES("<disk type='file'><target dev='vda'/><source file='/b'/></disk>"),
         DOMAIN_CHANGED(DISKS)},
        {DEVICES(VDA),
         DEVICES(
             "<disk type='file'><target dev='vda'/><source file='/a'/><boot order='1'/></disk>"),
         DOMAIN_CHANGED(DISKS) | DOMAIN_CHANGED(BOOT_ORDER)},
        {DEVICES("<disk type='file'><alias name='a'/><target dev='vda'/><source file='/a'/>"
                 "<backingStore/></disk>"),
         DEVICES(VDA), 0},
    };

    check(cases, G_N_ELEMENTS(cases));
}

#define MAC "<mac address='52:54:00:00:00:01'/>"

static void
test_nics(void)
{
    static const Case cases[] = {
        {DEVICES("<interface type='network'>" MAC "<source network='n' bridge='virbr0'/>"
                 "<target dev='vnet0'/><alias name='net0'/></interface>"),
         DEVICES("<interface type='network'>" MAC "<source network='n'/></interface>"), 0},
        {DEVICES("<interface type='bridge'>" MAC "<source network='n' bridge='br0'/></interface>"),
         DEVICES("<interface type='network'>" MAC "<source network='n'/></interface>"), 0},
        {DEVICES("<interface type='bridge'>" MAC "<source network='n' bridge='br0'/></interface>"),
         DEVICES("<interface type='network'>" MAC "<source network='m'/></interface>"),
         DOMAIN_CHANGED(NICS)},
        /* The network lent it a device, which is all that the live XML says. */
        {DEVICES("<interface type='hostdev'>" MAC
                 "<source><address bus='1' slot='2'/></source></interface>"),
         DEVICES("<interface type='network'>" MAC "<source network='n'/></interface>"), 0},
        {DEVICES("<interface type='hostdev'>" MAC
                 "<source><address bus='1' slot='2'/></source></interface>"),
         DEVICES("<interface type='bridge'>" MAC "<source bridge='br0'/></interface>"),
         DOMAIN_CHANGED(NICS)},
        {DEVICES("<interface type='user'>" MAC "<link state='down'/></interface>"),
         DEVICES("<interface type='user'>" MAC "</interface>"), DOMAIN_CHANGED(NICS)},
    };

    check(cases, G_N_ELEMENTS(cases));
}

#define USB(address, more)                                                                         \
    DEVICES("<hostdev type='usb'><source><vendor id='0x1'/><product id='0x2'/>" address            \
            "</source>" more "</hostdev>")
#define ADDRESS "<address bus='1' device='2'/>"
#define BOOT    "<boot order='1'/>"

static void
test_host_devices(void)
{
    static const Case cases[] = {
        {USB(ADDRESS, "<alias name='hostdev0'/>"), USB("", ""), 0},
        {USB(ADDRESS, BOOT), USB("", BOOT), 0},
        {USB(ADDRESS, ""), USB("<address bus='1' device='3'/>", ""), DOMAIN_CHANGED(HOST_DEVICES)},
        {USB(ADDRESS, BOOT), USB("", ""),
         DOMAIN_CHANGED(HOST_DEVICES) | DOMAIN_CHANGED(BOOT_ORDER)},
        {USB(ADDRESS, BOOT),
         DEVICES("<hostdev type='pci'><source><address bus='1' slot='2'/></source>" BOOT
                 "</hostdev>"),
         DOMAIN_CHANGED(HOST_DEVICES) | DOMAIN_CHANGED(BOOT_ORDER)},
        {"", USB("", ""), DOMAIN_CHANGED(HOST_DEVICES)},
    };

    check(cases, G_N_ELEMENTS(cases));
}

/* Many devices in another order are compared in bounded time. */
static void
test_many(void)
{
    g_autoptr(GString) forth = g_string_new("<devices>");
    g_autoptr(GString) back = g_string_new("<devices>");

    for (unsigned i = 0; i < 5000; i++) {
        g_string_append_printf(forth, "<disk><target dev='vd%u'/></disk>", i);
        g_string_append_printf(back, "<disk><target dev='vd%u'/></disk>", 4999 - i);
    }
    g_string_append(forth, "</devices>");
    g_string_append(back, "</devices>");
    const Case cases[] = {
        {forth->str, forth->str, 0},
        {forth->str, back->str, DOMAIN_CHANGED(DISKS)},
    };
    check(cases, G_N_ELEMENTS(cases));
}

/* --- on a domain -------------------------------------------------------------------------- */

static DomainChanges
apply_state(Domain *domain, int id, bool persistent)
{
    g_autoptr(DomainUpdate) update = domain_update_new(UUID);

    update->known = FACT_STATE | FACT_PERSISTENT;
    update->state = id >= 0 ? DOMAIN_RUNNING : DOMAIN_SHUTOFF;
    update->id = id;
    update->persistent = persistent;
    return domain_apply(domain, update) & DOMAIN_CHANGED(NEXT);
}

static DomainChanges
apply_memory(Domain *domain, unsigned live, unsigned next)
{
    g_autofree char *live_xml = g_strdup_printf("<memory>%u</memory>", live);
    g_autofree char *next_xml = g_strdup_printf("<memory>%u</memory>", next);
    g_autoptr(DomainUpdate) update = read_both(live_xml, next_xml);

    domain_apply(domain, update);
    return domain->next ? domain->next->properties & DOMAIN_CHANGED(MEMORY_BYTES) : 0;
}

/* The balloon moves: only a change of the configuration counts. */
static void
test_memory(void)
{
    g_autoptr(Domain) domain = domain_new(UUID);

    apply_state(domain, 1, true);
    g_assert_cmphex(apply_memory(domain, 4096, 4096), ==, 0);
    g_assert_cmphex(apply_memory(domain, 2048, 4096), ==, 0);
    g_assert_cmphex(apply_memory(domain, 2048, 8192), !=, 0);
    g_assert_cmphex(apply_memory(domain, 8192, 8192), ==, 0);
    g_assert_cmphex(apply_memory(domain, 8190, 8192), ==, 0);
    g_assert_cmphex(apply_memory(domain, 2048, 8192), !=, 0);
    /* Another run, which began with that. */
    apply_state(domain, 2, true);
    g_assert_cmphex(apply_memory(domain, 2048, 8192), ==, 0);
    apply_state(domain, -1, true);
    apply_state(domain, 3, true);
    g_assert_cmphex(apply_memory(domain, 2048, 1024), ==, 0);
}

static DomainChanges
apply_vcpus(Domain *domain, const char *next)
{
    g_autoptr(DomainUpdate) update = read_both("<vcpu>1</vcpu>", next);

    return domain_apply(domain, update) & DOMAIN_CHANGED(NEXT);
}

/* A change of what is pending is told once; it goes with the run and with the configuration. */
static void
test_changes(void)
{
    g_autoptr(Domain) domain = domain_new(UUID);

    apply_state(domain, 1, true);
    g_assert_cmphex(apply_vcpus(domain, "<vcpu>1</vcpu>"), ==, 0);
    g_assert_null(domain->next);
    g_assert_cmphex(apply_vcpus(domain, "<vcpu>2</vcpu>"), !=, 0);
    g_assert_cmphex(apply_vcpus(domain, "<vcpu>2</vcpu>"), ==, 0);
    g_assert_cmphex(apply_vcpus(domain, "<vcpu>3</vcpu>"), !=, 0);
    g_assert_cmpuint(domain->next->config.vcpus, ==, 3);
    g_assert_cmphex(apply_vcpus(domain, "<vcpu>1</vcpu>"), !=, 0);
    g_assert_null(domain->next);

    g_assert_cmphex(apply_vcpus(domain, "<vcpu>2</vcpu>"), !=, 0);
    g_assert_cmphex(apply_state(domain, -1, true), !=, 0);
    g_assert_cmphex(apply_vcpus(domain, "<vcpu>2</vcpu>"), ==, 0);
    g_assert_null(domain->next);
    apply_state(domain, 2, true);
    g_assert_cmphex(apply_vcpus(domain, "<vcpu>2</vcpu>"), !=, 0);
    g_assert_cmphex(apply_state(domain, 2, false), !=, 0);
    g_assert_cmphex(apply_vcpus(domain, "<vcpu>2</vcpu>"), ==, 0);
    g_assert_null(domain->next);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/domain-next/settings", test_settings);
    g_test_add_func("/domain-next/disks", test_disks);
    g_test_add_func("/domain-next/nics", test_nics);
    g_test_add_func("/domain-next/host-devices", test_host_devices);
    g_test_add_func("/domain-next/many", test_many);
    g_test_add_func("/domain-next/memory", test_memory);
    g_test_add_func("/domain-next/changes", test_changes);
    return g_test_run();
}
