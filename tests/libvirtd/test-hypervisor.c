/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The calls to libvirt themselves, without the service: what they change is what virsh shows, and
 * libvirt's events come with what they tell.
 */

#include "hypervisor-block-job.h"
#include "hypervisor-device.h"
#include "hypervisor-domain.h"
#include "hypervisor-events.h"
#include "hypervisor-guest.h"
#include "hypervisor-host.h"
#include "hypervisor-stats.h"
#include "hypervisor-storage.h"

#include "libvirtd.h"

#include <string.h>

#define UUID       "7b5f0c52-6a0e-4f4e-9a51-0d6d0c3a1f01"
#define MAC        "52:54:00:11:22:33"
#define DIR        "/run/vms/images"
#define EVENT_WAIT (60 * G_USEC_PER_SEC)

/* --- the world ---------------------------------------------------------------------------- */

static struct {
    Hypervisor *h;
    GAsyncQueue *events;
} test;

static Error *error; /* of the last call */

static void
on_event(HypervisorEvent *event)
{
    g_async_queue_push(test.events, event);
}

static void
on_lost(HypervisorLoss *loss)
{
    g_free(loss);
}

static const HypervisorWatcher watcher = {.event = on_event, .lost = on_lost};

static void
set_up(void)
{
    Status why;

    test.events = g_async_queue_new_full(g_free);
    test.h = hypervisor_open("qemu:///system", &why, &error);
    g_assert_nonnull(test.h);
    g_assert_true(hypervisor_watch(test.h, &watcher, NULL, 7, &error));
}

static void
tear_down(void)
{
    hypervisor_unwatch(test.h);
    hypervisor_close(g_steal_pointer(&test.h));
    g_clear_pointer(&test.events, g_async_queue_unref);
}

