/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * When a run began, and the parts of a configuration that are rarely changed, of real guests: what
 * others change with virsh is shown, at once or as pending.
 */

#include "libvirtd-guest.h"

#include <string.h>

#define USEC_PER_SEC G_GUINT64_CONSTANT(1000000)

/* --- the start of a run ----------------------------------------------------------------------- */

static guint64
started_at(Guest *g)
{
    return g_ascii_strtoull(guest_get(g, VMS_DOMAIN_INTERFACE, "StartedAt"), NULL, 10);
}

/* Between two looks at the clock, which may have been set a little. */
static void
assert_started_since(Guest *g, gint64 begin)
{
    g_assert_cmpuint(started_at(g), >=, (guint64)begin - 2 * USEC_PER_SEC);
    g_assert_cmpuint(started_at(g), <=, (guint64)g_get_real_time() + 2 * USEC_PER_SEC);
}

static void
test_started_at(void)
{
    g_autoptr(Guest) g = guest_begin("define", "", "bare", "");
    World *w = g->service->world;
    gint64 begin = g_get_real_time();

    assert_domain(g, "StartedAt", "0");
    guest_start(w, "web");
    guest_wait_state(g, "running");
    wait_for(w, started_at(g) > 0);
    assert_started_since(g, begin);
    guint64 first = started_at(g);

    /* The process stays the same. */
    run(w, "virsh -q reset web; virsh -q suspend web");
    guest_wait_state(g, "paused");
    g_assert_cmpuint(started_at(g), ==, first);
    run(w, "libvirtd-ctl restart");
    client_wait_available(g->service->client, true);
    g_assert_cmpuint(started_at(g), ==, first);
    /* Another process of the service was not there at the event: it has the time of the PID file.
     */
    guest_restart_service(g);
    wait_for(w, started_at(g) > 0);
    assert_started_since(g, begin);
    g_assert_cmpuint(started_at(g), <=, first + 2 * USEC_PER_SEC);

    run(w, "virsh -q destroy web");
    guest_wait_state(g, "shutoff");
    assert_domain(g, "StartedAt", "0");
    begin = g_get_real_time();
    guest_start(w, "web");
    guest_wait_state(g, "running");
    wait_for(w, started_at(g) > 0);
    assert_started_since(g, begin);
    g_assert_cmpuint(started_at(g), >, first);
}

/* --- the configuration ------------------------------------------------------------------------ */

#define MAC "52:54:00:aa:bb:01"

/* An edit of the XML, and the property that follows from it, also as a part of Next. */
static const struct {
    const char *property, *edit, *value, *part;
} changes[] = {
    {"Machine", "s|machine='[^']*'|machine='pc-i440fx-6.2'|", "pc-i440fx-6.2",
     "\"Machine\": <\"pc-i440fx-6.2\">"},
    {"Firmware", "s|</os>|<loader readonly='yes' type='pflash'>/run/vms/efi</loader>&|", "efi",
     "\"Firmware\": <\"efi\">"},
    {"Architecture", "s|arch='x86_64'|arch='i686'|", "i686", "\"Architecture\": <\"i686\">"},
    {"BootOrder", "s|</interface>|<boot order='1'/>&|;/<boot dev/d", "[\"nic:" MAC "\"]",
     "\"BootOrder\": <[\"nic:" MAC "\"]>, \"Nics\": <[{\"boot\": <1>, \"link\": <true>, "
     "\"mac\": <\"" MAC "\">, \"model\": <\"virtio\">, \"type\": <\"user\">}]>"},
    {"HostDevices",
     "s|</devices>|<hostdev mode='subsystem' type='pci' managed='no'><source>"
     "<address domain='0' bus='0x7f' slot='0x1f' function='7'/></source></hostdev>&|",
     "[{\"address\": <\"0000:7f:1f.7\">, \"type\": <\"pci\">}]",
     "\"HostDevices\": <[{\"address\": <\"0000:7f:1f.7\">, \"type\": <\"pci\">}]>"},
    {"StopTimeoutUSec",
     "s|<os>|<metadata><vms:settings xmlns:vms='http://unraid.org/vms/1' "
     "stop-timeout-usec='90000000'/></metadata>&|",
     "90000000", "\"StopTimeoutUSec\": <90000000>"},
    {"CpuPins", "s|<os>|<cputune><vcpupin vcpu='0' cpuset='0'/></cputune>&|", "[(0, \"0\")]",
     "\"CpuPins\": <[(0, \"0\")]>"},
};

static bool
config_is(Guest *g, const char *property, const char *value)
{
    return g_strcmp0(guest_get(g, VMS_CONFIG_INTERFACE, property), value) == 0;
}

static Guest *
guest_to_change(void)
{
    run(NULL, "touch /run/vms/efi");
    Guest *g = guest_begin("define", "--nic", "bare",
                           "/<loader/d;s|model type=.virtio|mac address=\"" MAC "\"/><&|");

    run(g->service->world, "virsh dumpxml --inactive web >/run/vms/web.xml");
    return g;
}

static void
define(Guest *g, const char *edit)
{
    run(g->service->world,
        "cat >/run/vms/edit <<'SED'\n%s\nSED\n"
        "virsh -q define <(sed -f /run/vms/edit /run/vms/web.xml)",
        edit);
}

/* Of one that is off they are the configuration. */
static void
test_off(void)
{
    g_autoptr(Guest) g = guest_to_change();

    for (unsigned i = 0; i < G_N_ELEMENTS(changes); i++) {
        const char *property = changes[i].property;
        g_autofree char *before = g_strdup(guest_get(g, VMS_CONFIG_INTERFACE, property));

        g_test_message("%s, which is %s", property, before);
        g_assert_cmpstr(before, !=, changes[i].value);
        define(g, changes[i].edit);
        wait_for(g->service->world, config_is(g, property, changes[i].value));
        define(g, "");
        wait_for(g->service->world, config_is(g, property, before));
        g_assert_true(config_is(g, "Next", "{}"));
        mirror_check(g->service->mirror);
    }
}

static bool
is_pending(Guest *g, const char *part)
{
    g_autofree char *next = g_strdup_printf("{%s}", part);

    return config_is(g, "Next", next);
}

/* Of one that runs they are what comes with its next start, and nothing else is. */
static void
test_pending(void)
{
    g_autoptr(Guest) g = guest_to_change();

    guest_start(g->service->world, "web");
    guest_wait_state(g, "running");
    for (unsigned i = 0; i < G_N_ELEMENTS(changes); i++) {
        const char *property = changes[i].property;
        g_autofree char *before = g_strdup(guest_get(g, VMS_CONFIG_INTERFACE, property));

        g_test_message("%s, which is %s", property, before);
        define(g, changes[i].edit);
        wait_for(g->service->world, is_pending(g, changes[i].part));
        g_assert_true(config_is(g, property, before));
        define(g, "");
        wait_for(g->service->world, config_is(g, "Next", "{}"));
        mirror_check(g->service->mirror);
    }
    /* With the next start it is what the domain has. */
    define(g, changes[0].edit);
    wait_for(g->service->world, is_pending(g, changes[0].part));
    run(g->service->world, "virsh -q destroy web");
    guest_wait_state(g, "shutoff");
    wait_for(g->service->world, config_is(g, changes[0].property, changes[0].value));
    g_assert_true(config_is(g, "Next", "{}"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    libvirtd_need();
    libvirtd_add_func("/libvirtd/shown/started-at", test_started_at);
    libvirtd_add_func("/libvirtd/shown/off", test_off);
    libvirtd_add_func("/libvirtd/shown/pending", test_pending);
    return g_test_run();
}
