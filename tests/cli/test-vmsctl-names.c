/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Names that look like something else (an option, a number, a keyword, a UUID), UUIDs in every
 * spelling, with every command that takes a VM; and that no command prints them raw on a terminal.
 */

#include "fixture.h"
#include "libvirt-version.h"

#include <string.h>

#define OTHER_UUID "c0de0099-0000-4000-8000-000000000099"
#define REVERSED   "\u202egnp.nimda"
#define CONTROL    "\xc2\x9b" /* U+009B starts an escape sequence */

static const char *const names[] = {
    "虚拟机-测试 🐧",
    REVERSED,
    "-help",
    "--",
    "12",
    "off",
    "list",
    "  two  spaces ",
    "über&<unter>'\"\\$(id)%s",
    "c1" CONTROL "2J",
    "other",
    OTHER_UUID, /* the name of one, and the UUID of "other" */
};
#define OTHER    10
#define IMPOSTOR 11

static Service *
service_with_names(const char *state)
{
    g_autoptr(Node) node = node_new();

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
        node_add_domain(node, &(NodeDomain){.name = names[i],
                                            .state = state,
                                            .uuid = i == OTHER ? OTHER_UUID : NULL});
    return service_on_node(node, "--stop-timeout=2", NULL);
}

/* A name means its VM unless another VM has it as its UUID. */
static char *
word_for(unsigned place)
{
    return place == IMPOSTOR ? node_uuid(place) : g_strdup(names[place]);
}

static void
assert_each(World *w, const char *verb, const char *last)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *word = word_for(i);
        g_autoptr(Run) run = run_vmsctl(w, verb, "--", word, last, NULL);

        g_test_message("%s %s", verb, word);
        run_assert(run, OK, __FILE__, __LINE__);
        g_assert_cmpstr(run->err, ==, "");
    }
}

static void
test_operate(void)
{
    g_autoptr(Service) s = service_with_names("shutoff");
    World *w = s->world;

    assert_each(w, "start", NULL);
    assert_each(w, "pause", NULL);
    assert_each(w, "resume", NULL);
    assert_each(w, "reboot", NULL);
    assert_each(w, "reset", NULL);
    assert_each(w, "save", NULL);
    assert_each(w, "discard", NULL);
    assert_each(w, "start", NULL);
    assert_each(w, "stop", NULL);
    assert_each(w, "start", NULL);
    assert_each(w, "force-stop", NULL);
    /* All of them on one line. */
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
        assert_state(s, names[i], "shutoff");
}

static void
test_others(void)
{
    g_autoptr(Service) s = service_with_names("running");
    World *w = s->world;
    g_autofree char *file = write_file(w, "none.xml", "<none/>");

    assert_each(w, "list", NULL);
    assert_each(w, "status", NULL);
    assert_each(w, "autostart", "on");
    assert_each(w, "autostart", "off");
    assert_each(w, "xml", NULL);
    assert_each(w, "snapshot", "list");
    assert_each(w, "disk", NULL);
    assert_each(w, "device", "list");
    g_setenv("VISUAL", "true", TRUE);
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *word = word_for(i);
        g_autoptr(Run) edit = run_vmsctl(w, "edit", "--", word, NULL);

        run_assert(edit, OK, __FILE__, __LINE__);
        /* These get as far as to the VM, but not beyond. */
        assert_vmsctl(w, FAILED, "attach", "--", word, file);
        assert_vmsctl(w, FAILED, "set-memory", "--live", "--", word, "1T");
        assert_vmsctl(w, FAILED, "set", "--live", "--", word, "memory", "1T");
        assert_vmsctl(w, INVALID_STATE, "rename", "--", word, "other name");
        assert_vmsctl(w, INVALID_STATE, "cancel", "--", word);
    }
    g_unsetenv("VISUAL");
    assert_each(w, "stop", NULL);
    assert_each(w, "undefine", NULL);
    assert_prints(w, "", "list", "--names");
}