/* A call that has to succeed, and one that has to fail in this way. */
#define assert_done(call)                                                                          \
    G_STMT_START                                                                                   \
    {                                                                                              \
        if (!(call))                                                                               \
            g_error("%s: %s", #call, error->message);                                              \
        g_assert_null(error);                                                                      \
    }                                                                                              \
    G_STMT_END

static void
assert_refused(bool done, ErrorKind kind, const char *words)
{
    g_assert_false(done);
    if (error->kind != kind || !strstr(error->message, words))
        g_error("expected kind %d with \"%s\", got kind %d: %s", kind, words, error->kind,
                error->message);
    g_clear_pointer(&error, error_free);
}

static HypervisorEvent *
wait_event(HypervisorEventKind kind)
{
    for (;;) {
        HypervisorEvent *event = g_async_queue_timeout_pop(test.events, EVENT_WAIT);

        if (!event)
            g_error("no event of kind %d", kind);
        if (event->kind == kind) {
            g_assert_cmpstr(event->uuid, ==, UUID);
            g_assert_cmpuint(event->generation, ==, 7);
            g_assert_cmpint(ABS(g_get_real_time() - (gint64)event->time), <, EVENT_WAIT);
            return event;
        }
        g_free(event);
    }
}

static void
expect_event(HypervisorEventKind kind, const char *device)
{
    g_autofree HypervisorEvent *event = wait_event(kind);

    g_assert_cmpstr(event->device, ==, device);
}

/* A BIOS that boots from no disk may reset a drive in the middle of a change: there is none. */
static void
define(const char *devices)
{
    g_autofree char *halts =
        g_strdup_printf("<loader type='rom'>%s/halt.rom</loader>", g_getenv("VMS_GUEST_DIR"));

    run(NULL,
        "mkdir -p " DIR "; cat >/run/vms/domain.xml <<'XML'\n"
        "<domain type='qemu'><name>web</name><uuid>" UUID "</uuid><memory unit='MiB'>16</memory>"
        "<vcpu>2</vcpu><os><type arch='x86_64' machine='pc'>hvm</type>%s</os><features><acpi/>"
        "</features><on_crash>preserve</on_crash><devices>%s<video><model type='none'/></video>"
        "</devices></domain>\nXML\n"
        "virsh -q define /run/vms/domain.xml",
        strstr(devices, "'hda'") ? "" : halts, devices);
}

static void
assert_xml(const char *options, const char *part, bool there)
{
    g_autofree char *xml = shell(NULL, "virsh dumpxml %s web", options);

    if ((strstr(xml, part) != NULL) != there)
        g_error("\"%s\" is%s in the XML (%s): %s", part, there ? " not" : "", options, xml);
}

#define DISK(file, target)                                                                         \
    "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='" file "'/>"  \
    "<target dev='" target "' bus='virtio'/></disk>"
#define CDROM                                                                                      \
    "<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><target dev='hdc' "          \
    "bus='ide'/><readonly/></disk>"
#define NIC      "<interface type='user'><mac address='" MAC "'/><model type='virtio'/></interface>"
#define GRAPHICS "<graphics type='vnc' autoport='yes' listen='127.0.0.1' passwd='secret'/>"

static void
begin(const char *devices, bool start)
{
    libvirtd_clean();
    set_up();
    define(devices);
    if (start) {
        run(NULL, "virsh -q start web");
        expect_event(EVENT_STARTED, "");
    }
}

/* --- configuration ------------------------------------------------------------------------ */

static void
test_boot_order(void)
{
    const char *const order[] = {"nic:" MAC, "disk:vda", NULL};
    const char *const unknown[] = {"disk:vdz", NULL};

    run(NULL, "mkdir -p " DIR "; qemu-img create -qf qcow2 " DIR "/a.qcow2 16M");
    begin(DISK(DIR "/a.qcow2", "vda") NIC GRAPHICS, true);
    assert_done(hypervisor_set_boot_order(test.h, UUID, order, &error));
    assert_xml("--inactive", "<boot order='2'/>", true);
    assert_xml("--inactive", "<boot dev=", false);
    assert_xml("", "<boot order=", false);
    assert_xml("--inactive --security-info", "passwd='secret'", true);
    assert_refused(hypervisor_set_boot_order(test.h, UUID, unknown, &error), ERROR_OPERATION_FAILED,
                   "vdz");

    run(NULL, "virsh -q undefine web");
    assert_refused(hypervisor_set_boot_order(test.h, UUID, order, &error), ERROR_INVALID_STATE,
                   "transient");
    tear_down();
}

static void
test_stop_timeout(void)
{
    begin("", true);
    run(NULL,
        "virsh -q metadata web http://unraid.org/vms/1 --key vms --set \"<settings own='x'/>\" "
        "--live --config");
    assert_done(hypervisor_set_stop_timeout(test.h, UUID, 5000000, &error));
    for (unsigned i = 0; i < 2; i++) {
        assert_xml(i ? "--inactive" : "", "stop-timeout-usec=\"5000000\"", true);
        assert_xml(i ? "--inactive" : "", "own=\"x\"", true);
    }
    assert_done(hypervisor_set_stop_timeout(test.h, UUID, 0, &error));
    assert_xml("--inactive", "stop-timeout-usec", false);
    assert_xml("", "own=\"x\"", true);
    tear_down();
}

static void
test_pins(void)
{
    const CpuPin pins[] = {{0, (char *)"0"}, {1, (char *)"0-1,^1"}};
    const CpuPin beyond[] = {{1, (char *)"0"}, {9, (char *)"0"}};
    const CpuPin broken[] = {{0, (char *)"0"}, {1, (char *)"x"}};

    begin("", true);
    assert_done(hypervisor_set_cpu_pins(test.h, UUID, pins, 2, 0, &error));
    assert_xml("", "<vcpupin vcpu='1' cpuset='0'/>", true);
    assert_xml("--inactive", "<vcpupin vcpu='1' cpuset='0'/>", true);
    expect_event(EVENT_CHANGED, "");
    assert_refused(hypervisor_set_cpu_pins(test.h, UUID, beyond, 2, 0, &error),
                   ERROR_OPERATION_FAILED, "vCPU 9: ");
    assert_refused(hypervisor_set_cpu_pins(test.h, UUID, broken, 2, 0, &error), ERROR_INVALID_ARGS,
                   "vCPU 1: ");
    tear_down();
}

/* --- devices ------------------------------------------------------------------------------ */

static void
test_link(void)
{
    begin(NIC, true);
    assert_done(hypervisor_set_link(test.h, UUID, MAC, false, 0, &error));
    assert_xml("", "<link state='down'/>", true);
    assert_xml("--inactive", "<link state='down'/>", true);
    assert_done(hypervisor_set_link(test.h, UUID, MAC, true, AFFECT_LIVE, &error));
    assert_xml("", "<link state='up'/>", true);
    assert_xml("--inactive", "<link state='down'/>", true);
    assert_refused(hypervisor_set_link(test.h, UUID, "52:54:00:00:00:00", true, 0, &error),
                   ERROR_OPERATION_FAILED, "52:54:00:00:00:00");
    tear_down();
}

static void
test_media(void)
{
    begin(CDROM, true);
    run(NULL, "truncate -s 1M " DIR "/one.iso");
    assert_done(hypervisor_change_media(test.h, UUID, "hdc", DIR "/one.iso", false, 0, &error));
    assert_xml("", DIR "/one.iso", true);
    assert_xml("--inactive", DIR "/one.iso", true);
    assert_done(hypervisor_change_media(test.h, UUID, "hdc", "", true, AFFECT_LIVE, &error));
    assert_xml("", DIR "/one.iso", false);
    assert_xml("--inactive", DIR "/one.iso", true);
    assert_refused(
        hypervisor_change_media(test.h, UUID, "hdc", DIR "/none.iso", false, AFFECT_LIVE, &error),
        ERROR_OPERATION_FAILED, "none.iso");
    assert_refused(hypervisor_change_media(test.h, UUID, "hdd", "", false, 0, &error),
                   ERROR_OPERATION_FAILED, "hdd");
    tear_down();
}

static void
test_password(void)
{
    begin(GRAPHICS, true);
    assert_done(hypervisor_set_graphics_password(test.h, UUID, 0, "new&", 0, 0, &error));
    assert_xml("--security-info", "passwd='new&amp;'", true);
    assert_xml("--inactive --security-info", "passwd='new&amp;'", true);
    assert_done(hypervisor_set_graphics_password(test.h, UUID, 0, "", 0, AFFECT_LIVE, &error));
    assert_refused(hypervisor_set_graphics_password(test.h, UUID, 1, "x", 0, 0, &error),
                   ERROR_OPERATION_FAILED, "graphics device 1");
    tear_down();
}

/* A server that was started without one takes one for the next start alone. */
static void
test_password_later(void)
{
    begin("<graphics type='vnc' autoport='yes' listen='127.0.0.1'/>", true);
    assert_done(hypervisor_set_graphics_password(test.h, UUID, 0, "new", 0, 0, &error));
    assert_xml("--security-info", "passwd=", false);
    assert_xml("--inactive --security-info", "passwd='new'", true);
    tear_down();
}

static void
test_host_device(void)
{
    char **pending;

    begin("", false);
    assert_done(hypervisor_attach_host_device(test.h, UUID, "0000:7f:1f.7", 0, &error));
    assert_xml("", "<address domain='0x0000' bus='0x7f' slot='0x1f' function='0x7'/>", true);
    assert_done(hypervisor_detach_host_device(test.h, UUID, "0000:7F:1F.7", 0, &pending, &error));
    g_assert_null(pending);
    assert_xml("", "<hostdev", false);
    assert_refused(hypervisor_detach_host_device(test.h, UUID, "0000:7f:1f.7", 0, &pending, &error),
                   ERROR_OPERATION_FAILED, "0000:7f:1f.7");
    assert_refused(hypervisor_attach_host_device(test.h, UUID, "nonsense", 0, &error),
                   ERROR_INVALID_ARGS, "address");
    tear_down();
}

/* --- disks -------------------------------------------------------------------------------- */

static void
assert_capacity(const char *target, uint64_t bytes)
{
    g_autoptr(DiskCapacities) capacities = hypervisor_disk_capacities(test.h, UUID, NULL, &error);

    g_assert_nonnull(capacities);
    g_assert_cmpint(capacities->state, ==, DOMAIN_RUNNING);
    g_assert_cmpuint(*(uint64_t *)g_hash_table_lookup(capacities->bytes, target), ==, bytes);
    g_assert_true(g_hash_table_contains(capacities->allocated, target));
}

static bool
resize(uint64_t bytes)
{
    g_autofree char *state = shell(NULL, "virsh domstate web");
    uint64_t capacity, now;
    bool done = hypervisor_resize_disk(test.h, UUID, "vda", bytes,
                                       g_str_has_prefix(state, "running"), &capacity, &error);

    if (done) {
        g_assert_cmpuint(capacity, ==, bytes);
        assert_done(hypervisor_get_capacity(test.h, UUID, "vda", &now, &error));
        g_assert_cmpuint(now, ==, bytes);
    }
    return done;
}

static void
test_resize(void)
{
    const uint64_t mib = 1024 * 1024;

    run(NULL, "mkdir -p " DIR "; qemu-img create -qf qcow2 " DIR "/a.qcow2 16M");
    begin(DISK(DIR "/a.qcow2", "vda"), true);
    assert_done(resize(32 * mib));
    assert_capacity("vda", 32 * mib);
    assert_refused(resize(16 * mib), ERROR_INVALID_ARGS, "smaller");
    run(NULL, "virsh -q destroy web");
    assert_refused(resize(64 * mib), ERROR_OPERATION_FAILED, "no volume of an active pool");
    run(NULL, "virsh -q pool-create-as images dir --target " DIR);
    assert_done(resize(64 * mib));
    assert_refused(resize(32 * mib), ERROR_INVALID_ARGS, "smaller");
    run(NULL, "qemu-img info " DIR "/a.qcow2 | grep -q '64 MiB'; virsh -q pool-destroy images");
    tear_down();
}

static void
assert_chain(const char *expected)
{
    g_auto(DiskChain) chain = {NULL};

    assert_done(hypervisor_read_disk_chain(test.h, UUID, "vda", &chain, &error));
    g_assert_true(chain.is_active);
    g_autofree char *joined = g_strjoinv(" ", chain.layers);
    g_assert_cmpstr(joined, ==, expected);
}

static void
expect_block_job(BlockJobType type, BlockJobEvent about)
{
    for (;;) {
        g_autofree HypervisorEvent *event = wait_event(EVENT_BLOCK_JOB);

        g_assert_cmpstr(event->device, ==, "vda");
        g_assert_cmpint(event->job, ==, type);
        if (event->about == about)
            return;
    }
}

static void
begin_with_overlays(void)
{
    run(NULL, "mkdir -p " DIR "; cd " DIR "; rm -f *; qemu-img create -qf qcow2 base.qcow2 16M\n"
              "qemu-io -c 'write 0 4M' base.qcow2 >/dev/null\n"
              "qemu-img create -qf qcow2 -b " DIR "/base.qcow2 -F qcow2 middle.qcow2\n"
              "qemu-img create -qf qcow2 -b " DIR "/middle.qcow2 -F qcow2 top.qcow2\n"
              "qemu-io -c 'write 4M 4M' top.qcow2 >/dev/null");
    begin(DISK(DIR "/top.qcow2", "vda"), true);
    assert_chain(DIR "/top.qcow2 " DIR "/middle.qcow2 " DIR "/base.qcow2");
}

static void
test_commit(void)
{
    const DiskOperationSpec active = {.bandwidth = 0};
    const DiskOperationSpec named = {.top = (char *)DIR "/middle.qcow2",
                                     .base = (char *)DIR "/base.qcow2"};
    const DiskOperationSpec unknown = {.base = (char *)DIR "/other.qcow2"};
    BlockJobInfo info;

    begin_with_overlays();
    assert_done(hypervisor_get_block_job(test.h, UUID, "vda", &info, &error));
    g_assert_cmpint(info.type, ==, BLOCK_JOB_NONE);
    assert_refused(
        hypervisor_start_block_job(test.h, UUID, "vda", BLOCK_JOB_ACTIVE_COMMIT, &unknown, &error),
        ERROR_OPERATION_FAILED, "other.qcow2");

    /* One level of the layer that is written to. */
    assert_done(
        hypervisor_start_block_job(test.h, UUID, "vda", BLOCK_JOB_ACTIVE_COMMIT, &active, &error));
    expect_block_job(BLOCK_JOB_ACTIVE_COMMIT, BLOCK_JOB_READY);
    assert_done(hypervisor_get_block_job(test.h, UUID, "vda", &info, &error));
    g_assert_cmpint(info.type, ==, BLOCK_JOB_ACTIVE_COMMIT);
    g_assert_true(info.ready);
    g_assert_cmpfloat(info.progress, ==, 1);
    assert_done(hypervisor_end_block_job(test.h, UUID, "vda", true, &error));
    expect_block_job(BLOCK_JOB_ACTIVE_COMMIT, BLOCK_JOB_COMPLETED);
    assert_chain(DIR "/middle.qcow2 " DIR "/base.qcow2");

    /* The active layer by its name. */
    assert_done(
        hypervisor_start_block_job(test.h, UUID, "vda", BLOCK_JOB_ACTIVE_COMMIT, &named, &error));
    expect_block_job(BLOCK_JOB_ACTIVE_COMMIT, BLOCK_JOB_READY);
    assert_done(hypervisor_end_block_job(test.h, UUID, "vda", false, &error));
    expect_block_job(BLOCK_JOB_ACTIVE_COMMIT, BLOCK_JOB_CANCELED);
    assert_chain(DIR "/middle.qcow2 " DIR "/base.qcow2");
    tear_down();
}

static void
test_commit_below(void)
{
    const DiskOperationSpec below = {.top = (char *)DIR "/middle.qcow2"};

    begin_with_overlays();
    assert_done(hypervisor_start_block_job(test.h, UUID, "vda", BLOCK_JOB_COMMIT, &below, &error));
    expect_block_job(BLOCK_JOB_COMMIT, BLOCK_JOB_COMPLETED);
    assert_chain(DIR "/top.qcow2 " DIR "/base.qcow2");
    run(NULL, "test -e " DIR "/middle.qcow2"); /* nothing is deleted that was not asked for */
    tear_down();
}

static void
test_pull(void)
{
    const DiskOperationSpec part = {.base = (char *)DIR "/base.qcow2"};
    const DiskOperationSpec whole = {.bandwidth = 1 << 30};
    const DiskOperationSpec fast = {.bandwidth = UINT64_MAX};

    begin_with_overlays();
    assert_done(hypervisor_start_block_job(test.h, UUID, "vda", BLOCK_JOB_PULL, &part, &error));
    expect_block_job(BLOCK_JOB_PULL, BLOCK_JOB_COMPLETED);
    assert_chain(DIR "/top.qcow2 " DIR "/base.qcow2");
    assert_done(hypervisor_start_block_job(test.h, UUID, "vda", BLOCK_JOB_PULL, &whole, &error));
    expect_block_job(BLOCK_JOB_PULL, BLOCK_JOB_COMPLETED);
    assert_chain(DIR "/top.qcow2");
    assert_refused(hypervisor_start_block_job(test.h, UUID, "vda", BLOCK_JOB_PULL, &fast, &error),
                   ERROR_INVALID_ARGS, "bandwidth");
    tear_down();
}

static void
test_copy(void)
{
    const DiskOperationSpec args = {.destination = (char *)DIR "/copy.raw",
                                    .format = (char *)"raw"};
    const DiskOperationSpec over = {.destination = (char *)DIR "/base.qcow2"};

    begin_with_overlays();
    assert_done(hypervisor_start_block_job(test.h, UUID, "vda", BLOCK_JOB_COPY, &args, &error));
    expect_block_job(BLOCK_JOB_COPY, BLOCK_JOB_READY);
    assert_done(hypervisor_end_block_job(test.h, UUID, "vda", false, &error));
    expect_block_job(BLOCK_JOB_COPY, BLOCK_JOB_CANCELED);
    run(NULL, "qemu-img compare -qU " DIR "/copy.raw " DIR "/top.qcow2");
    assert_refused(hypervisor_start_block_job(test.h, UUID, "vda", BLOCK_JOB_COPY, &over, &error),
                   ERROR_OPERATION_FAILED, "already exists");

    run(NULL, "rm " DIR "/copy.raw");
    assert_done(hypervisor_start_block_job(test.h, UUID, "vda", BLOCK_JOB_COPY, &args, &error));
    expect_block_job(BLOCK_JOB_COPY, BLOCK_JOB_READY);
    assert_done(hypervisor_end_block_job(test.h, UUID, "vda", true, &error));
    expect_block_job(BLOCK_JOB_COPY, BLOCK_JOB_COMPLETED);
    assert_chain(DIR "/copy.raw");
    tear_down();
}

/* --- figures ------------------------------------------------------------------------------ */

static const StatsField *
find_field(const StatsRecord *record, const char *name)
{
    for (unsigned i = 0; i < record->fields->len; i++) {
        const StatsField *field = &g_array_index(record->fields, StatsField, i);

        if (g_str_equal(field->name, name))
            return field;
    }
    return NULL;
}

static void
test_stats(void)
{
    const char *const uuids[] = {UUID, "00000000-0000-4000-8000-000000000000", NULL};
    const char *const targets[] = {"vda", NULL};
    uint64_t read;
    uint64_t written;

    begin_with_overlays();
    g_autoptr(GHashTable) running = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) nobody = g_hash_table_new(g_str_hash, g_str_equal);
    g_hash_table_add(running, (gpointer)UUID);
    g_autoptr(GPtrArray) unopened = hypervisor_all_stats(test.h, STATS_ALL, nobody, &error);
    g_assert_null(find_field(unopened->pdata[0], "block.count"));
    g_autoptr(GPtrArray) all = hypervisor_all_stats(test.h, STATS_ALL, running, &error);
    g_assert_cmpuint(all->len, ==, 1);
    g_assert_nonnull(find_field(all->pdata[0], "state.state"));
    g_assert_nonnull(find_field(all->pdata[0], "block.0.rd.bytes"));
    g_autoptr(GPtrArray) some = hypervisor_stats(test.h, uuids, STATS_BLOCK | STATS_STATE, &error);
    g_assert_cmpuint(some->len, ==, 1);
    const StatsField *reads = find_field(some->pdata[0], "block.0.rd.reqs");

    StatsRecord *block = hypervisor_block_stats(test.h, UUID, targets, &error);
    g_assert_nonnull(block);
    g_assert_cmpstr(find_field(block, "block.0.name")->s, ==, "vda");
    g_assert_cmpint(find_field(block, "block.0.rd.reqs")->type, ==, reads->type);
    g_assert_cmpuint(find_field(block, "block.0.rd.reqs")->t, >=, reads->t);
    stats_record_free(block);
    assert_done(hypervisor_block_totals(test.h, UUID, &read, &written, &error));

    run(NULL, "virsh -q destroy web");
    g_autoptr(GPtrArray) off =
        hypervisor_all_stats(test.h, STATS_BLOCK | STATS_STATE, running, &error);
    g_assert_cmpuint(off->len, ==, 1);
    g_assert_nonnull(find_field(off->pdata[0], "state.state"));
    g_assert_null(find_field(off->pdata[0], "block.count"));
    g_autoptr(GPtrArray) none = hypervisor_stats(test.h, uuids, STATS_BLOCK, &error);
    g_assert_cmpuint(none->len, ==, 0);
    g_autoptr(GPtrArray) empty = hypervisor_all_stats(test.h, STATS_BLOCK, running, &error);
    g_assert_cmpuint(empty->len, ==, 1);
    tear_down();
}

