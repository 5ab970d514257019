/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.freedesktop.LogControl1, as systemctl service-log-level uses it. */

#include "service.h"

#include <string.h>
#include <unistd.h>

#define PROPERTIES     "org.freedesktop.DBus.Properties"
#define JOURNAL_SOCKET "/run/systemd/journal/socket"

static Call *
set(Client *c, const char *property, const char *type, const char *value)
{
    return client_call(c, LOG_CONTROL_PATH, PROPERTIES, "Set", "ssv", LOG_CONTROL_INTERFACE,
                       property, type, value);
}

#define assert_log(c, property, value)                                                             \
    assert_property(c, LOG_CONTROL_PATH, LOG_CONTROL_INTERFACE, property, value)

static void
test_properties(void)
{
    g_autoptr(Service) s = service_new("--uri=test:///default", "--log-level=error", NULL);

    assert_log(s->client, "LogLevel", "err");
    assert_log(s->client, "LogTarget", "console");
    assert_log(s->client, "SyslogIdentifier", "unraid-vmsd");
}

/* Entries follow the level as soon as it is set. */
static void
test_level(void)
{
    static const char *const levels[] = {"emerg",   "alert",  "crit", "err",
                                         "warning", "notice", "info", "debug"};
    g_autoptr(World) w = world_new();
    g_autoptr(Client) c = NULL;

    world_start(w, "--uri=test:///default", "--log-level=error", NULL);
    c = client_new(w);
    client_wait_available(c, true);
    for (unsigned i = 0; i < G_N_ELEMENTS(levels); i++) {
        g_autoptr(Call) call = set(c, "LogLevel", "s", levels[i]);

        assert_ok(call);
        assert_log(c, "LogLevel", levels[i]);
    }
    g_autoptr(Call) reconnect =
        client_call(c, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "Reconnect", NULL);
    assert_ok(reconnect);
    g_autoptr(Call) quiet = set(c, "LogLevel", "s", "emerg");
    assert_ok(quiet);
    g_autoptr(Call) unheard =
        client_call(c, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "Reconnect", NULL);
    assert_ok(unheard);
    g_autofree char *log = world_stop_log(w);
    const char *connected = strstr(log, "notice: Connected to");
    g_assert_nonnull(connected);
    g_assert_null(strstr(connected + 1, "notice: Connected to"));
}

static void
test_bad_values(void)
{
    g_autoptr(Service) s = service_new("--uri=test:///default", NULL);
    g_autoptr(Call) level = set(s->client, "LogLevel", "s", "error");
    g_autoptr(Call) empty = set(s->client, "LogLevel", "s", "");
    g_autoptr(Call) target = set(s->client, "LogTarget", "s", "kmsg");
    g_autoptr(Call) identifier = set(s->client, "SyslogIdentifier", "s", "sshd");
    g_autoptr(Call) type = client_call(s->client, LOG_CONTROL_PATH, PROPERTIES, "Set", "ssv",
                                       LOG_CONTROL_INTERFACE, "LogLevel", "u", 7);

    assert_error_says(level, SD_BUS_ERROR_INVALID_ARGS, "debug");
    assert_error(empty, SD_BUS_ERROR_INVALID_ARGS);
    assert_error_says(target, SD_BUS_ERROR_INVALID_ARGS, "console");
    assert_error(identifier, SD_BUS_ERROR_PROPERTY_READ_ONLY);
    assert_error(type, SD_BUS_ERROR_INVALID_ARGS);
    assert_log(s->client, "LogLevel", "info");
    assert_log(s->client, "LogTarget", "console");
}

/* Nothing is sent where nothing would be kept. */
static void
test_target(void)
{
    g_autoptr(Service) s = service_new("--uri=test:///default", NULL);

    if (access(JOURNAL_SOCKET, F_OK) == 0) {
        g_test_skip("this machine has a journal");
        return;
    }
    g_autoptr(Call) journal = set(s->client, "LogTarget", "s", "journal");
    assert_error_says(journal, VMS_ERROR_PREFIX "OperationFailed", "no journal");
    g_autoptr(Call) console = set(s->client, "LogTarget", "s", "console");
    assert_ok(console);
}

static void
test_others(void)
{
    g_autoptr(Service) s = NULL;
    g_autoptr(Client) nobody = NULL;

    if (!can_be_ordinary_user())
        return;
    s = service_new("--uri=test:///default", NULL);
    nobody = client_new_as(s->world, ORDINARY_UID);
    g_autoptr(Call) level = set(nobody, "LogLevel", "s", "debug");
    g_autoptr(Call) target = set(nobody, "LogTarget", "s", "console");
    assert_error_says(level, SD_BUS_ERROR_ACCESS_DENIED, "change the log of the service");
    assert_error(target, SD_BUS_ERROR_ACCESS_DENIED);
    assert_log(nobody, "LogLevel", "info");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/log-control/properties", test_properties);
    g_test_add_func("/log-control/level", test_level);
    g_test_add_func("/log-control/bad-values", test_bad_values);
    g_test_add_func("/log-control/target", test_target);
    g_test_add_func("/log-control/others", test_others);
    return g_test_run();
}
