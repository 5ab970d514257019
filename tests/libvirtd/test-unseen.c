/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Changes by other people that libvirt sends no event for, with a service whose periods are 100
 * times as short (hurried.h): each is seen, though nobody asks for a list.
 */

#include "libvirtd-guest.h"

#include <string.h>

#define MACHINE_UUID "c0de0006-0000-4000-8000-000000000006"
#define NIC(network)                                                                               \
    "<interface type='network'><source network='" network "'/>"                                    \
    "<mac address='52:54:00:aa:bb:cc'/><model type='virtio'/></interface>"
#define DOMAIN_XML                                                                                 \
    "<domain type='qemu'><name>web</name><uuid>" MACHINE_UUID "</uuid><memory>32768</memory>"      \
    "<vcpu current='1'>4</vcpu><os><type arch='x86_64' machine='pc'>hvm</type></os><devices>"      \
    "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"                           \
    "<source file='/run/vms/web.qcow2'/><target dev='vda' bus='virtio'/></disk>"                   \
    "<disk type='file' device='floppy'><driver name='qemu' type='raw'/>"                           \
    "<source file='/run/vms/a.img'/><target dev='fda' bus='fdc'/></disk>" NIC(                     \
        "one") "<controller type='usb' model='none'/><memballoon "                                 \
               "model='none'/></devices></domain>"

static const char *const networks[] = {"one", "two"};

static Guest *
begin(bool running)
{
    libvirtd_clean();
    run(NULL, "rm -f /run/vms/*.qcow2; cd /run/vms; fallocate -l 1440K a.img; cp a.img b.img\n"
              "qemu-img create -q -f qcow2 web.qcow2 64M\n"
              "cat >web.xml <<'XML'\n" DOMAIN_XML "\nXML\n"
              "virsh -q define web.xml");
    for (unsigned i = 0; i < G_N_ELEMENTS(networks); i++)
        run(NULL,
            "virsh -q net-destroy %1$s 2>/dev/null || true\n"
            "virsh -q net-create <(echo \"<network><name>%1$s</name>"
            "<bridge name='vms-%1$s'/></network>\")",
            networks[i]);
    if (running)
        run(NULL, "virsh -q start web");
    Guest *g = guest_new(service_new("--uri=qemu:///system", NULL), domain_path(MACHINE_UUID));
    guest_wait_state(g, running ? "running" : "shutoff");
    return g;
}

/* The property has these words, whatever the order of the rest. */
static bool
has(Guest *g, const char *interface, const char *property, const char *words)
{
    const char *value = guest_get(g, interface, property);

    return value && strstr(value, words);
}

/* One change, and what the property has from then on. */
static void
check(Guest *g, const char *virsh, const char *interface, const char *property, const char *words)
{
    g_test_message("virsh %s", virsh);
    g_assert_false(has(g, interface, property, words));
    run(g->service->world, "virsh -q %s", virsh);
    wait_for(g->service->world, has(g, interface, property, words));
    mirror_check(g->service->mirror);
}

#define check_config(g, virsh, property, words)                                                    \
    check(g, virsh, VMS_CONFIG_INTERFACE, property, words)

static void
test_running(void)
{
    g_autoptr(Guest) g = begin(true);

    check_config(g,
                 "snapshot-create-as web s1 --disk-only --atomic --no-metadata "
                 "--diskspec fda,snapshot=no",
                 "Disks", "\"source\": <\"/run/vms/web.s1\">");
    check_config(g, "blockresize web vda 128M", "Disks", "\"capacity\": <134217728>");
    check_config(g, "change-media web fda /run/vms/b.img --update --live", "Disks",
                 "/run/vms/b.img");
    check_config(g, "update-device web <(echo \"" NIC("two") "\") --live", "Nics",
                 "\"source\": <\"two\">");
    check_config(g, "domif-setlink web 52:54:00:aa:bb:cc down", "Nics", "\"link\": <false>");
    check_config(g, "setvcpus web 3 --config", "Next", "\"VCpus\": <3>");
    check_config(g, "vcpupin web 0 0 --config", "Next", "\"CpuPins\"");
}

