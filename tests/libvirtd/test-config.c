/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The hardware of real QEMU guests, changed while they run and while they do not. */

#include "libvirtd-guest.h"

#include <string.h>

#define INVALID_STATE    VMS_ERROR_PREFIX "InvalidState"
#define OPERATION_FAILED VMS_ERROR_PREFIX "OperationFailed"
#define STILL_RUNNING    VMS_ERROR_PREFIX "StillRunning"

#define DISK                                                                                       \
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/>"                             \
    "<source file='/run/vms/extra.img'/><target dev='vdb' bus='virtio'/></disk>"
#define NIC                                                                                        \
    "<interface type='user'><mac address='52:54:00:aa:bb:cc'/><model type='virtio'/></interface>"
#define DISKS_WITH(target, source, capacity)                                                       \
    "[{\"bus\": <\"virtio\">, " capacity "\"device\": <\"disk\">, \"format\": <\"raw\">, "         \
    "\"readonly\": <false>, \"shareable\": <false>, \"source\": <\"" source                        \
    "\">, \"target\": <\"" target "\">, \"type\": <\"file\">}]"
#define BYTES(number) "\"capacity\": <" #number ">, "
#define DISKS         DISKS_WITH("vdb", "/run/vms/extra.img", BYTES(4194304))
#define CDROM(capacity, format, source)                                                            \
    "[{\"bus\": <\"ide\">, " capacity "\"device\": <\"cdrom\">, " format "\"readonly\": <true>, "  \
    "\"shareable\": <false>, " source "\"target\": <\"hdc\">, \"type\": <\"file\">}]"
#define NICS                                                                                       \
    "[{\"link\": <true>, \"mac\": <\"52:54:00:aa:bb:cc\">, \"model\": <\"virtio\">, "              \
    "\"type\": <\"user\">}]"

/* One that is defined, and maybe runs a kernel that takes part in plugging. */
static Guest *
begin(const char *options, const char *mode, bool running)
{
    libvirtd_clean();
    Service *s = service_new("--uri=qemu:///system", NULL);

    run(s->world, "truncate -s 4M /run/vms/extra.img");
    guest_define(s->world, options, "web", mode);
    if (running)
        guest_start(s->world, "web");
    if (running && !g_str_equal(mode, "bare"))
        guest_wait(s->world, "web", "VMS-GUEST-READY");
    Guest *g = guest_new(s, guest_path(s->world, "web"));
    guest_wait_state(g, running ? "running" : "shutoff");
    return g;
}

#define config_call(g, member, ...)                                                                \
    client_call((g)->service->client, (g)->path, VMS_CONFIG_INTERFACE, member, __VA_ARGS__)

static const char *
get(Guest *g, const char *property)
{
    return guest_get(g, VMS_CONFIG_INTERFACE, property);
}

#define assert_config(g, property, value) g_assert_cmpstr(get(g, property), ==, value)

/* The live or the persistent configuration, as virsh prints it. */
static void
assert_xml(Guest *g, const char *options, const char *words, bool contained)
{
    g_autofree char *xml = shell(g->service->world, "virsh dumpxml %s web", options);

    if ((strstr(xml, words) != NULL) != contained)
        g_error("%s: %s %s", xml, contained ? "lacks" : "has", words);
}

static void
test_memory(void)
{
    g_autoptr(Guest) g = begin("--memory 192", "obey", true);
    guint64 mark = mirror_mark(g->service->mirror);

    assert_config(g, "MemoryBytes", "201326592");
    g_autoptr(Call) less = config_call(g, "SetMemory", "ta{sv}", (guint64)160 << 20, 0);
    assert_ok(less);
    assert_config(g, "MemoryBytes", "167772160");
    assert_config(g, "MaxMemoryBytes", "201326592");
    g_assert_cmpuint(mirror_count(g->service->mirror, mark, g->path, "PropertiesChanged"), >=, 1);
    g_autofree char *actual =
        shell(g->service->world, "virsh dommemstat web | sed -n 's/^actual //p'");
    g_assert_cmpstr(actual, ==, "163840");
    assert_xml(g, "--inactive", "<currentMemory unit='KiB'>163840<", true);

    g_autoptr(Call) config =
        config_call(g, "SetMemory", "ta{sv}", (guint64)100 << 20, 1, "config", "b", 1);
    assert_ok(config);
    assert_config(g, "MemoryBytes", "167772160");
    assert_xml(g, "--inactive", "<currentMemory unit='KiB'>102400<", true);
    g_autoptr(Call) much = config_call(g, "SetMemory", "ta{sv}", (guint64)1 << 40, 0);
    assert_error_says(much, OPERATION_FAILED, "memory");
    assert_config(g, "MemoryBytes", "167772160");
}