/* Commands that get as far as to the VM: what they say then is another test's. */
static const struct {
    const char *verb, *arguments[3];
} reaching[] = {
    {"suspend", {"memory"}},
    {"migrate", {"qemu+tcp://192.0.2.1/system"}},
    {"set-vcpus", {"1"}},
    {"detach", {"none.xml"}},
    {"update", {"none.xml"}},
    {"console", {NULL}},
    {"screenshot", {"/dev/null"}},
    {"send-key", {"a"}},
    {"addresses", {NULL}},
    {"set", {"title", "A title"}},
    {"set memory", {"memory", "1T"}},
    {"set vcpus", {"vcpus", "1"}},
    {"set pins", {"pins", "0=0"}},
    {"set boot-order", {"boot-order", "disk:vdz"}},
    {"set stop-timeout", {"stop-timeout", "5"}},
    {"set title", {"title", "A title"}},
    {"set description", {"description", "A text"}},
    {"set password", {"password"}},
    {"disk", {NULL}},
    {"disk list", {"list"}},
    {"disk media", {"media", "hdz", "/nowhere"}},
    {"disk eject", {"eject", "hdz"}},
    {"disk resize", {"resize", "vdz", "1G"}},
    {"disk commit", {"commit", "vdz"}},
    {"disk pull", {"pull", "vdz"}},
    {"disk copy", {"copy", "vdz", "/nowhere"}},
    {"device", {NULL}},
    {"device list", {"list"}},
    {"device attach", {"attach", "1:1"}},
    {"device detach", {"detach", "1:1"}},
    {"device link", {"link", "52:54:00:00:00:99", "up"}},
    {"snapshot create", {"create"}},
    {"snapshot revert", {"revert", "none"}},
    {"snapshot delete", {"delete", "none"}},
    {"snapshot xml", {"xml", "none"}},
};
static const char *const tested[] = {
    "list",     "status",     "monitor",   "top",        "start",    "stop",
    "pause",    "resume",     "reset",     "reboot",     "save",     "cancel",
    "undefine", "xml",        "edit",      "rename",     "attach",   "discard",
    "define",   "set-memory", "autostart", "force-stop", "snapshot", "snapshot list"};

static bool
is_tested(const char *verb)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(reaching); i++)
        if (g_str_equal(reaching[i].verb, verb))
            return true;
    for (unsigned i = 0; i < G_N_ELEMENTS(tested); i++)
        if (g_str_equal(tested[i], verb))
            return true;
    return false;
}

static void
test_every_command(void)
{
    g_autoptr(Service) s = service_with_names("running");
    static const unsigned places[] = {1, 2, 3, 4, 7, IMPOSTOR};
    World *w = s->world;
    g_autofree char *file = write_file(w, "none.xml", "<none/>");
    g_autoptr(Run) all = run_vmsctl(w, "--completion", NULL);
    g_auto(GStrv) lines = g_strsplit(g_strchomp(all->out), "\n", -1);

    for (char **line = lines; *line; line++) {
        g_auto(GStrv) fields = g_strsplit(*line, "\t", -1);

        if ((strstr(fields[2], "VM") || strstr(fields[2], "PATTERN")) && !is_tested(fields[0]))
            g_error("no test gives \"%s\" these names", fields[0]);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(reaching); i++) {
        g_auto(GStrv) words = g_strsplit(reaching[i].verb, " ", 2);
        const char *const *more = reaching[i].arguments;

        for (unsigned k = 0; k < G_N_ELEMENTS(places); k++) {
            g_autofree char *word = word_for(places[k]);
            const char *first = g_strcmp0(more[0], "none.xml") == 0 ? file : more[0];
            g_autoptr(Run) run = run_vmsctl(w, words[0], "--", word, first, more[1], more[2], NULL);

            g_test_message("%s %s: %d %s", reaching[i].verb, word, run->status, run->err);
            g_assert_cmpint(run->status, !=, NO_SUCH_VM);
            /* It asks for one, and there is no input. */
            if (!strstr(run->err, "password"))
                g_assert_cmpint(run->status, !=, USAGE);
        }
    }
}

/* Those that go on: top ends after its rounds, monitor when it is told to. */
static void
test_followers(void)
{
    g_autoptr(Service) s = service_with_names("running");
    static const unsigned places[] = {1, 2, 3, 4, 7, IMPOSTOR};
    World *w = s->world;

    for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autofree char *word = word_for(places[i]);
        g_autoptr(Run) top = run_vmsctl(w, "top", "-n1", "-d1", "--", word, NULL);

        run_assert(top, OK, __FILE__, __LINE__);
        g_autoptr(Process) monitor = spawn_vmsctl(w, "monitor", "--", word, NULL);
        wait_printed(w, monitor, ": running");
        process_signal(monitor, SIGINT);
        g_assert_cmpint(process_wait(monitor, BOUND_MS), ==, OK);
    }
}

/* A UUID is one in capitals and without its dashes, too, wherever a VM is meant. */
static void
test_uuids(void)
{
    g_autoptr(Service) s = service_with_names("running");
    World *w = s->world;
    const char *const spellings[] = {OTHER_UUID, "C0DE0099-0000-4000-8000-000000000099",
                                     "c0de0099000040008000000000000099",
                                     "C0DE0099000040008000000000000099"};

    for (unsigned i = 0; i < G_N_ELEMENTS(spellings); i++) {
        const char *uuid = spellings[i];

        g_autoptr(Run) status = run_vmsctl(w, "status", uuid, NULL);
        run_assert(status, OK, __FILE__, __LINE__);
        g_assert_nonnull(strstr(status->out, " other\n"));
        assert_prints(w, "", "pause", uuid);
        assert_prints(w, "", "resume", uuid);
        assert_vmsctl(w, INVALID_STATE, "cancel", uuid);
        g_autoptr(Run) list = run_vmsctl(w, "list", "--names", uuid, NULL);
        g_assert_nonnull(strstr(list->out, "other\n"));
    }
    /* The VM with this name is reached by its own UUID. */
    g_autofree char *impostor = node_uuid(IMPOSTOR);
    assert_prints(w, OTHER_UUID "\n", "list", "--names", impostor);
}