/* An image that is allocated whole looks like one that libvirt has to open, and is none. */
static void
check_preallocated(const char *options)
{
    g_autoptr(Guest) g = begin(false);
    World *w = g->service->world;

    run(w,
        "cd /run/vms; qemu-img create -q %s web.img 8M; fallocate -l 1440K a.img\n"
        "virsh -q define <(sed 's/web.qcow2/web.img/; %s' web.xml); virsh -q start web",
        options, strstr(options, "raw") ? "s/qcow2/raw/" : "");
    wait_for(w, has(g, VMS_CONFIG_INTERFACE, "Disks", "\"capacity\": <8388608>"));
    check_config(g, "blockresize web vda 16M", "Disks", "\"capacity\": <16777216>");
    /* Part of it is allocated from now on. */
    check_config(g, "blockresize web vda 32M", "Disks", "\"capacity\": <33554432>");
}

static void
test_preallocated(void)
{
    check_preallocated("-f qcow2 -o preallocation=falloc");
    check_preallocated("-f raw -o preallocation=full");
}

/* Of one that is off, and without waiting for a list. */
static void
test_off(void)
{
    g_autoptr(Guest) g = begin(false);

    check_config(g, "setvcpus web 2 --config", "VCpus", "2");
    check_config(g, "change-media web fda /run/vms/b.img --update --config", "Disks",
                 "/run/vms/b.img");
    check(g, "autostart web", VMS_DOMAIN_INTERFACE, "Autostart", "true");
}

/* The managed save, and how many snapshots there are. */
static void
test_saved(void)
{
    g_autoptr(Guest) g = begin(false);
    World *w = g->service->world;

    run(w, "virsh -q detach-disk web fda --config");
    check(g, "snapshot-create-as web first", VMS_SNAPSHOTS_INTERFACE, "Count", "1");
    run(w, "virsh -q start web; virsh -q managedsave web");
    wait_for(w, service_is_saved(g->service, g->path, true));
    check(g, "managedsave-remove web", VMS_SAVED_INTERFACE, "HasManagedSave", "false");
    check(g, "snapshot-create-as web second", VMS_SNAPSHOTS_INTERFACE, "Count", "2");
    check(g, "snapshot-delete web first", VMS_SNAPSHOTS_INTERFACE, "Count", "1");
    check(g, "snapshot-delete web second", VMS_SNAPSHOTS_INTERFACE, "Count", "0");
}

#define VIRTIO_MEM                                                                                 \
    "<memory model='virtio-mem'><target><size unit='MiB'>128</size><node>0</node>"                 \
    "<block unit='MiB'>2</block><requested unit='MiB'>0</requested></target></memory>"

/* A memory device, which libvirt counts whole, whatever the guest makes of it. */
static void
test_memory_device(void)
{
    g_autoptr(Guest) g = begin(false);
    World *w = g->service->world;

    run(w,
        "cd /run/vms; virsh -q define <(sed \"s|<memory>|<maxMemory "
        "slots='2'>524288</maxMemory>&|; "
        "s|</os>|&<features><acpi/></features><cpu><numa><cell cpus='0-3' memory='32768'/></numa>"
        "</cpu>|\" web.xml); virsh -q start web");
    guest_wait_state(g, "running");
    wait_for(w, has(g, VMS_CONFIG_INTERFACE, "MaxMemoryBytes", "33554432"));
    check_config(g, "attach-device web <(echo \"" VIRTIO_MEM "\") --live", "MaxMemoryBytes",
                 "167772160");
    g_assert_true(has(g, VMS_CONFIG_INTERFACE, "MemoryBytes", "167772160"));
    run(w, "virsh -q update-memory-device web --requested-size 64MiB --live");
    assert_equals_virsh(g->service);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    libvirtd_need();
    libvirtd_add_func("/libvirtd/unseen/running", test_running);
    libvirtd_add_func("/libvirtd/unseen/preallocated", test_preallocated);
    libvirtd_add_func("/libvirtd/unseen/memory-device", test_memory_device);
    libvirtd_add_func("/libvirtd/unseen/off", test_off);
    libvirtd_add_func("/libvirtd/unseen/saved", test_saved);
    return g_test_run();
}