/* A change that one of the two configurations refuses changes neither. */
static void
test_memory_of_both(void)
{
    g_autoptr(Guest) g = begin("--memory 64", "bare", true);

    run(g->service->world, "virsh -q setmaxmem web 128M --config");
    g_autofree char *before = shell(g->service->world, "virsh dumpxml --inactive web");
    g_autoptr(Call) much = config_call(g, "SetMemory", "ta{sv}", (guint64)96 << 20, 0);
    assert_error_says(much, OPERATION_FAILED, "max memory");
    g_autofree char *after = shell(g->service->world, "virsh dumpxml --inactive web");
    g_assert_cmpstr(before, ==, after);
    assert_config(g, "MemoryBytes", "67108864");
}

/* A change of the balloon by somebody else arrives as an event. */
static void
test_memory_of_others(void)
{
    g_autoptr(Guest) g = begin("--memory 192", "obey", true);

    run(g->service->world, "virsh -q setmem web 160M --live");
    wait_for(g->service->world, g_strcmp0(get(g, "MemoryBytes"), "167772160") == 0);
}

#define WITH_MEMORY_DEVICE                                                                         \
    "s:<memory unit:<maxMemory slots='2' unit='MiB'>1024</maxMemory>&:\n"                          \
    "s:<features>:<cpu><numa><cell cpus='0' memory='256' unit='MiB'/></numa></cpu>&:\n"            \
    "s:</devices>:<memory model='virtio-mem'><target><size unit='MiB'>256</size><node>0</node>"    \
    "<block unit='MiB'>2</block><requested unit='MiB'>0</requested></target></memory>&:\n"

/* Somebody else asks the guest's driver to plug memory: what it did arrives as an event. */
static void
test_memory_device_of_others(void)
{
    g_autoptr(Guest) g = begin("--memory 256", "obey", false);
    World *w = g->service->world;

    run(w, "virsh -q define <(domain-xml --memory 256 web obey | sed \"%s\")", WITH_MEMORY_DEVICE);
    guest_start(w, "web");
    guest_wait(w, "web", "VMS-GUEST-READY");
    guest_wait_state(g, "running");
    assert_config(g, "MaxMemoryBytes", "536870912");
    assert_config(g, "MemoryBytes", "268435456");

    gint64 since = g_get_monotonic_time();
    for (guint mib = 64; mib <= 192; mib += 64) {
        g_autofree char *bytes = g_strdup_printf("%u", (256 + mib) << 20);

        run(w, "virsh -q update-memory-device web --requested-size %uMiB --live", mib);
        wait_for(w, g_strcmp0(get(g, "MemoryBytes"), bytes) == 0);
    }
    /* Without events there is one reading in a minute. */
    g_assert_cmpint(g_get_monotonic_time() - since, <, 60 * G_USEC_PER_SEC);
}

/* Nobody in the guest moves the balloon: it is not done, and the caller is told so. */
static void
test_memory_that_stays(void)
{
    g_autoptr(Guest) g = begin("--memory 64", "bare", true);

    g_autoptr(Call) set =
        config_call(g, "SetMemory", "ta{sv}", (guint64)48 << 20, 1, "live", "b", 1);
    assert_error(set, STILL_RUNNING);
    g_assert_cmpint(call_duration_ms(set), <, 21000);
    assert_config(g, "MemoryBytes", "67108864");
    g_autoptr(Call) other = config_call(g, "SetTitle", "s", "free");
    assert_ok(other);
}

