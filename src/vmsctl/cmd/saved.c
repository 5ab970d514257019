/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmsctl save, discard, suspend */
#include "command.h"
#include "flags.h"
#include "follow.h"

static gboolean want_bypass_cache, want_paused, no_wait;

static const GOptionEntry save_options[] = {
    {"bypass-cache", 0, 0, G_OPTION_ARG_NONE, &want_bypass_cache, "Bypass the host's page cache",
     NULL},
    {"paused", 0, 0, G_OPTION_ARG_NONE, &want_paused, "Leave the VM paused after the next start",
     NULL},
    FOLLOW_NO_WAIT_OPTION(&no_wait),
    {NULL},
};

static ExitStatus
run_save(Client *client, const Command *command, char **vms)
{
    static const Flag flags[] = {
        {"bypass_cache", &want_bypass_cache}, {"paused", &want_paused}, {NULL}};
    g_autoptr(GVariantBuilder) options = flags_build(flags);

    return follow_each(client, vms, VMS_SAVED_INTERFACE, "Save", g_variant_new("(a{sv})", options),
                       no_wait);
}

static ExitStatus
run_discard(Client *client, const Command *command, char **vms)
{
    return client_change_each(client, vms, VMS_SAVED_INTERFACE, "Discard", NULL);
}

static ExitStatus
run_suspend(Client *client, const Command *command, char **arguments)
{
    const char *target = arguments[1] ? arguments[1] : "memory";

    return follow_one(client, arguments[0], VMS_SAVED_INTERFACE, "Suspend",
                      g_variant_new("(s)", target), false);
}

const Command command_save = {.run = run_save, .options = save_options};
const Command command_discard = {.run = run_discard};
const Command command_suspend = {.run = run_suspend};
