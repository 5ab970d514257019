/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmsctl set-memory, set-vcpus, attach, detach, update */
#include "command.h"
#include "document.h"
#include "text.h"

static gboolean want_live, want_config;

static const GOptionEntry options[] = {
    {"live", 0, 0, G_OPTION_ARG_NONE, &want_live, "Change the running VM", NULL},
    {"config", 0, 0, G_OPTION_ARG_NONE, &want_config, "Change the configuration of the next start",
     NULL},
    {NULL},
};

/* Without an option the service changes whichever apply. */
static GVariantBuilder *
build_options(void)
{
    GVariantBuilder *builder = g_variant_builder_new(G_VARIANT_TYPE_VARDICT);

    if (want_live || want_config) {
        g_variant_builder_add(builder, "{sv}", "live", g_variant_new_boolean(want_live));
        g_variant_builder_add(builder, "{sv}", "config", g_variant_new_boolean(want_config));
    }
    return builder;
}

static ExitStatus
run_set_memory(Client *client, const Command *command, char **arguments)
{
    g_autoptr(GVariantBuilder) builder = build_options();
    g_autoptr(GError) error = NULL;
    guint64 bytes;

    if (!text_parse_size(arguments[1], &bytes, &error))
        return failure_report(NULL, error);
    return client_change_one(client, arguments[0], VMS_CONFIG_INTERFACE, "SetMemory",
                             g_variant_new("(ta{sv})", bytes, builder));
}

static ExitStatus
run_set_vcpus(Client *client, const Command *command, char **arguments)
{
    g_autoptr(GVariantBuilder) builder = build_options();
    g_autoptr(GError) error = NULL;
    guint32 number;

    if (!text_parse_unsigned(arguments[1], &number, &error))
        return failure_report(NULL, error);
    return client_change_one(client, arguments[0], VMS_CONFIG_INTERFACE, "SetVCpus",
                             g_variant_new("(ua{sv})", number, builder));
}

static ExitStatus
run_device(Client *client, const Command *command, char **arguments)
{
    g_autoptr(GVariantBuilder) builder = build_options();
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = document_read(arguments[1], &error);

    if (!xml)
        return failure_report(NULL, error);
    return client_change_one(client, arguments[0], VMS_CONFIG_INTERFACE, command->method,
                             g_variant_new("(sa{sv})", xml, builder));
}

const Command command_set_memory = {.run = run_set_memory, .options = options};
const Command command_set_vcpus = {.run = run_set_vcpus, .options = options};
const Command command_attach = {run_device, options, "AttachDevice"};
const Command command_detach = {run_device, options, "DetachDevice"};
const Command command_update = {run_device, options, "UpdateDevice"};