static void
test_host(void)
{
    HostInfo info = {0};
    g_autoptr(GBytes) leases = NULL;

    begin("", false);
    assert_done(hypervisor_read_host(test.h, true, &info, &error));
    g_assert_cmpuint(info.cpus, >, 0);
    g_assert_cmpuint(info.memory_bytes, >, 64 << 20);
    g_assert_cmpstr(info.cpu_model, !=, "");
    host_info_clear(&info);
    assert_done(hypervisor_read_leases(test.h, &leases, &error));
    g_assert_null(leases);
    for (HostDeviceKind kind = HOST_DEVICE_PCI; kind <= HOST_DEVICE_USB; kind++) {
        g_autoptr(GPtrArray) devices = NULL;

        assert_done(devices = hypervisor_list_host_devices(test.h, kind, &error));
    }
    tear_down();
}

/* --- events ------------------------------------------------------------------------------- */

/* A disk whose boot sector is this code. */
static void
make_boot_disk(const char *file, const char *code)
{
    run(NULL,
        "mkdir -p " DIR "; truncate -s 0 %s; truncate -s 64M %s\n"
        "printf '%s' | dd of=%s conv=notrunc status=none\n"
        "printf '\\x55\\xaa' | dd of=%s bs=1 seek=510 conv=notrunc status=none",
        file, file, code, file, file);
}

