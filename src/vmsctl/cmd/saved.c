/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmsctl save, discard, suspend, migrate: the VM put away, to disk, to sleep or elsewhere. */
#include "follow.h"
#include "text.h"
#include "verb.h"

static gboolean want_bypass_cache, want_paused, no_wait;
static gboolean want_live, want_persist, want_undefine;
static char *bandwidth;

const GOptionEntry save_options[] = {
    {"bypass-cache", 0, 0, G_OPTION_ARG_NONE, &want_bypass_cache, "Write round the host's cache",
     NULL},
    {"paused", 0, 0, G_OPTION_ARG_NONE, &want_paused, "Leave it paused when it is started again",
     NULL},
    {"no-wait", 0, 0, G_OPTION_ARG_NONE, &no_wait,
     "Print the number of the job and do not wait for its end", NULL},
    {NULL},
};

const GOptionEntry migrate_options[] = {
    {"live", 0, 0, G_OPTION_ARG_NONE, &want_live, "While it runs", NULL},
    {"persist-destination", 0, 0, G_OPTION_ARG_NONE, &want_persist, "Define it there", NULL},
    {"undefine-source", 0, 0, G_OPTION_ARG_NONE, &want_undefine, "Undefine it here", NULL},
    {"bandwidth", 0, 0, G_OPTION_ARG_STRING, &bandwidth, "Use at most this much", "MiB/s"},
    {"no-wait", 0, 0, G_OPTION_ARG_NONE, &no_wait,
     "Print the number of the job and do not wait for its end", NULL},
    {NULL},
};

static void
add_flag(GVariantBuilder *builder, const char *name, bool is_set)
{
    if (is_set)
        g_variant_builder_add(builder, "{sv}", name, g_variant_new_boolean(TRUE));
}

/* METHOD of each of the VMs; ARGUMENTS is floating or NULL. */
static ExitStatus
follow_each(Client *client, char **vms, const char *interface, const char *method,
            GVariant *arguments)
{
    g_autoptr(GVariant) held = arguments ? g_variant_ref_sink(arguments) : NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(Follower) follower = follower_new(client, &error);
    ExitStatus first = EXIT_OK;

    if (!follower)
        return failure_report(NULL, error);
    for (char **vm = vms; *vm; vm++) {
        g_autoptr(GError) unknown = NULL;
        g_autofree char *path = client_find_vm(client, *vm, &unknown);
        ExitStatus status =
            path ? follower_call(follower, *vm, path, interface, method, held, no_wait)
                 : failure_report(*vm, unknown);

        if (first == EXIT_OK)
            first = status;
    }
    ExitStatus status = follower_wait(follower);
    return first != EXIT_OK ? first : status;
}

VERB(verb_save)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    add_flag(&builder, "bypass_cache", want_bypass_cache);
    add_flag(&builder, "paused", want_paused);
    return follow_each(client, arguments, VMS_SAVED_INTERFACE, "Save",
                       g_variant_new("(a{sv})", &builder));
}

VERB(verb_discard)
{
    return follow_each(client, arguments, VMS_SAVED_INTERFACE, "Discard", NULL);
}

VERB(verb_suspend)
{
    const char *target = arguments[1] ? arguments[1] : "memory";

    return follow_each(client, (char *[]){arguments[0], NULL}, VMS_SAVED_INTERFACE, "Suspend",
                       g_variant_new("(s)", target));
}

VERB(verb_migrate)
{
    g_autoptr(GError) error = NULL;
    GVariantBuilder builder;
    guint32 mib = 0;

    if (bandwidth && !text_parse_unsigned(bandwidth, &mib, &error))
        return failure_report(NULL, error);
    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    add_flag(&builder, "live", want_live);
    add_flag(&builder, "persist_destination", want_persist);
    add_flag(&builder, "undefine_source", want_undefine);
    if (bandwidth)
        g_variant_builder_add(&builder, "{sv}", "bandwidth", g_variant_new_uint64(mib));
    return follow_each(client, (char *[]){arguments[0], NULL}, VMS_MIGRATION_INTERFACE, "Migrate",
                       g_variant_new("(sa{sv})", arguments[1], &builder));
}
