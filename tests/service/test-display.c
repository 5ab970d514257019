/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Display, and GetStats, as far as the test driver has them: it takes one and the same picture,
 * hears keys, and has no consoles. */

#include "libvirt-version.h"
#include "service.h"
#include "stream.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define INVALID_STATE    VMS_ERROR_PREFIX "InvalidState"
#define OPERATION_FAILED VMS_ERROR_PREFIX "OperationFailed"
#define NO_SUCH_DOMAIN   VMS_ERROR_PREFIX "NoSuchDomain"
#define NOT_SUPPORTED    "this function is not supported by the connection driver: "
#define SEALS            (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

#define display_send(s, path, member, ...)                                                         \
    client_send((s)->client, path, VMS_DISPLAY_INTERFACE, member, __VA_ARGS__)
#define display_call(s, path, member, ...)                                                         \
    client_call((s)->client, path, VMS_DISPLAY_INTERFACE, member, __VA_ARGS__)

static unsigned
count_descriptors(Service *s)
{
    g_autofree char *name =
        g_strdup_printf("/proc/%d/fd", (int)process_pid(world_service(s->world)));
    g_autoptr(GDir) dir = g_dir_open(name, 0, NULL);
    unsigned n = 0;

    while (g_dir_read_name(dir))
        n++;
    return n;
}

static void
test_screenshot(void)
{
    static const char signature[] = "\x89PNG\r\n\x1a\n";
    g_autoptr(Service) s = service_new("--uri=test:///default", NULL);
    g_autofree char *path = client_domain(s->client, "test");
    g_autoptr(Call) call = display_call(s, path, "Screenshot", "u", 0);
    int fd = call_descriptor(call);
    char start[sizeof signature - 1];

    g_assert_cmpstr(call->body, ==, "fd image/png");
    g_assert_cmpint(fcntl(fd, F_GET_SEALS), ==, SEALS);
    g_assert_cmpint(read(fd, start, sizeof start), ==, sizeof start);
    g_assert_cmpmem(start, sizeof start, signature, sizeof start);
    close(fd);
}

static void
take_pictures(Service *s, const char *path)
{
    for (unsigned i = 0; i < 50; i++) {
        g_autoptr(Client) leaving = client_new(s->world);
        G_GNUC_UNUSED g_autoptr(Call) unheard =
            client_send(leaving, path, VMS_DISPLAY_INTERFACE, "Screenshot", "u", 0);
        g_autoptr(Call) heard = display_call(s, path, "Screenshot", "u", 0);
        assert_ok(heard);
    }
}

/* Nothing stays open in the service, whether anybody waits for the answer or not. */
static void
test_descriptors(void)
{
    g_autoptr(Service) s = service_new("--uri=test:///default", NULL);
    g_autofree char *path = client_domain(s->client, "test");

    /* Threads of the service that have just begun open descriptors of their own. */
    take_pictures(s, path);
    unsigned before = count_descriptors(s);

    take_pictures(s, path);
    g_autoptr(Call) last = display_call(s, path, "Screenshot", "u", 0);
    assert_ok(last);
    wait_for(s->world, count_descriptors(s) <= before);
}

static void
test_keys(void)
{
    g_autoptr(Service) s = service_new("--uri=test:///default", NULL);
    g_autofree char *path = client_domain(s->client, "test");
    g_autoptr(Call) key = display_call(s, path, "SendKeys", "saut", "linux", 1, 30, (guint64)10);
    assert_ok(key);
    g_autoptr(Call) most = display_call(s, path, "SendKeys", "saut", "usb", 16, 4, 5, 6, 7, 8, 9,
                                        10, 11, 12, 13, 14, 15, 16, 17, 18, 19, (guint64)0);
    assert_ok(most);
    g_autoptr(Call) unknown =
        display_call(s, path, "SendKeys", "saut", "linux", 1, 100000, (guint64)0);
    assert_error(unknown, OPERATION_FAILED);

    g_autoptr(Call) codeset =
        display_call(s, path, "SendKeys", "saut", "morse", 1, 30, (guint64)10);
    assert_error_says(codeset, SD_BUS_ERROR_INVALID_ARGS, "morse");
    g_autoptr(Call) none = display_call(s, path, "SendKeys", "saut", "linux", 0, (guint64)10);
    assert_error(none, SD_BUS_ERROR_INVALID_ARGS);
    g_autoptr(Call) many = display_call(s, path, "SendKeys", "saut", "usb", 17, 4, 5, 6, 7, 8, 9,
                                        10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, (guint64)0);
    assert_error(many, SD_BUS_ERROR_INVALID_ARGS);

    g_autoptr(Call) long_ =
        display_call(s, path, "SendKeys", "saut", "linux", 1, 30, (guint64)G_MAXUINT64);
    assert_error(long_, SD_BUS_ERROR_INVALID_ARGS);

    g_autoptr(Call) nmi = display_call(s, path, "InjectNmi", NULL);
    assert_ok(nmi);
    g_autoptr(Call) stop = domain_call(s, path, "ForceStop", NULL);
    assert_ok(stop);
    g_autoptr(Call) off = display_call(s, path, "SendKeys", "saut", "linux", 1, 30, (guint64)10);
    assert_error(off, INVALID_STATE);
}