#define BOOT_DISK(file)                                                                            \
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='" file "'/>"    \
    "<target dev='hda' bus='ide'/></disk>"

static void
test_panic(void)
{
    /* mov dx,505h; mov al,1; out dx,al; hlt */
    make_boot_disk(DIR "/panic.img", "\\xba\\x05\\x05\\xb0\\x01\\xee\\xf4\\xeb\\xfd");
    begin(BOOT_DISK(DIR "/panic.img") "<panic model='isa'/>", true);
    expect_event(EVENT_PANICKED, "");
    run(NULL, "virsh -q destroy web");
    expect_event(EVENT_STOPPED, "");
    tear_down();
}

static void
test_no_space(void)
{
    /* It writes the disk from sector 64 on, for ever, through the BIOS. */
    make_boot_disk(
        "/run/vms/fill.img",
        "\\x31\\xc0\\x8e\\xd8\\x8e\\xd0\\xbc\\x00\\x7c\\xbe\\x1a\\x7c\\xb4\\x43\\xb0\\x00"
        "\\xcd\\x13\\x66\\x83\\x06\\x22\\x7c\\x40\\xeb\\xef\\x10\\x00\\x40\\x00\\x00\\x80"
        "\\x00\\x00\\x40\\x00\\x00\\x00\\x00\\x00\\x00\\x00");
    run(NULL, "mkdir -p /run/vms/full; mount -t tmpfs -o size=1m tmpfs /run/vms/full\n"
              "cp --sparse=always /run/vms/fill.img /run/vms/full/");
    begin(BOOT_DISK("/run/vms/full/fill.img"), true);
    g_autofree HypervisorEvent *event = wait_event(EVENT_NO_SPACE);
    g_assert_cmpstr(event->device, ==, "ide0-0-0");
    g_assert_false(event->reported);
    g_autofree char *target = NULL;
    assert_done(hypervisor_find_disk(test.h, UUID, event->device, &target, &error));
    g_assert_cmpstr(target, ==, "hda");
    run(NULL, "virsh -q resume web");
    expect_event(EVENT_RESUMED, "");
    expect_event(EVENT_NO_SPACE, "ide0-0-0");
    run(NULL, "virsh -q destroy web");
    tear_down();
}

