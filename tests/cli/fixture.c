/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixture.h"

#include <string.h>

static Service *
service_with(const char *devices)
{
    g_autoptr(Node) node = node_new();

    node_add_domain(node, &(NodeDomain){.name = "web",
                                        .state = "running",
                                        .title = "The web server",
                                        .devices = devices});
    node_add(node, "two words", "paused");
    node_add(node, "off", "shutoff");
    return service_on_node(node, "--stop-timeout=2", NULL);
}

Service *
service_with_three(void)
{
    return service_with(NULL);
}

Service *
service_with_hardware(void)
{
    return service_with("<disk type='file' device='disk'><source file='/disks/web.img'/>"
                        "<target dev='vda' bus='virtio'/></disk>"
                        "<disk type='file' device='cdrom'><target dev='hdc' bus='ide'/></disk>"
                        "<interface type='user'><mac address='52:54:00:11:22:33'/></interface>"
                        "<hostdev mode='subsystem' type='usb'><source>"
                        "<address bus='1' device='4'/></source></hostdev>");
}

void
assert_state(Service *s, const char *name, const char *state)
{
    g_autofree char *path = client_domain(s->client, name);

    wait_for(s->world, mirror_is(s->mirror, path, "State", state));
}

char *
write_file(World *w, const char *name, const char *text)
{
    char *file = g_build_filename(world_directory(w), name, NULL);

    g_assert_true(g_file_set_contents(file, text, -1, NULL));
    return file;
}

void
assert_json(World *w, const char *expression, const char *expected, const char *verb,
            const char *argument)
{
    g_autoptr(Run) json = run_vmsctl(w, "--json", verb, argument, NULL);
    g_autofree char *script =
        g_strdup_printf("import json, sys; x = json.loads(sys.argv[1]); print(%s)", expression);
    g_autoptr(Run) python =
        run_program(w, (const char *const[]){"/usr/bin/python3", "-c", script, json->out, NULL});

    run_assert(python, OK, __FILE__, __LINE__);
    g_assert_cmpstr(g_strchomp(python->out), ==, expected);
}
