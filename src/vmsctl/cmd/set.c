/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmsctl set, set-memory, set-vcpus */
#include "command.h"
#include "flags.h"
#include "password.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

static gboolean want_live, want_config;
static char *valid_for;

static const GOptionEntry options[] = {
    FLAGS_AFFECT_OPTIONS(&want_live, &want_config),
    {NULL},
};
static const GOptionEntry set_options[] = {
    FLAGS_AFFECT_OPTIONS(&want_live, &want_config),
    {"valid-for", 0, 0, G_OPTION_ARG_STRING, &valid_for,
     "Nobody gets in with it later (90s, 30min, 12h)", "TIME"},
    {NULL},
};

static GVariantBuilder *
build_options(void)
{
    GVariantBuilder *builder = g_variant_builder_new(G_VARIANT_TYPE_VARDICT);

    flags_add_affect(builder, want_live, want_config);
    return builder;
}

/* --- numbers ------------------------------------------------------------------------------ */

static ExitStatus
set_memory(Client *client, const Action *unused, const char *vm, char **arguments)
{
    g_autoptr(GVariantBuilder) builder = build_options();
    g_autoptr(GError) error = NULL;
    guint64 bytes;

    if (!text_parse_size(arguments[0], &bytes, &error))
        return failure_report(NULL, error);
    return client_change_one(client, vm, VMS_CONFIG_INTERFACE, "SetMemory",
                             g_variant_new("(ta{sv})", bytes, builder));
}

static ExitStatus
set_vcpus(Client *client, const Action *unused, const char *vm, char **arguments)
{
    g_autoptr(GVariantBuilder) builder = build_options();
    g_autoptr(GError) error = NULL;
    guint32 number;

    if (!text_parse_unsigned(arguments[0], &number, &error))
        return failure_report(NULL, error);
    return client_change_one(client, vm, VMS_CONFIG_INTERFACE, "SetVCpus",
                             g_variant_new("(ua{sv})", number, builder));
}

static ExitStatus
set_stop_timeout(Client *client, const Action *unused, const char *vm, char **arguments)
{
    g_autoptr(GError) error = NULL;
    guint64 usec;

    if (!text_parse_time(arguments[0], &usec, &error))
        return failure_report(NULL, error);
    return client_change_one(client, vm, VMS_CONFIG_INTERFACE, "SetStopTimeout",
                             g_variant_new("(t)", usec));
}

/* "VCPU=CPUS" into a dictionary's entry of PINS. */
static bool
add_pin(GVariantBuilder *pins, const char *text, GError **error)
{
    const char *cpus = strchr(text, '=');
    g_autofree char *number = g_strndup(text, cpus ? (gsize)(cpus - text) : 0);
    guint64 vcpu;

    if (!cpus || !g_ascii_string_to_unsigned(number, 10, 0, G_MAXUINT32, &vcpu, NULL)) {
        failure_set(error, EXIT_USAGE, "\"%s\" is no pin; write VCPU=CPUS, as in 0=2-3,^2", text);
        return false;
    }
    g_variant_builder_add(pins, "(us)", (guint32)vcpu, cpus + 1);
    return true;
}

static ExitStatus
set_pins(Client *client, const Action *unused, const char *vm, char **arguments)
{
    g_autoptr(GVariantBuilder) pins = g_variant_builder_new(G_VARIANT_TYPE("a(us)"));
    g_autoptr(GVariantBuilder) builder = build_options();
    g_autoptr(GError) error = NULL;

    for (; *arguments; arguments++)
        if (!add_pin(pins, *arguments, &error))
            return failure_report(NULL, error);
    return client_change_one(client, vm, VMS_CONFIG_INTERFACE, "SetCpuPins",
                             g_variant_new("(a(us)a{sv})", pins, builder));
}

/* --- texts -------------------------------------------------------------------------------- */

static ExitStatus
set_text(Client *client, const Action *action, const char *vm, char **arguments)
{
    return client_change_one(client, vm, VMS_CONFIG_INTERFACE, action->method,
                             g_variant_new("(s)", arguments[0]));
}

static ExitStatus
set_boot_order(Client *client, const Action *unused, const char *vm, char **arguments)
{
    g_autoptr(GVariantBuilder) none = g_variant_builder_new(G_VARIANT_TYPE_VARDICT);

    return client_change_one(client, vm, VMS_CONFIG_INTERFACE, "SetBootOrder",
                             g_variant_new("(^asa{sv})", arguments, none));
}

/* --- the password ------------------------------------------------------------------------- */

static bool
add_valid_for(GVariantBuilder *builder, GError **error)
{
    guint64 usec;

    if (!valid_for)
        return true;
    if (!text_parse_time(valid_for, &usec, error))
        return false;
    g_variant_builder_add(builder, "{sv}", "valid_for", g_variant_new_uint64(usec));
    return true;
}

/* ARGUMENTS: [NUMBER] */
static ExitStatus
set_password(Client *client, const Action *unused, const char *vm, char **arguments)
{
    g_autofree char *about = g_strdup_printf("New password for the screen of %s", vm);
    g_autoptr(GVariantBuilder) builder = build_options();
    g_autoptr(GError) error = NULL;
    guint32 number = 0;

    if ((arguments[0] && !text_parse_unsigned(arguments[0], &number, &error)) ||
        !add_valid_for(builder, &error))
        return failure_report(NULL, error);
    char *password = password_read(about, !client->options->no_ask_password, &error);
    if (!password)
        return failure_report(NULL, error);
    ExitStatus status = client_change_one(client, vm, VMS_DISPLAY_INTERFACE, "SetPassword",
                                          g_variant_new("(usa{sv})", number, password, builder));
    password_free(password);
    return status;
}

/* --- the tables --------------------------------------------------------------------------- */

static const Action actions[] = {
    {"memory", "SIZE", "live config", "The memory (512M, 4G; MiB without a unit)", set_memory},
    {"vcpus", "NUMBER", "live config", "The number of virtual CPUs", set_vcpus},
    {"pins", "VCPU=CPUS…", "live config", "The host's CPUs on which virtual CPUs run (0=2-3,^2)",
     set_pins},
    {"boot-order", "disk:TARGET|nic:MAC|hostdev:ADDRESS…", NULL,
     "The devices that the next start boots from, the first one first", set_boot_order},
    {"stop-timeout", "TIME", NULL, "How long stop waits (90s, 2min); 0: as the service does",
     set_stop_timeout},
    {"title", "TEXT", NULL, "The title", set_text, "SetTitle"},
    {"description", "TEXT", NULL, "The description", set_text, "SetDescription"},
    {"password", "[NUMBER]", "live config valid-for",
     "The password of the screen, or of the one with this number, which is asked for",
     set_password},
    {NULL},
};

const Command command_set = {.options = set_options, .actions = actions};

static ExitStatus
run_set_memory(Client *client, const Command *command, char **arguments)
{
    return set_memory(client, NULL, arguments[0], arguments + 1);
}

static ExitStatus
run_set_vcpus(Client *client, const Command *command, char **arguments)
{
    return set_vcpus(client, NULL, arguments[0], arguments + 1);
}

const Command command_set_memory = {.run = run_set_memory, .options = options};
const Command command_set_vcpus = {.run = run_set_vcpus, .options = options};
