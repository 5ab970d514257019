/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The commands that configure. */

#include "fixture.h"

#include <signal.h>
#include <string.h>

static void
test_configure(void)
{
    g_autoptr(Service) s = service_with_three();
    World *w = s->world;
    g_autofree char *xml =
        node_domain_xml(&(NodeDomain){.name = "new", .state = "shutoff", .uuid = NULL});
    g_autofree char *file = write_file(w, "new.xml", xml);
    g_autofree char *bad = write_file(w, "bad.xml", "<nonsense/>");
    g_autofree char *binary = write_file(w, "binary.xml", "\xff\xfe");
    g_autofree char *path = client_domain(s->client, "web");

    assert_prints(w, "", "define", file);
    assert_state(s, "new", "shutoff");
    assert_vmsctl(w, FAILED, "define", bad);
    assert_vmsctl(w, USAGE, "define", binary);
    assert_vmsctl(w, FAILED, "define", "/nonexistent");
    assert_prints(w, "", "undefine", "new");
    assert_vmsctl(w, NO_SUCH_VM, "undefine", "new");

    assert_prints(w, "", "autostart", "web", "off", "on");
    wait_for(w, mirror_is(s->mirror, path, "Autostart", "true"));
    assert_prints(w, "", "autostart", "web", "off");
    wait_for(w, mirror_is(s->mirror, path, "Autostart", "false"));
    assert_vmsctl(w, USAGE, "autostart", "web", "maybe");

    g_autoptr(Run) shown = run_vmsctl(w, "xml", "--inactive", "web", NULL);
    run_assert(shown, OK, __FILE__, __LINE__);
    g_assert_true(g_str_has_prefix(shown->out, "<domain type='test'"));
    g_assert_true(g_str_has_suffix(shown->out, "</domain>\n"));
    assert_prints(w, "", "reconnect");
}

static void
assert_nothing_left(World *w)
{
    g_autoptr(GDir) directory = g_dir_open(world_directory(w), 0, NULL);

    for (const char *name; (name = g_dir_read_name(directory));)
        g_assert_false(g_str_has_prefix(name, "vmsctl-"));
}

static void
test_edit(void)
{
    g_autoptr(Service) s = service_with_three();
    World *w = s->world;
    g_autofree char *path = client_domain(s->client, "off");
    g_autofree char *seen = g_build_filename(world_directory(w), "seen", NULL);
    g_autofree char *look =
        g_strdup_printf("/bin/sh -c 'stat -c %%a \"$1\" >%s; dirname \"$1\" >>%s' -", seen, seen);
    g_autofree char *text = NULL;

    g_setenv("TMPDIR", world_directory(w), TRUE);
    g_setenv("VISUAL", "true", TRUE);
    assert_fails(w, OK, "Nothing was changed.", "edit", "off");
    g_setenv("VISUAL", "sed -i 's|</name>|</name><title>Another title</title>|'", TRUE);
    assert_prints(w, "", "edit", "off");
    wait_for(w, mirror_is(s->mirror, path, "Title", "Another title"));
    g_setenv("VISUAL", "sed -i s/domain/nonsense/", TRUE);
    assert_vmsctl(w, FAILED, "edit", "off");
    g_setenv("VISUAL", "false", TRUE);
    assert_vmsctl(w, FAILED, "edit", "off");
    assert_vmsctl(w, NO_SUCH_VM, "edit", "nobody");

    /* The text may hold passwords: nobody else can read it, and it is not left behind. */
    g_setenv("VISUAL", look, TRUE);
    assert_fails(w, OK, "Nothing was changed.", "edit", "web");
    g_assert_true(g_file_get_contents(seen, &text, NULL, NULL));
    g_assert_true(g_str_has_prefix(text, "600\n"));
    g_assert_nonnull(strstr(text, world_directory(w)));
    assert_nothing_left(w);
    g_unsetenv("VISUAL");
    g_unsetenv("TMPDIR");
}

