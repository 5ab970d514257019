/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vmsctl edit: the XML of the next start. It is read with its passwords: without them, defining the
 * result would remove them from the VM.
 */
#include "command.h"
#include "editor.h"

#include <stdio.h>
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

/* Defining the edited text would silently undo a change made in the meantime. */
static bool
is_unchanged(Client *client, const char *path, const char *before, GError **error)
{
    g_autofree char *now = get_xml(client, path, error);

    if (!now)
        return false;
    if (g_str_equal(now, before))
        return true;
    failure_set(error, EXIT_FAILED, "Somebody else has changed the configuration in the meantime");
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
edit(Client *client, const char *vm, const char *path, const char *before)
{
    g_autofree char *text = g_strdup(before);

    for (;;) {
        g_autoptr(GError) error = NULL;
        g_autofree char *after = editor_run(text, &error);

        if (!after)
            return failure_report(vm, error);
        if (g_str_equal(after, before)) {
            fprintf(stderr, "Nothing was changed.\n");
            return EXIT_OK;
        }
        if (define(client, path, before, after, &error))
            return EXIT_OK;

        ExitStatus status = failure_report(vm, error);
        if (!want_again())
            return status;
        g_free(text);
        text = g_steal_pointer(&after);
    }
}

static ExitStatus
run(Client *client, const Command *command, char **arguments)
{
    const char *vm = arguments[0];
    g_autoptr(GError) error = NULL;
    g_autofree char *path = client_find_vm(client, vm, &error);
    g_autofree char *before = path ? get_xml(client, path, &error) : NULL;

    return before ? edit(client, vm, path, before) : failure_report(vm, error);
}

const Command command_edit = {.run = run};
