/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmsctl define, undefine, rename, autostart */
#include "command.h"
#include "document.h"
#include "flags.h"

static gboolean want_managed_save, want_snapshots_metadata, want_checkpoints_metadata;
static gboolean want_nvram, want_keep_nvram, want_tpm, want_keep_tpm;

static const GOptionEntry undefine_options[] = {
    {"managed-save", 0, 0, G_OPTION_ARG_NONE, &want_managed_save, "Delete the saved memory, too",
     NULL},
    {"snapshots-metadata", 0, 0, G_OPTION_ARG_NONE, &want_snapshots_metadata,
     "Delete the metadata of the snapshots, too", NULL},
    {"checkpoints-metadata", 0, 0, G_OPTION_ARG_NONE, &want_checkpoints_metadata,
     "Delete the metadata of the checkpoints, too", NULL},
    {"nvram", 0, 0, G_OPTION_ARG_NONE, &want_nvram, "Delete the NVRAM file, too", NULL},
    {"keep-nvram", 0, 0, G_OPTION_ARG_NONE, &want_keep_nvram, "Keep the NVRAM file", NULL},
    {"tpm", 0, 0, G_OPTION_ARG_NONE, &want_tpm, "Delete the state of the TPM, too", NULL},
    {"keep-tpm", 0, 0, G_OPTION_ARG_NONE, &want_keep_tpm, "Keep the state of the TPM", NULL},
    {NULL},
};

static ExitStatus
define_one(Client *client, const char *file)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = document_read(file, &error);
    g_autoptr(GVariant) reply =
        xml ? client_change(client, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "DefineDomain",
                            g_variant_new("(s)", xml), &error)
            : NULL;

    return reply ? EXIT_OK : failure_report(file, error);
}

static ExitStatus
run_define(Client *client, const Command *command, char **files)
{
    ExitStatus first = EXIT_OK;

    for (; *files; files++)
        failure_keep_first(&first, define_one(client, *files));
    return first;
}

static ExitStatus
run_undefine(Client *client, const Command *command, char **vms)
{
    static const Flag flags[] = {{"managed_save", &want_managed_save},
                                 {"snapshots_metadata", &want_snapshots_metadata},
                                 {"checkpoints_metadata", &want_checkpoints_metadata},
                                 {"nvram", &want_nvram},
                                 {"keep_nvram", &want_keep_nvram},
                                 {"tpm", &want_tpm},
                                 {"keep_tpm", &want_keep_tpm},
                                 {NULL}};
    g_autoptr(GVariantBuilder) options = flags_build(flags);

    return client_change_each(client, vms, VMS_DOMAIN_INTERFACE, "Undefine",
                              g_variant_new("(a{sv})", options));
}

static ExitStatus
run_rename(Client *client, const Command *command, char **arguments)
{
    return client_change_one(client, arguments[0], VMS_CONFIG_INTERFACE, "Rename",
                             g_variant_new("(s)", arguments[1]));
}

static ExitStatus
run_autostart(Client *client, const Command *command, char **arguments)
{
    guint last = g_strv_length(arguments) - 1;
    bool on = g_str_equal(arguments[last], "on") || g_str_equal(arguments[last], "yes");
    bool off = g_str_equal(arguments[last], "off") || g_str_equal(arguments[last], "no");
    g_autoptr(GError) error = NULL;

    if (!on && !off) {
        failure_set(&error, EXIT_USAGE, "Write \"on\" or \"off\" after the VMs, not \"%s\"",
                    arguments[last]);
        return failure_report(NULL, error);
    }

    g_autofree char **vms = g_memdup2(arguments, (last + 1) * sizeof *vms);
    vms[last] = NULL;
    return client_change_each(client, vms, VMS_DOMAIN_INTERFACE, "SetAutostart",
                              g_variant_new("(b)", on));
}

const Command command_define = {.run = run_define};
const Command command_undefine = {.run = run_undefine, .options = undefine_options};
const Command command_rename = {.run = run_rename};
const Command command_autostart = {.run = run_autostart};
