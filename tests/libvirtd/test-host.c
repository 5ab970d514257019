/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The devices of the host, where the part of libvirt that knows them is missing, or hangs: nothing
 * else notices. */

#include "libvirtd-guest.h"

#include <string.h>

#define DRIVERS "$(dirname $(find /usr/lib /usr/lib64 -name libvirt_driver_nodedev.so | head -n 1))"

static Guest *
begin(void)
{
    libvirtd_clean();
    Service *s = service_new("--uri=qemu:///system", NULL);

    guest_define(s->world, "", "web", "bare");
    guest_start(s->world, "web");
    Guest *g = guest_new(s, guest_path(s->world, "web"));
    guest_wait_state(g, "running");
    return g;
}

static Call *
send_get_devices(Guest *g)
{
    return client_send(g->service->client, VMS_ROOT_PATH, VMS_HOST_INTERFACE, "GetDevices", "s",
                       "pci");
}

static void
assert_goes_on(Guest *g)
{
    g_autoptr(Call) pause = guest_operate(g, "Pause");
    g_autoptr(Call) resume = guest_operate(g, "Resume");
    g_autoptr(Call) list = manager_call(g->service, "ListDomains", NULL);
    g_autoptr(Call) stats = manager_call(g->service, "GetStats", "asa{sv}", 0, 0);

    assert_ok(pause);
    assert_ok(resume);
    assert_ok(list);
    assert_ok(stats);
    assert_domain(g, "Available", "true");
}

static void
test_missing(void)
{
    run(NULL, "mkdir -p /run/vms/drivers; cp " DRIVERS "/*.so /run/vms/drivers\n"
              "rm /run/vms/drivers/libvirt_driver_nodedev.so\n"
              "mount --bind /run/vms/drivers " DRIVERS);
    {
        g_autoptr(Guest) g = begin();
        g_autoptr(Call) devices = send_get_devices(g);

        assert_error_says(devices, VMS_ERROR_PREFIX "OperationFailed", "not supported");
        assert_goes_on(g);
    }
    run(NULL, "libvirtd-ctl kill; umount $(findmnt -rno TARGET | grep connection-driver)");
}

static bool
is_listing(Guest *g)
{
    g_autoptr(Call) state =
        client_call(g->service->client, VMS_ROOT_PATH, VMS_DEBUG_INTERFACE, "GetState", NULL);

    assert_ok(state);
    return strstr(state->body, "virConnectListAllNodeDevices") != NULL;
}

/* It asks a program for devices when it starts, and lists none before that has answered. */
static void
test_hangs(void)
{
    run(NULL, "touch /run/vms/hang\n"
              "printf '#!/bin/sh\\nwhile [ -e /run/vms/hang ]; do sleep 0.1; done\\necho []\\n' "
              ">/run/vms/bin/mdevctl\n"
              "chmod +x /run/vms/bin/mdevctl");
    g_autoptr(Guest) g = begin();
    World *w = g->service->world;

    g_autoptr(Call) devices = send_get_devices(g);
    wait_for(w, is_listing(g));
    assert_goes_on(g);
    g_autoptr(Call) more = send_get_devices(g);
    assert_error(devices, VMS_ERROR_PREFIX "Timeout");
    assert_error(more, VMS_ERROR_PREFIX "Timeout");
    assert_goes_on(g);
    run(w, "rm /run/vms/hang");
    g_autoptr(Call) again = send_get_devices(g);
    assert_ok(again);
    run(w, "rm /run/vms/bin/mdevctl");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    libvirtd_need();
    libvirtd_add_func("/libvirtd/host/missing", test_missing);
    libvirtd_add_func("/libvirtd/host/hangs", test_hangs);
    return g_test_run();
}