/* Ends vmsctl with these signals while EDITOR, a shell script, runs and has printed "editing". */
static void
interrupt_edit(World *w, const char *editor, const int *signals)
{
    g_autofree char *quoted = g_shell_quote(editor);
    g_autofree char *command = g_strdup_printf("/bin/sh -c %s -", quoted);

    g_setenv("VISUAL", command, TRUE);
    g_autoptr(Process) edit = spawn_vmsctl(w, "edit", "off", NULL);
    wait_printed(w, edit, "editing");
    for (; *signals; signals++)
        process_signal(edit, *signals);
    g_assert_cmpint(process_wait(edit, BOUND_MS), ==, INTERRUPTED);
    g_autofree char *said = process_stderr(edit);
    g_assert_cmpstr(said, ==, "vmsctl: off: Interrupted; nothing was changed\n");
    assert_nothing_left(w);
}

/* The file with the passwords does not outlive vmsctl, nor does what the editor makes of it. */
static void
test_edit_interrupted(void)
{
    g_autoptr(Service) s = service_with_three();
    World *w = s->world;

    g_setenv("TMPDIR", world_directory(w), TRUE);
    interrupt_edit(w, "cp \"$1\" \"$1.swp\"; echo editing; exec sleep 1000",
                   (const int[]){SIGTERM, 0});
    interrupt_edit(w, "cp \"$1\" \"$1.swp\"; echo editing; exec sleep 1000",
                   (const int[]){SIGHUP, 0});
    /* An editor that does not obey is killed at the second signal. */
    interrupt_edit(w, "trap '' TERM; echo editing; while :; do sleep 0.1; done",
                   (const int[]){SIGTERM, SIGHUP, 0});
    g_unsetenv("VISUAL");
    g_unsetenv("TMPDIR");
}

static void
test_snapshots(void)
{
    g_autoptr(Service) s = service_with_three();
    World *w = s->world;

    assert_prints(w, "NAME  STATE  CURRENT  KIND  CREATED\n", "snapshot", "web");
    assert_prints(w, "", "snapshot", "web", "create", "one", "-d", "before the <upgrade>");
    assert_prints(w, "", "snapshot", "web", "create", "two");
    assert_json(w, "x[0]['Snapshots']['Count']", "2", "status", "web");
    g_autoptr(Run) list = run_vmsctl(w, "snapshot", "web", "list", "--no-legend", NULL);
    g_assert_true(g_regex_match_simple("^one +running +no +.*\\n└─two +running +yes +.*\\n$",
                                       list->out, 0, 0));
    g_autoptr(Run) xml = run_vmsctl(w, "snapshot", "web", "xml", "one", NULL);
    g_assert_nonnull(strstr(xml->out, "before the &lt;upgrade&gt;"));
    assert_prints(w, "", "stop", "web");
    assert_prints(w, "", "snapshot", "web", "revert", "one");
    assert_state(s, "web", "running");
    assert_prints(w, "", "snapshot", "web", "delete", "one", "--children");
    assert_prints(w, "[]\n", "--json", "snapshot", "web");
    assert_vmsctl(w, FAILED, "snapshot", "web", "delete", "one");
    assert_prints(w, "", "snapshot", "web", "create");
    assert_json(w, "x[0]['Snapshots']['Count']", "1", "status", "web");
    assert_vmsctl(w, USAGE, "snapshot", "web", "revert");
    assert_vmsctl(w, USAGE, "snapshot", "web", "list", "one");
    assert_vmsctl(w, USAGE, "snapshot", "web", "remove", "one");
}

