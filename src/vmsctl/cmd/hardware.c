/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmsctl set-memory, set-vcpus, attach, detach, update */
#include "document.h"
#include "text.h"
#include "verb.h"

static gboolean want_live, want_config;

const GOptionEntry hardware_options[] = {
    {"live", 0, 0, G_OPTION_ARG_NONE, &want_live, "Change the running VM", NULL},
    {"config", 0, 0, G_OPTION_ARG_NONE, &want_config, "Change what it will be at the next start",
     NULL},
    {NULL},
};

/* Without an option: whichever apply. */
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

/* Takes the floating ARGUMENTS. */
static ExitStatus
change(Client *client, const char *vm, const char *method, GVariant *arguments)
{
    g_autoptr(GVariant) held = g_variant_ref_sink(arguments);
    g_autoptr(GError) error = NULL;
    g_autofree char *path = client_find_vm(client, vm, &error);
    g_autoptr(GVariant) reply =
        path ? client_change(client, path, VMS_CONFIG_INTERFACE, method, held, &error) : NULL;

    return reply ? EXIT_OK : failure_report(vm, error);
}

VERB(verb_set_memory)
{
    g_autoptr(GVariantBuilder) builder = build_options();
    g_autoptr(GError) error = NULL;
    guint64 bytes;

    if (!text_parse_size(arguments[1], &bytes, &error))
        return failure_report(NULL, error);
    return change(client, arguments[0], "SetMemory", g_variant_new("(ta{sv})", bytes, builder));
}

VERB(verb_set_vcpus)
{
    g_autoptr(GVariantBuilder) builder = build_options();
    g_autoptr(GError) error = NULL;
    guint32 number;

    if (!text_parse_unsigned(arguments[1], &number, &error))
        return failure_report(NULL, error);
    return change(client, arguments[0], "SetVCpus", g_variant_new("(ua{sv})", number, builder));
}

VERB(verb_device)
{
    static const struct {
        const char *verb;
        const char *method;
    } methods[] = {
        {"attach", "AttachDevice"}, {"detach", "DetachDevice"}, {"update", "UpdateDevice"}};
    g_autoptr(GVariantBuilder) builder = build_options();
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = document_read(arguments[1], &error);

    if (!xml)
        return failure_report(NULL, error);
    for (size_t i = 0; i < G_N_ELEMENTS(methods); i++)
        if (g_str_equal(methods[i].verb, verb->name))
            return change(client, arguments[0], methods[i].method,
                          g_variant_new("(sa{sv})", xml, builder));
    g_assert_not_reached();
}
