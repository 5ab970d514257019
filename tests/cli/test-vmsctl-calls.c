/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The commands with several actions make the right calls, with the right arguments: to a service
 * that notes each call and refuses it.
 */

#include "canonical.h"
#include "fixture.h"

#include <string.h>

#define STUB_PATH    VMS_DOMAIN_PREFIX "/stub"
#define CALLS_MAX    2048
#define WORDS        9
#define CONFIG(call) "Config." call
#define PASSWORD     "open-sesame"

typedef struct Stub {
    World *world;
    Client *client;
    char *called; /* the last call of a domain */
} Stub;

static int
on_get_domain(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    return sd_bus_reply_method_return(m, "o", STUB_PATH);
}

/* The one property that is asked for by itself. */
static int
reply_disks(sd_bus_message *m)
{
    return sd_bus_reply_method_return(m, "v", "aa{sv}", 2, 2, "target", "s", "vda", "capacity", "t",
                                      (uint64_t)1 << 30, 1, "target", "s", "hdc");
}

static int
on_domain(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    Stub *stub = userdata;
    const char *interface = sd_bus_message_get_interface(m);

    if (g_str_equal(interface, "org.freedesktop.DBus.Properties"))
        return reply_disks(m);
    g_autofree char *arguments = canonical_rest(m);
    g_free(stub->called);
    stub->called = g_strdup_printf("%s.%s %s", interface + strlen(VMS_BUS_NAME "."),
                                   sd_bus_message_get_member(m), arguments);
    return sd_bus_error_set(error, VMS_ERROR_PREFIX "InvalidState", "Noted");
}

static const sd_bus_vtable manager_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("GetDomain", "s", "o", on_get_domain, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};
static Stub *
stub_new(void)
{
    Stub *stub = g_new0(Stub, 1);

    stub->world = world_new();
    stub->client = client_new(stub->world);
    sd_bus *bus = stub->client->bus;
    g_assert_cmpint(sd_bus_add_object_vtable(bus, NULL, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE,
                                             manager_vtable, NULL),
                    >=, 0);
    g_assert_cmpint(sd_bus_add_object(bus, NULL, STUB_PATH, on_domain, stub), >=, 0);
    g_assert_cmpint(sd_bus_request_name(bus, VMS_BUS_NAME, 0), >=, 0);
    return stub;
}

static void
stub_free(Stub *stub)
{
    client_free(stub->client);
    world_free(stub->world);
    g_free(stub->called);
    g_free(stub);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Stub, stub_free)

/* Runs vmsctl with these words while the stub answers. */
static Process *
run_words(Stub *stub, const char *const *words)
{
    const char *w[WORDS] = {0};

    for (unsigned i = 0; words[i]; i++)
        w[i] = words[i];
    Process *p =
        spawn_vmsctl(stub->world, w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], NULL);
    wait_ended(stub->world, p);
    return p;
}

#define SNAPSHOT(call) "Snapshots." call
#define STORAGE(call)  "Storage." call