static void
test_hardware(void)
{
    g_autoptr(Service) s = service_with_three();
    World *w = s->world;

    assert_vmsctl(w, USAGE, "set-memory", "web", "much");
    assert_vmsctl(w, USAGE, "set-vcpus", "web", "-1");
    assert_vmsctl(w, FAILED, "attach", "web", "/nonexistent");
    assert_vmsctl(w, FAILED, "set-memory", "--config", "off", "1T");
    assert_prints(w, "", "set-vcpus", "--config", "off", "1");
    assert_json(w, "x[0]['Config']['VCpus']", "1", "status", "off");
    assert_prints(w, "", "rename", "off", "away");
    assert_prints(w, "away\ntwo words\nweb\n", "list", "--names");
    assert_vmsctl(w, INVALID_STATE, "rename", "away", "web");
}

static void
test_lists(void)
{
    g_autoptr(Service) s = service_with_hardware();
    World *w = s->world;

    assert_prints(w,
                  "TARGET  DEVICE  BUS     SIZE  FORMAT  SOURCE\n"
                  "vda     disk    virtio     -  -       /disks/web.img\n"
                  "hdc     cdrom   ide        -  -       (empty)\n",
                  "disk", "web");
    assert_prints(w,
                  "nic  52:54:00:11:22:33  -  user   up\n"
                  "usb  1:4                -  host   -\n",
                  "--no-legend", "device", "web", "list");
    assert_json(w, "[d['target'] for d in x]", "['vda', 'hdc']", "disk", "web");
    assert_json(w, "x['Nics'][0]['mac'], x['HostDevices'][0]['address']", "52:54:00:11:22:33 1:4",
                "device", "web");
    assert_prints(w, "TARGET  DEVICE  BUS  SIZE  FORMAT  SOURCE\n", "disk", "off");
    assert_vmsctl(w, NO_SUCH_VM, "disk", "nobody");
    assert_vmsctl(w, NO_SUCH_VM, "device", "nobody");
}

static void
test_set(void)
{
    g_autoptr(Service) s = service_with_hardware();
    World *w = s->world;
    g_autofree char *path = client_domain(s->client, "web");

    assert_prints(w, "", "set", "web", "title", "Another title");
    wait_for(w, mirror_is(s->mirror, path, "Title", "Another title"));
    assert_prints(w, "", "set", "web", "description", "");
    assert_prints(w, "", "set", "web", "stop-timeout", "90s");
    assert_json(w, "x[0]['Config']['StopTimeoutUSec']", "90000000", "status", "web");
    g_autoptr(Run) status = run_vmsctl(w, "status", "web", NULL);
    g_assert_nonnull(strstr(status->out, "   Stop waits: 90 s, then Stop cuts the power\n"));
    assert_prints(w, "", "set", "web", "stop-timeout", "0");
    assert_prints(w, "", "set", "--config", "off", "vcpus", "1");
    assert_prints(w, "", "set", "web", "boot-order", "disk:vda", "nic:52:54:00:11:22:33");
    assert_vmsctl(w, FAILED, "set", "web", "boot-order", "disk:vdz");
    assert_vmsctl(w, USAGE, "set", "off", "pins", "0=nowhere");
    assert_vmsctl(w, FAILED, "set", "off", "memory", "1T");
    assert_vmsctl(w, FAILED, "device", "web", "link", "52:54:00:00:00:00", "up");
    assert_vmsctl(w, FAILED, "disk", "web", "media", "vda", "/a.iso");
    assert_vmsctl(w, USAGE, "disk", "web", "media", "hdc", "gopher://attic/a.iso");
    assert_vmsctl(w, USAGE, "device", "web", "attach", "1:2:3");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vmsctl-configure/configure", test_configure);
    g_test_add_func("/vmsctl-configure/edit", test_edit);
    g_test_add_func("/vmsctl-configure/edit-interrupted", test_edit_interrupted);
    g_test_add_func("/vmsctl-configure/snapshots", test_snapshots);
    g_test_add_func("/vmsctl-configure/hardware", test_hardware);
    g_test_add_func("/vmsctl-configure/lists", test_lists);
    g_test_add_func("/vmsctl-configure/set", test_set);
    return g_test_run();
}
