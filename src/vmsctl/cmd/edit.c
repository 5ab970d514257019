/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vmsctl edit: the inactive XML with its secrets (without them, defining what was edited would
 * erase the passwords), in a file that only its owner can read, until the result is accepted or
 * given up.
 */
#include "command.h"
#include "document.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char *
get_xml(Client *client, const char *path, GError **error)
{
    GVariantBuilder builder;
    char *xml = NULL;

    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&builder, "{sv}", "inactive", g_variant_new_boolean(TRUE));
    g_variant_builder_add(&builder, "{sv}", "secure", g_variant_new_boolean(TRUE));
    g_autoptr(GVariant) reply = client_change(client, path, VMS_DOMAIN_INTERFACE, "GetXml",
                                              g_variant_new("(a{sv})", &builder), error);
    if (reply)
        g_variant_get(reply, "(s)", &xml);
    return xml;
}

static const char *
editor(void)
{
    static const char *const variables[] = {"VISUAL", "EDITOR"};
    static const char *const programs[] = {"editor", "nano", "vi"};

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

static bool
run_editor(const char *file, GError **error)
{
    g_auto(GStrv) words = NULL;
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    int status = 0;

    if (!g_shell_parse_argv(editor(), NULL, &words, error))
        return false;
    g_strv_builder_addv(builder, (const char **)words);
    g_strv_builder_add(builder, file);
    g_auto(GStrv) arguments = g_strv_builder_end(builder);
    return g_spawn_sync(NULL, arguments, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_CHILD_INHERITS_STDIN,
                        NULL, NULL, NULL, NULL, &status, error) &&
           g_spawn_check_wait_status(status, error);
}

static bool
write_file(int fd, const char *text, GError **error)
{
    size_t left = strlen(text);

    while (left > 0) {
        ssize_t n = write(fd, text, left);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            failure_set(error, EXIT_FAILED, "Cannot write the file to edit: %s", g_strerror(errno));
            return false;
        }
        text += n;
        left -= (size_t)n;
    }
    return true;
}

/* Someone else's change meanwhile must not be lost without a word. */
static bool
is_unchanged(Client *client, const char *path, const char *before, GError **error)
{
    g_autofree char *now = get_xml(client, path, error);

    if (!now)
        return false;
    if (g_str_equal(now, before))
        return true;
    failure_set(error, EXIT_FAILED, "The configuration was changed meanwhile by someone else");
    return false;
}

static bool
define(Client *client, const char *path, const char *before, const char *after, GError **error)
{
    if (!is_unchanged(client, path, before, error))
        return false;
    g_autoptr(GVariant) reply = client_change(client, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE,
                                              "DefineDomain", g_variant_new("(s)", after), error);
    return reply != NULL;
}

static bool
want_again(void)
{
    char answer[16];

    if (!isatty(STDIN_FILENO))
        return false;
    (void)fputs("Edit again? [Y/n] ", stderr);
    return fgets(answer, sizeof answer, stdin) && answer[0] != 'n' && answer[0] != 'N';
}

static ExitStatus
edit(Client *client, const char *vm, const char *path, const char *file, const char *before)
{
    for (;;) {
        g_autoptr(GError) error = NULL;
        g_autofree char *after = NULL;

        if (!run_editor(file, &error))
            return failure_report(vm, error);
        after = document_read(file, &error);
        if (after && g_str_equal(after, before)) {
            fprintf(stderr, "Nothing was changed.\n");
            return EXIT_OK;
        }
        if (after && define(client, path, before, after, &error))
            return EXIT_OK;

        ExitStatus status = failure_report(vm, error);
        if (!want_again())
            return status;
    }
}

static ExitStatus
run(Client *client, const Command *command, char **arguments)
{
    const char *vm = arguments[0];
    g_autoptr(GError) error = NULL;
    g_autofree char *path = client_find_vm(client, vm, &error);
    g_autofree char *before = path ? get_xml(client, path, &error) : NULL;
    g_autofree char *file = NULL;

    if (!before)
        return failure_report(vm, error);

    /* Made with mode 0600. */
    int fd = g_file_open_tmp("vmsctl-XXXXXX.xml", &file, &error);
    if (fd < 0)
        return failure_report(vm, error);
    bool ok = write_file(fd, before, &error);
    (void)close(fd);
    ExitStatus status = ok ? edit(client, vm, path, file, before) : failure_report(vm, error);
    (void)g_unlink(file);
    return status;
}

const Command command_edit = {.run = run};