static const struct {
    const char *words[WORDS];
    const char *called;
} calls[] = {
    {{"disk", "web", "media", "hdc", "iso/a b.iso"}, STORAGE("ChangeMedia hdc iso/a b.iso {}")},
    {{"disk", "web", "eject", "hdc", "--force", "--live"},
     STORAGE("ChangeMedia hdc  {\"config\": <false>, \"force\": <true>, \"live\": <true>}")},
    {{"disk", "web", "resize", "vda", "20G"}, STORAGE("Resize vda 21474836480 {}")},
    {{"disk", "web", "resize", "vda", "+5G"}, STORAGE("Resize vda 6442450944 {}")},
    {{"disk", "web", "resize", "vda", "1.5M", "--no-wait"}, STORAGE("Resize vda 1572864 {}")},
    {{"disk", "web", "commit", "vda"}, STORAGE("Commit vda {}")},
    {{"disk", "web", "commit", "vda", "--base=/a", "--top=/b", "--delete", "--bandwidth=2"},
     STORAGE("Commit vda {\"bandwidth\": <2097152>, \"base\": <\"/a\">, \"delete\": <true>, "
             "\"top\": <\"/b\">}")},
    {{"disk", "web", "pull", "vda", "--base=/a"}, STORAGE("Pull vda {\"base\": <\"/a\">}")},
    {{"disk", "web", "copy", "vda", "/b.qcow2", "--format=qcow2", "--pivot"},
     STORAGE("Copy vda /b.qcow2 {\"format\": <\"qcow2\">, \"pivot\": <true>}")},

    {{"device", "web", "attach", "001:004"}, CONFIG("AttachHostDevice 001:004 {}")},
    {{"device", "web", "attach", "0000:01:00.0", "--config"},
     CONFIG("AttachHostDevice 0000:01:00.0 {\"config\": <true>, \"live\": <false>}")},
    {{"device", "web", "detach", "001:004"}, CONFIG("DetachHostDevice 001:004 {}")},
    {{"device", "web", "detach", "52:54:00:AA:bb:cc"},
     CONFIG("DetachDevice "
            "<interface type='user'><mac address='52:54:00:AA:bb:cc'/></interface> {}")},
    {{"device", "web", "link", "52:54:00:aa:bb:cc", "down"},
     CONFIG("SetLink 52:54:00:aa:bb:cc false {}")},
    {{"device", "web", "link", "x\n../y", "up"}, CONFIG("SetLink x\n../y true {}")},

    {{"set", "web", "memory", "2G", "--live"},
     CONFIG("SetMemory 2147483648 {\"config\": <false>, \"live\": <true>}")},
    {{"set", "web", "vcpus", "3"}, CONFIG("SetVCpus 3 {}")},
    {{"set", "web", "pins", "0=0-3,^2", "1="},
     CONFIG("SetCpuPins [(0, \"0-3,^2\"), (1, \"\")] {}")},
    {{"set", "web", "boot-order", "disk:vda", "nic:52:54:00:aa:bb:cc", "hd"},
     CONFIG("SetBootOrder [\"disk:vda\", \"nic:52:54:00:aa:bb:cc\", \"hd\"] {}")},
    {{"set", "web", "stop-timeout", "2min"}, CONFIG("SetStopTimeout 120000000")},
    {{"set", "web", "title", "The web server"}, CONFIG("SetTitle The web server")},
    {{"set", "web", "description", ""}, CONFIG("SetDescription ")},

    {{"snapshot", "web", "create"}, SNAPSHOT("Create  {}")},
    {{"snapshot", "web", "create", "one", "--quiesce", "--memory-file=/m", "--disks=vda,vdb",
      "--disks=vdc"},
     SNAPSHOT("Create one {\"disks\": <[\"vda\", \"vdb\", \"vdc\"]>, \"memory_file\": <\"/m\">, "
              "\"quiesce\": <true>}")},
    {{"snapshot", "web", "revert", "one", "--force", "--paused"},
     SNAPSHOT("Revert one {\"force\": <true>, \"paused\": <true>}")},
    {{"snapshot", "web", "delete", "one", "--children", "--metadata-only"},
     SNAPSHOT("Delete one {\"children\": <true>, \"metadata_only\": <true>}")},
    {{"snapshot", "web", "xml", "one"}, SNAPSHOT("GetXml one")},
    {{"update", "--force", "web", "/dev/null"}, CONFIG("UpdateDevice  {\"force\": <true>}")},
};

static void
test_calls(void)
{
    g_autoptr(Stub) stub = stub_new();

    for (unsigned i = 0; i < G_N_ELEMENTS(calls); i++) {
        g_autoptr(Process) p = run_words(stub, calls[i].words);
        g_autofree char *said = process_stderr(p);

        g_assert_cmpstr(said, ==, "vmsctl: web: Noted\n");
        g_assert_cmpint(process_wait(p, BOUND_MS), ==, INVALID_STATE);
        g_assert_cmpstr(stub->called, ==, calls[i].called);
    }
}