static void
test_password(void)
{
    g_autoptr(Service) s = service_new("--uri=test:///default", NULL);
    g_autofree char *path = client_domain(s->client, "test");
    g_autoptr(Call) none = display_call(s, path, "SetPassword", "usa{sv}", 7, "secret", 0);
    assert_error(none, OPERATION_FAILED);
    g_autoptr(Call) ages = display_call(s, path, "SetPassword", "usa{sv}", 0, "secret", 1,
                                        "valid_for", "t", (guint64)G_MAXUINT64);
    assert_error_says(ages, SD_BUS_ERROR_INVALID_ARGS, "valid_for");
    g_autoptr(Call) neither = display_call(s, path, "SetPassword", "usa{sv}", 0, "secret", 2,
                                           "live", "b", false, "config", "b", false);
    assert_error(neither, SD_BUS_ERROR_INVALID_ARGS);
}

static void
test_unsupported(void)
{
    g_autoptr(Service) s = service_new("--uri=test:///default", NULL);
    g_autofree char *path = client_domain(s->client, "test");
    g_autoptr(Call) console = display_call(s, path, "OpenConsole", "sa{sv}", "", 0);
    assert_error_says(console, OPERATION_FAILED, NOT_SUPPORTED "virDomainOpenConsole");
    g_autoptr(Call) graphics = display_call(s, path, "OpenGraphics", "u", 0);
    /* An older libvirt finds first that the embedded hypervisor passes no descriptors. */
    assert_error_says(graphics, OPERATION_FAILED,
                      libvirt_is_at_least(9, 0) ? NOT_SUPPORTED "virDomainOpenGraphicsFD"
                                                : " is not supported by ");
}

static void
test_graphics(void)
{
    g_autoptr(Node) node = node_new();

    node_add_domain(node, &(NodeDomain){.name = "web",
                                        .state = "running",
                                        .devices = "<graphics type='vnc' port='5901' "
                                                   "websocket='5701' listen='0.0.0.0'/>"});
    node_add(node, "blind", "running");
    g_autoptr(Service) s = service_on_node(node, "--stop-timeout=1", NULL);
    g_autofree char *web = client_domain(s->client, "web");
    g_autofree char *blind = client_domain(s->client, "blind");

    /* Values that are read from the XML may follow later. */
    wait_for(s->world, g_strcmp0(mirror_get(s->mirror, web, VMS_DISPLAY_INTERFACE, "Graphics"),
                                 "[{\"listen\": <\"0.0.0.0\">, \"port\": <5901>, "
                                 "\"type\": <\"vnc\">, \"websocket\": <5701>}]") == 0);
    assert_property(s->client, blind, VMS_DISPLAY_INTERFACE, "Graphics", "[]");
    g_assert_cmpstr(mirror_get(s->mirror, blind, VMS_DISPLAY_INTERFACE, "Graphics"), ==, "[]");
}

/* --- who may --------------------------------------------------------------------------------- */

static void
test_ordinary_user(void)
{
    if (!can_be_ordinary_user())
        return;
    g_autoptr(Service) s = service_new("--uri=test:///default", NULL);
    g_autofree char *path = client_domain(s->client, "test");
    g_autoptr(Client) c = client_new_as(s->world, ORDINARY_UID);
    g_autoptr(Call) screenshot = client_call(c, path, VMS_DISPLAY_INTERFACE, "Screenshot", "u", 0);
    assert_error(screenshot, SD_BUS_ERROR_ACCESS_DENIED);
    g_autoptr(Call) console =
        client_call(c, path, VMS_DISPLAY_INTERFACE, "OpenConsole", "sa{sv}", "", 0);
    assert_error(console, SD_BUS_ERROR_ACCESS_DENIED);
    g_autoptr(Call) graphics = client_call(c, path, VMS_DISPLAY_INTERFACE, "OpenGraphics", "u", 0);
    assert_error(graphics, SD_BUS_ERROR_ACCESS_DENIED);
    g_autoptr(Call) keys = client_call(c, path, VMS_DISPLAY_INTERFACE, "SendKeys", "saut", "linux",
                                       1, 30, (guint64)10);
    assert_error(keys, SD_BUS_ERROR_ACCESS_DENIED);
    g_autoptr(Call) nmi = client_call(c, path, VMS_DISPLAY_INTERFACE, "InjectNmi", NULL);
    assert_error(nmi, SD_BUS_ERROR_ACCESS_DENIED);

    assert_property(c, path, VMS_DISPLAY_INTERFACE, "Graphics", "[]");
    g_autoptr(Call) stats =
        client_call(c, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "GetStats", "asa{sv}", 0, 0);
    if (embedded_has_stats())
        assert_ok(stats);
    else
        assert_error_says(stats, OPERATION_FAILED, NOT_SUPPORTED "virConnectGetAllDomainStats");
}

