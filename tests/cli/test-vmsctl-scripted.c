/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* vmsctl with a service that says what no hypervisor of the tests says: figures, hostile texts. */

#include "run.h"
#include "scripted.h"

#include <string.h>

#define WEB VMS_DOMAIN_PREFIX "/c0de0000_0000_4000_8000_000000000000"
#define DB  VMS_DOMAIN_PREFIX "/c0de0001_0000_4000_8000_000000000001"
#define GIB "1073741824"

#define DOMAIN(name, uuid, state, id)                                                              \
    "'org.unraid.Vms.Domain': {'Name': <" name ">, 'Uuid': <'" uuid "'>, 'State': <'" state        \
    "'>, 'Id': <" id ">, 'Title': <''>, 'Job': <objectpath '/'>, 'Available': <true>"
#define CONFIG                                                                                     \
    "'org.unraid.Vms.Config': {'VCpus': <uint32 4>, 'MaxVCpus': <uint32 4>, 'MemoryBytes': "       \
    "<uint64 4294967296>, 'MaxMemoryBytes': <uint64 4294967296>"

#define MANAGER                                                                                    \
    {                                                                                              \
        "GetAll org.unraid.Vms.Manager", "(a{sv})",                                                \
            "({'Available': <true>, 'Status': <'available'>, 'StatusMessage': <''>},)"             \
    }
#define OBJECTS(web, db)                                                                           \
    {                                                                                              \
        "GetManagedObjects", "(a{oa{sa{sv}}})",                                                    \
            "({'" WEB                                                                              \
            "': {" DOMAIN("'web'", "c0de0000-0000-4000-8000-000000000000", "running", "1") web     \
            "}, '" DB "': {" DOMAIN("'d\\u001b[31mb'", "c0de0001-0000-4000-8000-000000000001",     \
                                    "running", "2") db "}},)"                                      \
    }

static const ScriptLine top_script[] = {
    MANAGER,
    OBJECTS("}, " CONFIG "}", "}, " CONFIG "}"),
    {"SubscribeUsage", "(t)", "(60000000,)"},
    {"Usage", "(ta{oa{sv}})",
     "(7, {'" WEB "': {'stale': <false>, 'cpu': <2.0>, 'memory_used': <uint64 " GIB
     ">, 'disk_read': <1536.0>, 'disk_write': <0.0>}, '" DB "': {'stale': <true>}})"},
    {NULL, NULL, NULL},
};

static void
test_top(void)
{
    g_autoptr(World) w = world_new();
    g_autoptr(Scripted) scripted = scripted_new(w, top_script);

    assert_prints(w,
                  "NAME        STATE       CPU%  LOAD        VCPUS  MEMORY  READ/s  WRITE/s  RX/s  "
                  "TX/s\n"
                  "web         running    200.0  █████░░░░░      4   1G/4G    1.5K       0B     -  "
                  "   -\n"
                  "d\\x1b[31mb  no answer      -  -               4    -/4G       -        -     -"
                  "     -\n",
                  "top", "-n1");
    assert_prints(w,
                  "{\"timestamp\":7,\"usage\":{\"" WEB
                  "\":{\"vm\":\"web\",\"stale\":false,\"cpu\":2,\"memory_used\":" GIB
                  ",\"disk_read\":1536,\"disk_write\":0},\"" DB
                  "\":{\"vm\":\"d\\u001b[31mb\",\"stale\":true}}}\n",
                  "top", "-n1", "--json");
    assert_fails(w, USAGE,
                 "vmsctl: \"disk\" is not a column; the columns are: name, state, cpu, load, "
                 "vcpus, memory, read, write, rx, tx",
                 "top", "--sort=disk");
}

/* Keys sort; the terminal is left as it was. */
static void
test_top_keys(void)
{
    g_autoptr(World) w = world_new();
    g_autoptr(Scripted) scripted = scripted_new(w, top_script);
    g_autoptr(Terminal) top = terminal_vmsctl(w, "top", NULL);

    terminal_expect(top, "Every 2 s, by cpu\r\n");
    terminal_expect(top, "█████░░░░░");
    terminal_expect(top, "q quit  n name  s state  c cpu");
    g_assert_false(terminal_is_cooked(top));
    terminal_type(top, "n");
    terminal_expect(top, "Every 2 s, by name\r\n");
    terminal_expect(top, "d\\x1b[31mb");
    terminal_expect(top, "web");
    terminal_type(top, "n");
    terminal_expect(top, "Every 2 s, by name, reversed\r\n");
    terminal_expect(top, "web");
    terminal_expect(top, "no answer");
    terminal_type(top, "q");
    g_assert_cmpint(terminal_wait(top), ==, OK);
    g_assert_true(terminal_is_cooked(top));
    g_assert_null(strstr(terminal_output(top), "\033[31mb"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vmsctl-scripted/top", test_top);
    g_test_add_func("/vmsctl-scripted/top-keys", test_top_keys);
    return g_test_run();
}
