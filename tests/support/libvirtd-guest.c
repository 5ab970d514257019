/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libvirtd-guest.h"

#define URI          "--uri=qemu:///system"
#define STOP_TIMEOUT "--stop-timeout=20"

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
    Service *s = service_new(URI, STOP_TIMEOUT, NULL);

    run(s->world, "virsh -q %s <(domain-xml %s web %s | sed -e '%s')", how, options, mode, edit);
    Guest *g = guest_new(s, guest_path(s->world, "web"));
    wait_for(s->world, mirror_has(s->mirror, g->path, VMS_DOMAIN_INTERFACE));
    return g;
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
guest_restart_service(Guest *g)
{
    Service *s = g->service;

    g_clear_pointer(&s->mirror, mirror_free);
    world_stop(s->world);
    world_start(s->world, URI, STOP_TIMEOUT, NULL);
    client_wait_available(s->client, true);
    s->mirror = mirror_new(s->client);
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