/* --- GetStats -------------------------------------------------------------------------------- */

static void
test_stats(void)
{
    g_autoptr(Node) node = node_new();

    if (!can_read_embedded_stats())
        return;
    node_add(node, "web", "running");
    node_add(node, "db", "shutoff");
    g_autoptr(Service) s = service_on_node(node, "--stop-timeout=1", NULL);
    g_autofree char *web = client_domain(s->client, "web");
    g_autofree char *db = client_domain(s->client, "db");
    g_autofree char *empty = g_strdup_printf("{\"%s\": {}, \"%s\": {}}", web, db);
    g_autoptr(Call) state = manager_call(s, "GetStats", "asa{sv}", 2, "state", "state", 0);
    assert_ok(state);
    g_autofree char *entry =
        g_strdup_printf("\"%s\": {\"state.reason\": <0>, \"state.state\": <1>}", web);
    g_assert_nonnull(strstr(state->body, entry));
    g_autofree char *other =
        g_strdup_printf("\"%s\": {\"state.reason\": <0>, \"state.state\": <5>}", db);
    g_assert_nonnull(strstr(state->body, other));

    g_autoptr(Call) all = manager_call(s, "GetStats", "asa{sv}", 0, 0);
    assert_ok(all);
    g_assert_cmpstr(all->body, ==, state->body);
    /* Groups that the driver does not know are left out; the domains are listed. */
    g_autoptr(Call) block = manager_call(s, "GetStats", "asa{sv}", 2, "block", "perf", 0);
    assert_ok(block);
    g_assert_cmpstr(block->body, ==, empty);

    g_autoptr(Call) group = manager_call(s, "GetStats", "asa{sv}", 2, "state", "weather", 0);
    assert_error_says(group, SD_BUS_ERROR_INVALID_ARGS, "weather");
    g_autoptr(Call) option =
        manager_call(s, "GetStats", "asa{sv}", 1, "state", 1, "quick", "b", true);
    assert_error_says(option, SD_BUS_ERROR_INVALID_ARGS, "quick");
}

/* Each call is answered, about objects that exist, while domains come and go. */
static void
test_stats_at_once(void)
{
    enum { CALLS = 300, EVERY = 50 };
    static const char *const groups[] = {"state", "cpu", "balloon"};

    if (!can_read_embedded_stats())
        return;
    g_autoptr(Service) s = service_new("--uri=test:///default", NULL);
    Call *defines[CALLS / EVERY];
    Call *calls[CALLS];

    for (unsigned i = 0; i < CALLS; i++) {
        if (i % EVERY == 0) {
            g_autofree char *name = g_strdup_printf("new%u", i);
            g_autofree char *uuid = node_uuid(i);
            g_autofree char *xml = node_domain_xml(&(NodeDomain){.name = name, .uuid = uuid});
            defines[i / EVERY] = manager_send(s, "DefineDomain", "s", xml);
        }
        calls[i] = manager_send(s, "GetStats", "asa{sv}", 1, groups[i % G_N_ELEMENTS(groups)], 0);
    }
    for (unsigned i = 0; i < CALLS; i++) {
        assert_ok(calls[i]);
        call_free(calls[i]);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(defines); i++) {
        assert_ok(defines[i]);
        call_free(defines[i]);
    }
    g_autoptr(Call) last = manager_call(s, "GetStats", "asa{sv}", 1, "state", 0);
    assert_ok(last);
    g_autofree char *uuid = node_uuid(250);
    g_autofree char *path = domain_path(uuid);
    g_assert_nonnull(strstr(last->body, path));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/service/display/screenshot", test_screenshot);
    g_test_add_func("/service/display/descriptors", test_descriptors);
    g_test_add_func("/service/display/keys", test_keys);
    g_test_add_func("/service/display/password", test_password);
    g_test_add_func("/service/display/unsupported", test_unsupported);
    g_test_add_func("/service/display/graphics", test_graphics);
    g_test_add_func("/service/display/ordinary-user", test_ordinary_user);
    g_test_add_func("/service/stats/groups", test_stats);
    g_test_add_func("/service/stats/at-once", test_stats_at_once);
    return g_test_run();
}
