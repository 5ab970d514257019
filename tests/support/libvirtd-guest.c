/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libvirtd-guest.h"

Guest *
guest_new(Service *service, char *path)
{
    Guest *g = g_new0(Guest, 1);

    g->service = service;
    g->path = path;
    return g;
}

Guest *
guest_begin(const char *how, const char *options, const char *mode, const char *edit)
{
    libvirtd_clean();
    Service *s = service_new("--uri=qemu:///system", "--stop-timeout=20", NULL);

    run(s->world, "virsh -q %s <(domain-xml %s web %s | sed -e '%s')", how, options, mode, edit);
    return guest_new(s, guest_path(s->world, "web"));
}

void
guest_free(Guest *g)
{
    assert_equals_virsh(g->service);
    service_free(g->service);
    g_free(g->path);
    g_free(g);
}

void
guest_wait_state(Guest *g, const char *state)
{
    wait_for(g->service->world, mirror_is(g->service->mirror, g->path, "State", state));
}

const char *
guest_get(Guest *g, const char *interface, const char *property)
{
    return mirror_get(g->service->mirror, g->path, interface, property);
}
