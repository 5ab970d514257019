/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* examples/restrict-reading.conf beside the policy that is installed, on both buses: nothing of the
 * service reaches those who are not of the group. */

#include "service.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
/* A group that every system has, in the place of the example's, and a user of this name. */
#define READERS        "games"

static char *
policies(void)
{
    g_autofree char *example =
        g_build_filename(g_getenv("VMS_TESTS"), "../examples/restrict-reading.conf", NULL);
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents(example, &text, NULL, NULL));
    const char *policy = strstr(text, "  <policy ");
    const char *end = strstr(text, "</busconfig>");
    g_autofree char *own = g_strndup(policy, end - policy);
    g_auto(GStrv) around_group = g_strsplit(own, "group=\"libvirt\"", -1);
    g_assert_cmpuint(g_strv_length(around_group), ==, 2);
    return g_strdup_printf("<include>%s/dbus/org.unraid.Vms.conf</include>%sgroup=\"" READERS
                           "\"%s",
                           g_getenv("VMS_BUILD"), around_group[0], around_group[1]);
}

/* A dbus-daemon looks at the groups of the process, and one of dbus 1.12 at those of the user. */
static Client *
client_of_group(World *w, uid_t uid, gid_t gid)
{
    g_assert_cmpint(setegid(gid), ==, 0);
    Client *c = client_new_as(w, uid);
    g_assert_cmpint(setegid(0), ==, 0);
    return c;
}

static int
on_signal(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    ++*(unsigned *)userdata;
    return 0;
}

static void
count_signals(Client *c, unsigned *n)
{
    g_assert_cmpint(sd_bus_add_match(c->bus, NULL,
                                     "type='signal',path_namespace='" VMS_ROOT_PATH "'", on_signal,
                                     n),
                    >=, 0);
}

/* The bus delivers in order: with its answer has come all that it had for the client. */
static void
catch_up(Client *c)
{
    g_autofree char *service = g_steal_pointer(&c->destination);

    c->destination = g_strdup("org.freedesktop.DBus");
    g_autoptr(Call) call =
        client_call(c, "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetId", NULL);
    assert_ok(call);
    g_free(c->destination);
    c->destination = g_steal_pointer(&service);
}

static void
assert_shut_out(Client *c)
{
    g_autoptr(Call) list =
        client_call(c, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "ListDomains", NULL);
    g_autoptr(Call) read = client_call(c, VMS_ROOT_PATH, "org.freedesktop.DBus.ObjectManager",
                                       "GetManagedObjects", NULL);

    assert_error(list, SD_BUS_ERROR_ACCESS_DENIED);
    assert_error(read, SD_BUS_ERROR_ACCESS_DENIED);
}

/* Of the service, or of an instance. */
static void
check(World *w, const char *name)
{
    g_autofree char *option = g_strconcat("--name=", name, NULL);
    unsigned to_reader = 0;
    unsigned to_other = 0;

    world_start(w, "--uri=test:///default", option, NULL);
    g_autoptr(Client) root = client_new(w);
    g_autoptr(Client) reader =
        client_of_group(w, getpwnam(READERS)->pw_uid, getgrnam(READERS)->gr_gid);
    g_autoptr(Client) other = client_of_group(w, ORDINARY_UID, ORDINARY_UID);
    count_signals(reader, &to_reader);
    count_signals(other, &to_other);
    client_wait_available(root, true);
    assert_shut_out(other);
    g_autofree char *path = client_domain(reader, "test");
    catch_up(reader);
    unsigned before = to_reader;
    g_autoptr(Call) pause = client_call(root, path, VMS_DOMAIN_INTERFACE, "Pause", NULL);
    assert_ok(pause);
    wait_for(w, to_reader > before);
    catch_up(other);
    g_assert_cmpuint(to_other, ==, 0);
}

static void
check_both(World *(*new_world)(const char *policy))
{
    static const char *const names[] = {VMS_BUS_NAME, VMS_BUS_NAME ".attic"};
    g_autofree char *policy = policies();

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(World) w = new_world(policy);

        check(w, names[i]);
    }
}

static void
test_daemon(void)
{
    if (can_be_ordinary_user())
        check_both(world_new_with_policy);
}

static void
test_broker(void)
{
    g_autofree char *broker = g_find_program_in_path("dbus-broker-launch");

    if (!can_be_ordinary_user())
        return;
    if (!broker || access(JOURNAL_SOCKET, F_OK) < 0) {
        g_test_skip(broker ? "dbus-broker needs a journal" : "dbus-broker is not installed");
        return;
    }
    check_both(world_new_on_broker);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/restrict-reading/dbus-daemon", test_daemon);
    g_test_add_func("/restrict-reading/dbus-broker", test_broker);
    return g_test_run();
}
