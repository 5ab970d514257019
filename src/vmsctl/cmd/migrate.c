/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmsctl migrate */
#include "command.h"
#include "flags.h"
#include "follow.h"

static gboolean want_live, want_persist, want_undefine, want_copy, no_wait;
static char *bandwidth;

static const GOptionEntry options[] = {
    {"live", 0, 0, G_OPTION_ARG_NONE, &want_live, "Move the VM while it runs", NULL},
    {"persist-destination", 0, 0, G_OPTION_ARG_NONE, &want_persist,
     "Define the VM on the other host", NULL},
    {"undefine-source", 0, 0, G_OPTION_ARG_NONE, &want_undefine, "Undefine the VM on this host",
     NULL},
    {"copy-storage", 0, 0, G_OPTION_ARG_NONE, &want_copy, "Copy the disks, too", NULL},
    FLAGS_BANDWIDTH_OPTION(&bandwidth),
    FOLLOW_NO_WAIT_OPTION(&no_wait),
    {NULL},
};

static ExitStatus
run(Client *client, const Command *command, char **arguments)
{
    static const Flag flags[] = {{"live", &want_live},
                                 {"persist_destination", &want_persist},
                                 {"undefine_source", &want_undefine},
                                 {"copy_storage", &want_copy},
                                 {NULL}};
    g_autoptr(GVariantBuilder) builder = flags_build(flags);
    g_autoptr(GError) error = NULL;

    if (!flags_add_bandwidth(builder, bandwidth, &error))
        return failure_report(NULL, error);
    return follow_one(client, arguments[0], VMS_MIGRATION_INTERFACE, "Migrate",
                      g_variant_new("(sa{sv})", arguments[1], builder), no_wait);
}

const Command command_migrate = {run, options, NULL};
