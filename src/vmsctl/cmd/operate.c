/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmsctl start, stop, pause, resume, force-stop, reboot, reset */
#include "command.h"
#include "flags.h"
#include "follow.h"
#include "text.h"

static gboolean no_wait, no_force, paused;
static char *timeout;

#define TIMEOUT(text)                                                                              \
    {                                                                                              \
        "timeout", 't', 0, G_OPTION_ARG_STRING, &timeout, text, "SECONDS"                          \
    }

static const GOptionEntry start_options[] = {
    {"paused", 0, 0, G_OPTION_ARG_NONE, &paused,
     "Leave the VM paused, before its first instruction", NULL},
    FOLLOW_NO_WAIT_OPTION(&no_wait),
    {NULL},
};
static const GOptionEntry stop_options[] = {
    TIMEOUT("How long to wait for the guest before the power is cut"),
    {"no-force", 0, 0, G_OPTION_ARG_NONE, &no_force, "Give up instead of cutting the power", NULL},
    FOLLOW_NO_WAIT_OPTION(&no_wait),
    {NULL},
};
static const GOptionEntry reboot_options[] = {
    TIMEOUT("How long to wait for the guest before giving up"),
    FOLLOW_NO_WAIT_OPTION(&no_wait),
    {NULL},
};

/* NULL if an option is wrong. Each command accepts only its own options, so the rest are unset. */
static GVariant *
build_arguments(GError **error)
{
    static const Flag flags[] = {{"paused", &paused}, {NULL}};
    g_autoptr(GVariantBuilder) builder = flags_build(flags);
    guint64 usec;

    if (timeout) {
        if (!text_parse_time(timeout, &usec, error))
            return NULL;
        g_variant_builder_add(builder, "{sv}", "timeout", g_variant_new_uint64(usec));
    }
    if (no_force)
        g_variant_builder_add(builder, "{sv}", "force", g_variant_new_boolean(FALSE));
    return g_variant_new("(a{sv})", builder);
}

static ExitStatus
run_with_options(Client *client, const Command *command, char **vms)
{
    g_autoptr(GError) error = NULL;
    GVariant *arguments = build_arguments(&error);

    if (!arguments)
        return failure_report(NULL, error);
    return follow_each(client, vms, VMS_DOMAIN_INTERFACE, command->method, arguments, no_wait);
}

static ExitStatus
run_plain(Client *client, const Command *command, char **vms)
{
    return follow_each(client, vms, VMS_DOMAIN_INTERFACE, command->method, NULL, false);
}

const Command command_start = {run_with_options, start_options, "StartWithOptions"};
const Command command_stop = {run_with_options, stop_options, "StopWithOptions"};
const Command command_reboot = {run_with_options, reboot_options, "RebootWithOptions"};
const Command command_pause = {run_plain, NULL, "Pause"};
const Command command_resume = {run_plain, NULL, "Resume"};
const Command command_force_stop = {run_plain, NULL, "ForceStop"};
const Command command_reset = {run_plain, NULL, "Reset"};