static void
test_vcpus(void)
{
    g_autoptr(Guest) g = begin("--vcpus 2", "obey", true);

    assert_config(g, "VCpus", "1");
    assert_config(g, "MaxVCpus", "2");
    g_autoptr(Call) live = config_call(g, "SetVCpus", "ua{sv}", 2, 1, "live", "b", 1);
    assert_ok(live);
    assert_config(g, "VCpus", "2");
    assert_xml(g, "--inactive", "current='1'>2</vcpu>", true);
    g_autoptr(Call) both = config_call(g, "SetVCpus", "ua{sv}", 2, 0);
    assert_ok(both);
    assert_xml(g, "--inactive", "current='1'", false);
    g_autoptr(Call) many = config_call(g, "SetVCpus", "ua{sv}", 3, 0);
    assert_error_says(many, OPERATION_FAILED, "max allowable");
    assert_config(g, "VCpus", "2");
}

/* libvirt has no event for it: the next one, whatever it is about, shows it. */
static void
test_vcpus_of_others(void)
{
    g_autoptr(Guest) g = begin("--vcpus 2", "bare", true);

    assert_config(g, "VCpus", "1");
    run(g->service->world, "virsh -q setvcpus web 2 --live; virsh -q suspend web");
    wait_for(g->service->world, g_strcmp0(get(g, "VCpus"), "2") == 0);
}

/* Of a disk the capacity may follow. */
static void
wait_config(Guest *g, const char *property, const char *value)
{
    wait_for(g->service->world, g_strcmp0(get(g, property), value) == 0);
}

/* A device that is attached with these options and detached again: where it is in between. */
static void
check_device(const char *xml, const char *property, const char *rows, const char *words)
{
    g_autoptr(Guest) g = begin("", "obey", true);
    g_autofree char *next_without = g_strdup_printf("{\"%s\": <[]>}", property);

    g_autoptr(Call) live = config_call(g, "AttachDevice", "sa{sv}", xml, 1, "live", "b", 1);
    assert_ok(live);
    g_assert_cmpstr(get(g, property), !=, "[]");
    assert_config(g, "Next", next_without);
    wait_config(g, property, rows);
    assert_xml(g, "", words, true);
    assert_xml(g, "--inactive", words, false);
    g_autoptr(Call) config = config_call(g, "AttachDevice", "sa{sv}", xml, 1, "config", "b", 1);
    assert_ok(config);
    assert_xml(g, "--inactive", words, true);
    assert_config(g, property, rows);
    /* The same device: what only a running domain has, such as a capacity, is no difference. */
    assert_config(g, "Next", "{}");

    g_autoptr(Call) gone = config_call(g, "DetachDevice", "sa{sv}", xml, 1, "live", "b", 1);
    assert_ok(gone);
    assert_config(g, property, "[]");
    assert_xml(g, "", words, false);
    assert_xml(g, "--inactive", words, true);
    g_autoptr(Call) back = config_call(g, "AttachDevice", "sa{sv}", xml, 1, "live", "b", 1);
    assert_ok(back);
    assert_config(g, "Next", "{}");
    g_autoptr(Call) both = config_call(g, "DetachDevice", "sa{sv}", xml, 0);
    assert_ok(both);
    assert_config(g, property, "[]");
    assert_config(g, "Next", "{}");
    assert_xml(g, "--inactive", words, false);
    g_autoptr(Call) nothing = config_call(g, "DetachDevice", "sa{sv}", xml, 0);
    assert_error(nothing, OPERATION_FAILED);
}

static void
test_disk(void)
{
    check_device(DISK, "Disks", DISKS, "extra.img");
}

static void
test_nic(void)
{
    check_device(NIC, "Nics", NICS, "52:54:00:aa:bb:cc");
}

/* libvirt makes an address up, for each configuration that it is asked for. */
static void
test_nic_without_address(void)
{
    static const char xml[] = "<interface type='user'><model type='virtio'/></interface>";
    g_autoptr(Guest) g = begin("", "bare", true);

    g_autoptr(Call) both = config_call(g, "AttachDevice", "sa{sv}", xml, 0);
    assert_ok(both);
    g_autofree char *live = shell(g->service->world, "virsh dumpxml web | grep '<mac '");
    assert_xml(g, "--inactive", g_strstrip(live), true);
    assert_config(g, "Next", "{}");
}