static void
test_lifecycle(void)
{
    begin("", true);
    run(NULL, "virsh -q suspend web; virsh -q resume web");
    expect_event(EVENT_RESUMED, "");
    run(NULL, "virsh -q reset web");
    expect_event(EVENT_REBOOTED, "");
    run(NULL, "virsh -q destroy web");
    expect_event(EVENT_STOPPED, "");
    tear_down();
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    libvirtd_need();
    g_assert_true(hypervisor_library_start(&error));
    g_test_add_func("/hypervisor/boot-order", test_boot_order);
    g_test_add_func("/hypervisor/stop-timeout", test_stop_timeout);
    g_test_add_func("/hypervisor/pins", test_pins);
    g_test_add_func("/hypervisor/link", test_link);
    g_test_add_func("/hypervisor/media", test_media);
    g_test_add_func("/hypervisor/password", test_password);
    g_test_add_func("/hypervisor/password-later", test_password_later);
    g_test_add_func("/hypervisor/host-device", test_host_device);
    g_test_add_func("/hypervisor/resize", test_resize);
    g_test_add_func("/hypervisor/commit", test_commit);
    g_test_add_func("/hypervisor/commit-below", test_commit_below);
    g_test_add_func("/hypervisor/pull", test_pull);
    g_test_add_func("/hypervisor/copy", test_copy);
    g_test_add_func("/hypervisor/stats", test_stats);
    g_test_add_func("/hypervisor/host", test_host);
    g_test_add_func("/hypervisor/lifecycle", test_lifecycle);
    g_test_add_func("/hypervisor/panic", test_panic);
    g_test_add_func("/hypervisor/no-space", test_no_space);
    int status = g_test_run();
    hypervisor_library_stop();
    return status;
}
