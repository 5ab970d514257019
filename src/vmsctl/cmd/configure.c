/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmsctl autostart, define, undefine, xml, rename */
#include "document.h"
#include "verb.h"

#include <stdio.h>
#include <string.h>

static gboolean want_managed_save, want_snapshots_metadata, want_nvram, want_keep_nvram;
static gboolean want_inactive, want_secure;

const GOptionEntry undefine_options[] = {
    {"managed-save", 0, 0, G_OPTION_ARG_NONE, &want_managed_save, "With its saved memory", NULL},
    {"snapshots-metadata", 0, 0, G_OPTION_ARG_NONE, &want_snapshots_metadata,
     "With what is known of its snapshots", NULL},
    {"nvram", 0, 0, G_OPTION_ARG_NONE, &want_nvram, "With its NVRAM file", NULL},
    {"keep-nvram", 0, 0, G_OPTION_ARG_NONE, &want_keep_nvram, "But not its NVRAM file", NULL},
    {NULL},
};

const GOptionEntry xml_options[] = {
    {"inactive", 0, 0, G_OPTION_ARG_NONE, &want_inactive, "As it will be at the next start", NULL},
    {"secure", 0, 0, G_OPTION_ARG_NONE, &want_secure, "With its secrets", NULL},
    {NULL},
};

static void
add_flag(GVariantBuilder *builder, const char *name, bool is_set)
{
    if (is_set)
        g_variant_builder_add(builder, "{sv}", name, g_variant_new_boolean(TRUE));
}

/* Calls METHOD of each of the VMs; ARGUMENTS is held by the caller. */
static ExitStatus
change_each(Client *client, char **vms, const char *method, GVariant *arguments)
{
    ExitStatus first = EXIT_OK;

    for (char **vm = vms; *vm; vm++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *path = client_find_vm(client, *vm, &error);
        g_autoptr(GVariant) reply =
            path ? client_change(client, path, VMS_DOMAIN_INTERFACE, method, arguments, &error)
                 : NULL;
        ExitStatus status = reply ? EXIT_OK : failure_report(*vm, error);

        if (first == EXIT_OK)
            first = status;
    }
    return first;
}

VERB(verb_autostart)
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

    g_autofree char **vms = g_memdup2(arguments, (last + 1) * sizeof(char *));
    vms[last] = NULL;
    g_autoptr(GVariant) body = g_variant_ref_sink(g_variant_new("(b)", on));
    return change_each(client, vms, "SetAutostart", body);
}

VERB(verb_undefine)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    add_flag(&builder, "managed_save", want_managed_save);
    add_flag(&builder, "snapshots_metadata", want_snapshots_metadata);
    add_flag(&builder, "nvram", want_nvram);
    add_flag(&builder, "keep_nvram", want_keep_nvram);
    g_autoptr(GVariant) body = g_variant_ref_sink(g_variant_new("(a{sv})", &builder));
    return change_each(client, arguments, "Undefine", body);
}

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

VERB(verb_define)
{
    ExitStatus first = EXIT_OK;

    for (char **file = arguments; *file; file++) {
        ExitStatus status = define_one(client, *file);

        if (first == EXIT_OK)
            first = status;
    }
    return first;
}

VERB(verb_xml)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = client_find_vm(client, arguments[0], &error);
    g_autoptr(GVariant) reply = NULL;
    GVariantBuilder builder;
    const char *xml;

    if (!path)
        return failure_report(arguments[0], error);
    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    add_flag(&builder, "inactive", want_inactive);
    add_flag(&builder, "secure", want_secure);
    GVariant *body = g_variant_new("(a{sv})", &builder);
    /* Secrets may need a password first. */
    reply = want_secure ? client_change(client, path, VMS_DOMAIN_INTERFACE, "GetXml", body, &error)
                        : client_read(client, path, VMS_DOMAIN_INTERFACE, "GetXml", body, &error);
    if (!reply)
        return failure_report(arguments[0], error);
    g_variant_get(reply, "(&s)", &xml);
    (void)fputs(xml, stdout);
    if (!g_str_has_suffix(xml, "\n"))
        putchar('\n');
    return EXIT_OK;
}

VERB(verb_rename)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = client_find_vm(client, arguments[0], &error);
    g_autoptr(GVariant) reply = path ? client_change(client, path, VMS_CONFIG_INTERFACE, "Rename",
                                                     g_variant_new("(s)", arguments[1]), &error)
                                     : NULL;

    return reply ? EXIT_OK : failure_report(arguments[0], error);
}