/* Without a kernel nobody lets go of it; and when it is off, it is gone with the machine. */
static void
test_device_that_stays(void)
{
    g_autoptr(Guest) g = begin("", "bare", true);

    g_autoptr(Call) attach = config_call(g, "AttachDevice", "sa{sv}", DISK, 1, "live", "b", 1);
    assert_ok(attach);
    g_autoptr(Call) detach = config_call(g, "DetachDevice", "sa{sv}", DISK, 0);
    assert_error(detach, OPERATION_FAILED); /* it is in one configuration only */
    g_autoptr(Call) live = client_send(g->service->client, g->path, VMS_CONFIG_INTERFACE,
                                       "DetachDevice", "sa{sv}", DISK, 1, "live", "b", 1);
    /* Changes come one after the other: libvirt has given up waiting for the guest by then. */
    g_autoptr(Call) next = config_call(g, "SetTitle", "s", "next");
    assert_ok(next);
    g_assert_false(live->done);
    g_autoptr(Call) force = domain_call(g->service, g->path, "ForceStop", NULL);
    assert_ok(force);
    assert_ok(live);
    assert_config(g, "Disks", "[]");
}

static void
test_others_devices(void)
{
    g_autoptr(Guest) g = begin("", "obey", true);

    run(g->service->world, "virsh -q attach-device web <(echo \"%s\") --live", DISK);
    wait_config(g, "Disks", DISKS);
    run(g->service->world, "virsh -q detach-device web <(echo \"%s\") --live", DISK);
    wait_config(g, "Disks", "[]");
}

static void
test_update(void)
{
    /* Firmware that looks for disks would reset the drive, and close its tray, in the middle. */
    g_autoptr(Guest) g = begin("", "bare", false);
    static const char cdrom[] =
        "<disk type='file' device='cdrom'><target dev='hdc' bus='ide'/><readonly/></disk>";
    static const char loaded[] =
        "<disk type='file' device='cdrom'><driver name='qemu' type='raw'/>"
        "<source file='/run/vms/extra.img'/><target dev='hdc' bus='ide'/><readonly/></disk>";

    g_autoptr(Call) attach = config_call(g, "AttachDevice", "sa{sv}", cdrom, 0);
    assert_ok(attach);
    assert_config(g, "Disks", CDROM("", "", ""));
    guest_start(g->service->world, "web");
    guest_wait_state(g, "running");
    assert_config(g, "Next", "{}");
    g_autoptr(Call) insert = config_call(g, "UpdateDevice", "sa{sv}", loaded, 1, "live", "b", 1);
    assert_ok(insert);
    wait_config(
        g, "Disks",
        CDROM(BYTES(4194304), "\"format\": <\"raw\">, ", "\"source\": <\"/run/vms/extra.img\">, "));
    assert_xml(g, "--inactive", "extra.img", false);
    g_autoptr(Call) eject = config_call(g, "UpdateDevice", "sa{sv}", cdrom, 0);
    assert_ok(eject);
    assert_config(g, "Disks", CDROM("", "", ""));
    assert_config(g, "Next", "{}");
}

/* A resize has no event, and to ask may open the image: it is seen with the next start. */
static void
check_resized(Guest *g)
{
    g_autoptr(Call) stop = domain_call(g->service, g->path, "ForceStop", NULL);
    assert_ok(stop);
    assert_config(g, "Disks", DISKS_WITH("vda", "/run/vms/extra.img", BYTES(4194304)));
    guest_start(g->service->world, "web");
    wait_config(g, "Disks", DISKS_WITH("vda", "/run/vms/extra.img", BYTES(8388608)));
}

/* QEMU says it; it is kept when the machine stops, and nobody opens the image of one that is off.
 */
static void
test_capacity(void)
{
    g_autoptr(Guest) g = begin("--disk /run/vms/extra.img", "bare", false);

    assert_config(g, "Disks", DISKS_WITH("vda", "/run/vms/extra.img", ""));
    guest_start(g->service->world, "web");
    wait_config(g, "Disks", DISKS_WITH("vda", "/run/vms/extra.img", BYTES(4194304)));
    run(g->service->world, "virsh -q blockresize web vda 8M");
    check_resized(g);
}

