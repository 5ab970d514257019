/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "editor.h"

#include "document.h"

#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>

static const char *
find_editor(void)
{
    static const char *const variables[] = {"VISUAL", "EDITOR"};
    static const char *const programs[] = {"editor", "nano"};

    for (size_t i = 0; i < G_N_ELEMENTS(variables); i++) {
        const char *value = g_getenv(variables[i]);

        if (value && *value)
            return value;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(programs); i++) {
        g_autofree char *found = g_find_program_in_path(programs[i]);

        if (found)
            return programs[i];
    }
    return "vi";
}

/* In the child: the signals that the parent has blocked are the editor's own again. */
static void
unblock_signals(void *before)
{
    (void)sigprocmask(SIG_SETMASK, before, NULL);
}

static bool
start(const char *file, sigset_t *mask, GPid *pid, GError **error)
{
    g_auto(GStrv) words = NULL;
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    if (!g_shell_parse_argv(find_editor(), NULL, &words, error))
        return false;
    g_strv_builder_addv(builder, (const char **)words);
    g_strv_builder_add(builder, file);
    g_auto(GStrv) arguments = g_strv_builder_end(builder);
    return g_spawn_async(NULL, arguments, NULL,
                         G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD |
                             G_SPAWN_CHILD_INHERITS_STDIN,
                         unblock_signals, mask, pid, error);
}

/*
 * Returns when the editor has ended. It is told to end by SIGTERM and SIGHUP, which are blocked, as
 * are all SIGNALS; the second time it is killed.
 */
static bool
wait_for_end(GPid pid, const sigset_t *signals, GError **error)
{
    bool is_stopped = false;
    int status = 0;

    while (waitpid(pid, &status, WNOHANG) == 0) {
        int number = sigwaitinfo(signals, NULL);

        if (number != SIGTERM && number != SIGHUP)
            continue;
        (void)kill(pid, is_stopped ? SIGKILL : SIGTERM);
        is_stopped = true;
    }
    if (!is_stopped)
        return g_spawn_check_wait_status(status, error);
    failure_set(error, EXIT_INTERRUPTED, "Interrupted; nothing was changed");
    return false;
}

static int
remove_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)remove(path);
    return 0;
}

static char *
edit_in(const char *directory, const char *text, const sigset_t *signals, sigset_t *before,
        GError **error)
{
    g_autofree char *file = g_build_filename(directory, "vm.xml", NULL);
    GPid pid;

    if (!g_file_set_contents_full(file, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, error) ||
        !start(file, before, &pid, error) || !wait_for_end(pid, signals, error))
        return NULL;
    return document_read(file, error);
}

char *
editor_run(const char *text, GError **error)
{
    static const int numbers[] = {SIGCHLD, SIGTERM, SIGHUP, SIGINT, SIGQUIT};
    g_autofree char *directory = NULL;
    char *edited = NULL;
    sigset_t signals, before;

    sigemptyset(&signals);
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        sigaddset(&signals, numbers[i]);
    /* Where SIGCHLD is ignored, as a parent may have left it, it is not sent. */
    (void)signal(SIGCHLD, SIG_DFL);
    (void)sigprocmask(SIG_BLOCK, &signals, &before);

    directory = g_dir_make_tmp("vmsctl-XXXXXX", error);
    if (directory) {
        edited = edit_in(directory, text, &signals, &before, error);
        (void)nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    }
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return edited;
}