/* Arguments that are wrong: nothing is called. */
static const struct {
    const char *words[WORDS];
    const char *said;
} mistakes[] = {
    {{"disk"}, "Too few arguments; try \"vmsctl disk --help\""},
    {{"disk", "web", "shrink"}, "Unknown action \"shrink\"; try \"vmsctl disk --help\""},
    {{"disk", "web", "list", "vda"}, "Too many arguments; try \"vmsctl disk --help\""},
    {{"disk", "web", "resize", "vda"}, "Too few arguments; try \"vmsctl disk --help\""},
    {{"disk", "web", "resize", "vda", "much"}, "\"much\" is not a size; write MiB, or 512M, 4G"},
    {{"disk", "web", "resize", "vda", "+"}, "\"\" is not a size; write MiB, or 512M, 4G"},
    {{"disk", "web", "pull", "vda", "--bandwidth=x"}, "\"x\" is not a number"},
    {{"disk", "web", "pull", "vda", "--delete"}, "\"disk pull\" takes no option --delete"},
    {{"disk", "web", "--pivot"}, "\"disk list\" takes no option --pivot"},
    {{"disk", "web", "eject", "\xff"}, "An argument is not UTF-8 text"},
    {{"device", "web", "attach"}, "Too few arguments; try \"vmsctl device --help\""},
    {{"device", "web", "link", "52:54:00:aa:bb:cc", "off"},
     "Write \"up\" or \"down\" after the address, not \"off\""},
    {{"device", "web", "--live"}, "\"device list\" takes no option --live"},
    {{"set", "web"}, "Too few arguments; try \"vmsctl set --help\""},
    {{"set", "web", "memory", "-1"}, "Unknown option -1; try \"vmsctl set --help\""},
    {{"set", "web", "pins", "0-3"}, "\"0-3\" is no pin; write VCPU=CPUS, as in 0=2-3,^2"},
    {{"set", "web", "pins", "a=0"}, "\"a=0\" is no pin; write VCPU=CPUS, as in 0=2-3,^2"},
    {{"set", "web", "title", "x", "--live"}, "\"set title\" takes no option --live"},
    {{"set", "web", "stop-timeout", "soon"},
     "\"soon\" is not a time; write seconds, or 500ms, 2min, 1h"},
    {{"set", "web", "password", "first"}, "\"first\" is not a number"},
    {{"set", "web", "password", "0", PASSWORD}, "Too many arguments; try \"vmsctl set --help\""},
    {{"set", "web", "password", "--valid-for=x"},
     "\"x\" is not a time; write seconds, or 500ms, 2min, 1h"},
    {{"rename", "web", "\xff"}, "An argument is not UTF-8 text"},
    {{"snapshot", "web", "revert", "one", "--quiesce"},
     "\"snapshot revert\" takes no option --quiesce"},
    {{"snapshot", "web", "list", "one"}, "Too many arguments; try \"vmsctl snapshot --help\""},
};

static void
test_mistakes(void)
{
    g_autoptr(Stub) stub = stub_new();

    for (unsigned i = 0; i < G_N_ELEMENTS(mistakes); i++) {
        g_autoptr(Process) p = run_words(stub, mistakes[i].words);
        g_autofree char *said = process_stderr(p);
        g_autofree char *expected = g_strdup_printf("vmsctl: %s\n", mistakes[i].said);

        g_assert_cmpstr(said, ==, expected);
        g_assert_cmpint(process_wait(p, BOUND_MS), ==, USAGE);
        g_assert_null(stub->called);
    }
}

/* A size that is added needs one that is known. */
static void
test_unknown_size(void)
{
    static const struct {
        const char *target, *said;
    } sizes[] = {{"hdc", "The size of \"hdc\" is not known; write the new one whole"},
                 {"vdz", "The VM has no disk \"vdz\""}};
    g_autoptr(Stub) stub = stub_new();

    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autoptr(Process) p = run_words(
            stub, (const char *[]){"disk", "web", "resize", sizes[i].target, "+1G", NULL});
        g_autofree char *said = process_stderr(p);
        g_autofree char *expected = g_strdup_printf("vmsctl: web: %s\n", sizes[i].said);

        g_assert_cmpstr(said, ==, expected);
        g_assert_cmpint(process_wait(p, BOUND_MS), ==, FAILED);
        g_assert_null(stub->called);
    }
}