/* A QEMU that stands still holds up neither the property, nor another change, nor another's disks;
 * and when libvirt is lost meanwhile, it is asked anew. */
static void
test_capacity_of_stuck(void)
{
    g_autoptr(Guest) g = begin("--disk /run/vms/extra.img", "bare", true);
    World *w = g->service->world;

    wait_config(g, "Disks", DISKS_WITH("vda", "/run/vms/extra.img", BYTES(4194304)));
    run(w, "kill -STOP $(libvirtd-ctl qemu-pid web)");
    /* With this one its XML is read again, and so it is asked. */
    g_autoptr(Call) start = domain_call(g->service, g->path, "Start", NULL);
    assert_error(start, VMS_ERROR_PREFIX "InvalidState");
    g_autoptr(Call) xml = domain_call(g->service, g->path, "GetXml", "a{sv}", 0);
    assert_ok(xml);
    g_autoptr(Call) find = manager_call(g->service, "ListDomains", NULL);
    assert_ok(find);

    run(w, "truncate -s 2M /run/vms/more.img");
    guest_define(w, "--disk /run/vms/more.img", "db", "bare");
    guest_start(w, "db");
    g_autofree char *other = guest_path(w, "db");
    wait_for(w, g_strcmp0(mirror_get(g->service->mirror, other, VMS_CONFIG_INTERFACE, "Disks"),
                          DISKS_WITH("vda", "/run/vms/more.img", BYTES(2097152))) == 0);

    libvirtd(w, "kill");
    client_wait_available(g->service->client, false);
    assert_config(g, "Disks", DISKS_WITH("vda", "/run/vms/extra.img", BYTES(4194304)));
    run(w, "kill -CONT $(</run/libvirt/qemu/web.pid)");
    libvirtd(w, "start");
    client_wait_available(g->service->client, true);
    run(w, "virsh -q blockresize web vda 8M");
    check_resized(g);
}

/* libvirt's own words, and nothing is changed. */
static void
test_refused(void)
{
    g_autoptr(Guest) g = begin("--disk /run/vms/extra.img", "obey", true);
    guint64 mark = mirror_mark(g->service->mirror);
    g_autofree char *before = shell(g->service->world, "virsh dumpxml web; "
                                                       "virsh dumpxml --inactive web");

    g_autoptr(Call) none = config_call(g, "AttachDevice", "sa{sv}", "no XML", 0);
    assert_error_says(none, OPERATION_FAILED, "XML");
    g_autoptr(Call) kind = config_call(g, "AttachDevice", "sa{sv}", "<toaster/>", 0);
    assert_error_says(kind, OPERATION_FAILED, "toaster");
    g_autoptr(Call) missing = config_call(g, "AttachDevice", "sa{sv}",
                                          "<disk type='file'><source file='/nowhere.img'/>"
                                          "<target dev='vdb' bus='virtio'/></disk>",
                                          0);
    assert_error_says(missing, OPERATION_FAILED, "/nowhere.img");
    g_autoptr(Call) taken = config_call(g, "AttachDevice", "sa{sv}",
                                        "<disk type='file'><source file='/run/vms/extra.img'/>"
                                        "<target dev='vda' bus='virtio'/></disk>",
                                        0);
    assert_error_says(taken, INVALID_STATE, "vda");
    g_autoptr(Call) rename = config_call(g, "Rename", "s", "shop");
    assert_error_says(rename, INVALID_STATE, "active");
    g_autofree char *after = shell(g->service->world, "virsh dumpxml web; "
                                                      "virsh dumpxml --inactive web");
    g_assert_cmpstr(before, ==, after);
    g_assert_cmpuint(mirror_count(g->service->mirror, mark, NULL, NULL), ==, 0);
}

