/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmsctl start, stop, pause, resume, force-stop, reboot, reset: one table, any number of VMs. */
#include "follow.h"
#include "text.h"
#include "verb.h"

static gboolean no_wait;
static gboolean no_force;
static gboolean paused;
static char *timeout;

#define NO_WAIT                                                                                    \
    {                                                                                              \
        "no-wait", 0, 0, G_OPTION_ARG_NONE, &no_wait,                                              \
            "Print the number of the job and do not wait for its end", NULL                        \
    }
#define TIMEOUT(text)                                                                              \
    {                                                                                              \
        "timeout", 't', 0, G_OPTION_ARG_STRING, &timeout, text, "SECONDS"                          \
    }

const GOptionEntry start_options[] = {
    {"paused", 0, 0, G_OPTION_ARG_NONE, &paused, "Leave it paused, before its first instruction",
     NULL},
    NO_WAIT,
    {NULL},
};
const GOptionEntry stop_options[] = {
    TIMEOUT("How long to wait for the guest before the power is cut"),
    {"no-force", 0, 0, G_OPTION_ARG_NONE, &no_force, "Give up instead of cutting the power", NULL},
    NO_WAIT,
    {NULL},
};
const GOptionEntry reboot_options[] = {
    TIMEOUT("How long to wait for the guest before giving up"),
    NO_WAIT,
    {NULL},
};

typedef struct Operation {
    const char *verb;
    const char *method;
    bool takes_options;
} Operation;

static const Operation operations[] = {
    {"start", "StartWithOptions", true},
    {"stop", "StopWithOptions", true},
    {"reboot", "RebootWithOptions", true},
    {"pause", "Pause", false},
    {"resume", "Resume", false},
    {"force-stop", "ForceStop", false},
    {"reset", "Reset", false},
};

static const Operation *
find_operation(const char *verb)
{
    for (size_t i = 0; i < G_N_ELEMENTS(operations); i++)
        if (g_str_equal(operations[i].verb, verb))
            return &operations[i];
    g_assert_not_reached();
}

static GVariant *
build_arguments(const Operation *operation, guint64 usec)
{
    GVariantBuilder builder;

    if (!operation->takes_options)
        return NULL;
    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    if (timeout)
        g_variant_builder_add(&builder, "{sv}", "timeout", g_variant_new_uint64(usec));
    if (no_force)
        g_variant_builder_add(&builder, "{sv}", "force", g_variant_new_boolean(FALSE));
    if (paused)
        g_variant_builder_add(&builder, "{sv}", "paused", g_variant_new_boolean(TRUE));
    return g_variant_new("(a{sv})", &builder);
}

static ExitStatus
operate_one(Follower *follower, Client *client, const Operation *operation, const char *vm,
            guint64 usec)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = client_find_vm(client, vm, &error);

    if (!path)
        return failure_report(vm, error);
    return follower_call(follower, vm, path, VMS_DOMAIN_INTERFACE, operation->method,
                         build_arguments(operation, usec), no_wait);
}

VERB(verb_operation)
{
    const Operation *operation = find_operation(verb->name);
    g_autoptr(GError) error = NULL;
    ExitStatus first = EXIT_OK;
    guint64 usec = 0;

    if (timeout && !text_parse_time(timeout, &usec, &error))
        return failure_report(NULL, error);
    g_autoptr(Follower) follower = follower_new(client, &error);
    if (!follower)
        return failure_report(NULL, error);

    /* One after the other, as polkit may ask about each; then all jobs run side by side. */
    for (char **vm = arguments; *vm; vm++) {
        ExitStatus status = operate_one(follower, client, operation, *vm, usec);

        if (first == EXIT_OK)
            first = status;
    }
    ExitStatus status = follower_wait(follower);
    return first != EXIT_OK ? first : status;
}