/* --- passwords ---------------------------------------------------------------------------- */

/* Runs a shell's line in which "$VMSCTL" stands for the program. */
static Process *
run_line(Stub *stub, const char *line)
{
    Process *p = process_spawn((const char *const[]){"sh", "-c", line, NULL}, -1);

    wait_ended(stub->world, p);
    return p;
}

/* The first line of standard input, where that is no terminal. */
static void
test_password_piped(void)
{
    static const struct {
        const char *input, *called, *said;
        int status;
    } inputs[] = {
        {"'" PASSWORD "\\nmore\\n'", "Display.SetPassword 1 " PASSWORD " {}", "web: Noted",
         INVALID_STATE},
        {PASSWORD, "Display.SetPassword 1 " PASSWORD " {}", "web: Noted", INVALID_STATE},
        {"'\\n'", "Display.SetPassword 1  {}", "web: Noted", INVALID_STATE},
        {"''", NULL, "No password was given", USAGE},
        {"'a\\0b\\n'", NULL, "The password is not UTF-8 text", USAGE},
        {"'\\377\\n'", NULL, "The password is not UTF-8 text", USAGE},
        {"%05000d 0", NULL, "The password is longer than 1023 bytes", USAGE},
    };
    g_autoptr(Stub) stub = stub_new();

    g_setenv("DBUS_SYSTEM_BUS_ADDRESS", world_address(stub->world), TRUE);
    for (unsigned i = 0; i < G_N_ELEMENTS(inputs); i++) {
        g_autofree char *line =
            g_strdup_printf("printf %s | \"$VMSCTL\" set web password 1", inputs[i].input);
        g_autofree char *expected = g_strdup_printf("vmsctl: %s\n", inputs[i].said);

        g_clear_pointer(&stub->called, g_free);
        g_autoptr(Process) p = run_line(stub, line);
        g_autofree char *said = process_stderr(p);
        g_assert_cmpstr(said, ==, expected);
        g_assert_cmpint(process_wait(p, BOUND_MS), ==, inputs[i].status);
        g_assert_cmpstr(stub->called, ==, inputs[i].called);
    }
}

static Terminal *
ask(World *w)
{
    Terminal *t = terminal_vmsctl(w, "set", "web", "password", NULL);

    terminal_expect(t, "New password for the screen of web: ");
    return t;
}

/* On a terminal it is typed twice, and not shown; the terminal is afterwards as it was. */
static void
test_password_typed(void)
{
    g_autoptr(World) w = world_new();
    static const struct {
        const char *again, *said;
        int status;
    } typed[] = {
        {"other\n", "vmsctl: The two passwords differ; nothing was changed", USAGE},
        {"\003", "vmsctl: Interrupted; nothing was changed", INTERRUPTED},
        {"\004", "vmsctl: No password was given", USAGE},
        /* It gets as far as to the service, which is not there. */
        {PASSWORD "\n", "vmsctl: web: The service cannot be reached", NOT_AVAILABLE},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(typed); i++) {
        g_autoptr(Terminal) t = ask(w);

        terminal_type(t, PASSWORD "\n");
        terminal_expect(t, "Again: ");
        terminal_type(t, typed[i].again);
        terminal_expect(t, typed[i].said);
        g_assert_cmpint(terminal_wait(t), ==, typed[i].status);
        g_assert_true(terminal_is_cooked(t));
        g_assert_null(strstr(terminal_output(t), PASSWORD));
    }
    g_autoptr(Terminal) t = terminal_vmsctl(w, "--no-ask-password", "set", "web", "password", NULL);
    terminal_expect(t, "vmsctl: The password has to come from standard input");
    g_assert_cmpint(terminal_wait(t), ==, USAGE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vmsctl-calls/calls", test_calls);
    g_test_add_func("/vmsctl-calls/mistakes", test_mistakes);
    g_test_add_func("/vmsctl-calls/unknown-size", test_unknown_size);
    g_test_add_func("/vmsctl-calls/password-piped", test_password_piped);
    g_test_add_func("/vmsctl-calls/password-typed", test_password_typed);
    return g_test_run();
}