static void
test_texts(void)
{
    g_autoptr(Guest) g = begin("", "bare", true);
    Mirror *m = g->service->mirror;

    g_autoptr(Call) title = config_call(g, "SetTitle", "s", "A title");
    assert_ok(title);
    g_assert_true(mirror_is(m, g->path, "Title", "A title"));
    assert_xml(g, "--inactive", "<title>A title</title>", true);
    g_autoptr(Call) description = config_call(g, "SetDescription", "s", "What it is");
    assert_ok(description);
    g_assert_true(mirror_is(m, g->path, "Description", "What it is"));
    g_autoptr(Call) stop = domain_call(g->service, g->path, "ForceStop", NULL);
    assert_ok(stop);
    g_autoptr(Call) rename = config_call(g, "Rename", "s", "shop");
    assert_ok(rename);
    g_assert_true(mirror_is(m, g->path, "Name", "shop"));
    g_assert_cmpuint(mirror_count(m, 0, NULL, "InterfacesRemoved"), ==, 1); /* the job's */
}

static Call *
get_devices(Guest *g)
{
    return client_call(g->service->client, VMS_ROOT_PATH, VMS_HOST_INTERFACE, "GetDevices", "s",
                       "pci");
}

/* The number of rows of a dictionary each. */
static unsigned
count_rows(const char *body)
{
    unsigned n = 0;

    while ((body = strstr(body, "{\"address\"")))
        n++, body++;
    return n;
}

static void
test_host(void)
{
    g_autoptr(Guest) g = begin("", "bare", false);
    World *w = g->service->world;
    g_autofree char *cpus = shell(w, "virsh -c qemu:///system nodeinfo | sed -n 's/^CPU(s): *//p'");
    g_autofree char *n_pci = shell(w, "virsh -c qemu:///system nodedev-list --cap pci | grep -c .");
    g_autoptr(Call) before = get_devices(g);
    const char *address;

    assert_property(g->service->client, VMS_ROOT_PATH, VMS_HOST_INTERFACE, "CpuCount", cpus);
    assert_ok(before);
    g_assert_cmpuint(count_rows(before->body), ==, g_ascii_strtoull(n_pci, NULL, 10));
    g_assert_null(strstr(before->body, g->path));
    if (!(address = strstr(before->body, "0000:"))) {
        g_test_skip("this machine has no PCI device");
        return;
    }
    g_autofree char *first = g_strndup(address, strcspn(address, "\""));
    g_autoptr(Call) attach = config_call(g, "AttachHostDevice", "sa{sv}", first, 0);
    assert_ok(attach);
    g_autoptr(Call) after = get_devices(g);
    assert_ok(after);
    g_assert_nonnull(strstr(after->body, g->path));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    libvirtd_need();
    libvirtd_add_func("/libvirtd/config/memory", test_memory);
    libvirtd_add_func("/libvirtd/config/memory-of-both", test_memory_of_both);
    libvirtd_add_func("/libvirtd/config/memory-of-others", test_memory_of_others);
    libvirtd_add_func("/libvirtd/config/memory-device-of-others", test_memory_device_of_others);
    libvirtd_add_func("/libvirtd/config/memory-that-stays", test_memory_that_stays);
    libvirtd_add_func("/libvirtd/config/vcpus", test_vcpus);
    libvirtd_add_func("/libvirtd/config/vcpus-of-others", test_vcpus_of_others);
    libvirtd_add_func("/libvirtd/config/disk", test_disk);
    libvirtd_add_func("/libvirtd/config/nic", test_nic);
    libvirtd_add_func("/libvirtd/config/nic-without-address", test_nic_without_address);
    libvirtd_add_func("/libvirtd/config/device-that-stays", test_device_that_stays);
    libvirtd_add_func("/libvirtd/config/others-devices", test_others_devices);
    libvirtd_add_func("/libvirtd/config/update", test_update);
    libvirtd_add_func("/libvirtd/config/capacity", test_capacity);
    libvirtd_add_func("/libvirtd/config/capacity-of-stuck", test_capacity_of_stuck);
    libvirtd_add_func("/libvirtd/config/refused", test_refused);
    libvirtd_add_func("/libvirtd/config/texts", test_texts);
    libvirtd_add_func("/libvirtd/config/host", test_host);
    return g_test_run();
}
