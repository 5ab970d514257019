/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A case is begun again when libvirtd itself has crashed, and only then. */

#include "libvirtd.h"

#include <string.h>

#define BEGUN "/run/vms/begun"

static const char *program;

/* Each case leaves a line when it begins. */
static guint
begin(void)
{
    g_autofree char *lines = shell(NULL, "echo begun >>" BEGUN "; wc -l <" BEGUN);

    return (guint)g_ascii_strtoull(lines, NULL, 10);
}

static void
crash_libvirtd(void)
{
    run(NULL, "pid=$(libvirtd-ctl pid)\n"
              "kill -SEGV $pid\n"
              "tail --pid=$pid -s 0.02 -f /dev/null");
}

static void
crash_once(void)
{
    if (begin() == 1) {
        crash_libvirtd();
        g_assert_not_reached();
    }
    run(NULL, "virsh -q list");
}

static void
crash_always(void)
{
    begin();
    crash_libvirtd();
    g_assert_not_reached();
}

/* The second failure is no crash's. */
static void
crash_once_and_fail(void)
{
    if (begin() == 1)
        crash_libvirtd();
    g_assert_not_reached();
}

static void
fail(void)
{
    begin();
    g_assert_not_reached();
}

static void
kill_and_fail(void)
{
    begin();
    libvirtd(NULL, "kill");
    g_assert_not_reached();
}

typedef struct Expected {
    const char *path;
    bool passes;
    guint begun;
    guint told; /* how often the output tells of a crash */
    GTestFunc func;
} Expected;

/* GLib runs what is below "subprocess" only where it is asked for. */
static const Expected cases[] = {
    {"/libvirtd/crash/subprocess/once", true, 2, 1, crash_once},
    {"/libvirtd/crash/subprocess/always", false, 3, 3, crash_always},
    {"/libvirtd/crash/subprocess/once-and-fail", false, 2, 1, crash_once_and_fail},
    {"/libvirtd/crash/subprocess/fail", false, 1, 0, fail},
    {"/libvirtd/crash/subprocess/kill-and-fail", false, 1, 0, kill_and_fail},
};

static guint
count(const char *text, const char *part)
{
    guint n = 0;

    for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
        n++;
    return n;
}

static void
test_begun_again(gconstpointer data)
{
    const Expected *e = data;
    const char *argv[] = {program, "-p", e->path, NULL};

    libvirtd_clean();
    run(NULL, "rm -f " BEGUN);
    g_autoptr(Process) p = process_spawn(argv, -1);
    int status = process_wait(p, 120000);
    g_autofree char *out = process_stdout(p);
    g_autofree char *begun = shell(NULL, "wc -l <" BEGUN);

    g_test_message("status %d: %s", status, out);
    g_assert_cmpint(status == 0, ==, e->passes);
    g_assert_cmpuint((guint)g_ascii_strtoull(begun, NULL, 10), ==, e->begun);
    g_assert_cmpuint(count(out, "libvirtd itself has crashed in"), ==, e->told);
    g_assert_cmpuint(count(out, "is begun again"), ==, e->begun - 1);
}

int
main(int argc, char **argv)
{
    program = argv[0];
    g_test_init(&argc, &argv, NULL);
    libvirtd_need();
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path =
            g_strconcat("/libvirtd/crash/", strrchr(cases[i].path, '/') + 1, NULL);

        libvirtd_add_func(cases[i].path, cases[i].func);
        g_test_add_data_func(path, &cases[i], test_begun_again);
    }
    return g_test_run();
}
