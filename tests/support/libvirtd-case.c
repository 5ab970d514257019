/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libvirtd-case.h"

#include "libvirtd.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define BEGUN_AGAIN_MAX 2

typedef struct Case {
    const char *path;
    GTestFunc func;
    GTestDataFunc data_func;
    gconstpointer data;
} Case;

guint
libvirtd_crashes(void)
{
    g_autofree char *count = shell(NULL, "libvirtd-ctl crashes");

    return (guint)g_ascii_strtoull(count, NULL, 10);
}

static void
run_here(const Case *c)
{
    if (c->func)
        c->func();
    else
        c->data_func(c->data);
}

static bool
run_apart(const Case *c)
{
    pid_t parent = getpid();
    pid_t pid;
    int status;

    fflush(NULL);
    pid = fork();
    g_assert_cmpint(pid, >=, 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == parent)
            run_here(c);
        exit(g_test_failed());
    }
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool
has_crashed(guint *known)
{
    guint before = *known;

    *known = libvirtd_crashes();
    return *known > before;
}

static void
run_case(gconstpointer data)
{
    const Case *c = data;
    guint known = libvirtd_crashes();

    for (guint again = 1;; again++) {
        bool passed = run_apart(c);
        libvirtd_fast_saves();
        bool crashed = has_crashed(&known);

        if (crashed)
            g_print("# libvirtd itself has crashed in %s\n", c->path);
        if (passed)
            return;
        if (!crashed || again > BEGUN_AGAIN_MAX)
            break;
        g_print("# %s is begun again, %u of %u\n", c->path, again, BEGUN_AGAIN_MAX);
        libvirtd_clean();
    }
    g_test_fail();
}

static void
add(const Case *c)
{
    g_test_add_data_func_full(c->path, g_memdup2(c, sizeof *c), run_case, g_free);
}

void
libvirtd_add_func(const char *path, GTestFunc func)
{
    add(&(Case){.path = g_intern_string(path), .func = func});
}

void
libvirtd_add_data_func(const char *path, gconstpointer data, GTestDataFunc func)
{
    add(&(Case){.path = g_intern_string(path), .data_func = func, .data = data});
}