/* The command prints nothing that the terminal would act on. */
static void
assert_ends_clean(World *w, int status, const char *verb, const char *option, const char *name)
{
    g_autoptr(Terminal) terminal = terminal_vmsctl(w, verb, option, name, NULL);

    g_assert_cmpint(terminal_wait(terminal), ==, status);
    g_assert_nonnull(strstr(terminal_output(terminal), "gnp.nimda"));
    g_assert_null(strstr(terminal_output(terminal), "\u202e"));
    g_assert_null(strstr(terminal_output(terminal), CONTROL));
}

static void
assert_clean(World *w, const char *verb, const char *option, const char *name)
{
    assert_ends_clean(w, OK, verb, option, name);
}

/* Neither does the message of a failure. */
static void
assert_fails_clean(World *w, int status, const char *word, const char *name, const char *more)
{
    g_autoptr(Terminal) terminal = terminal_vmsctl(w, word, name, more, NULL);

    g_assert_cmpint(terminal_wait(terminal), ==, status);
    g_assert_nonnull(strstr(terminal_output(terminal), "\\u202e"));
    g_assert_null(strstr(terminal_output(terminal), "\u202e"));
}

static void
test_terminal(void)
{
    g_autoptr(Service) s = service_with_names("running");
    World *w = s->world;

    assert_clean(w, "list", "--no-legend", NULL);
    assert_clean(w, "list", "--names", NULL);
    assert_clean(w, "list", "--json", NULL);
    assert_clean(w, "status", "--lines=0", REVERSED);
    assert_clean(w, "status", "--json", REVERSED);
    assert_clean(w, "xml", "--inactive", REVERSED);
    assert_clean(w, "top", "-n1", "-d1");
    assert_ends_clean(w, embedded_has_stats() ? OK : FAILED, "metrics", NULL, NULL);

    assert_fails_clean(w, INVALID_STATE, "start", REVERSED, NULL);
    assert_fails_clean(w, NO_SUCH_VM, "status", REVERSED "s", NULL);
    assert_fails_clean(w, NO_SUCH_VM, "pause", REVERSED "s", REVERSED);
    assert_fails_clean(w, FAILED, "attach", "12", "/nowhere/" REVERSED);
    assert_fails_clean(w, USAGE, "set-memory", "12", REVERSED);
    assert_fails_clean(w, USAGE, REVERSED, NULL, NULL);
    assert_fails_clean(w, USAGE, "list", "--" REVERSED, NULL);

    g_autoptr(Terminal) monitor = terminal_vmsctl(w, "monitor", NULL);
    terminal_expect(monitor, "c1\\x9b2J: ");
    terminal_expect(monitor, "\\u202egnp.nimda: ");
    terminal_type(monitor, "\003");
    g_assert_cmpint(terminal_wait(monitor), ==, OK);
    g_assert_null(strstr(terminal_output(monitor), "\u202e"));

    /* Programs get the names as they are. */
    g_autoptr(Run) piped = run_vmsctl(w, "list", "--names", NULL);
    g_assert_nonnull(strstr(piped->out, "\n" REVERSED "\n"));
    g_assert_nonnull(strstr(piped->out, "c1" CONTROL "2J\n"));
}

/* Each word that completion offers is one VM, and is safe for a terminal. */
static void
test_completion(void)
{
    g_autoptr(Service) s = service_with_names("running");
    World *w = s->world;
    g_autoptr(Run) run = run_vmsctl(w, "list", "--completion", NULL);
    g_auto(GStrv) words = g_strsplit(g_strchomp(run->out), "\n", -1);

    g_assert_cmpuint(g_strv_length(words), ==, G_N_ELEMENTS(names));
    for (char **word = words; *word; word++) {
        g_autoptr(Run) paused = run_vmsctl(w, "pause", *word, NULL);

        g_test_message("%s", *word);
        run_assert(paused, OK, __FILE__, __LINE__);
    }
    g_assert_null(strstr(run->out, "\u202e"));
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
        assert_state(s, names[i], "paused");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vmsctl-names/operate", test_operate);
    g_test_add_func("/vmsctl-names/others", test_others);
    g_test_add_func("/vmsctl-names/every-command", test_every_command);
    g_test_add_func("/vmsctl-names/followers", test_followers);
    g_test_add_func("/vmsctl-names/uuids", test_uuids);
    g_test_add_func("/vmsctl-names/terminal", test_terminal);
    g_test_add_func("/vmsctl-names/completion", test_completion);
    return g_test_run();
}
