/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flags.h"

#include "text.h"

GVariantBuilder *
flags_build(const Flag *flags)
{
    GVariantBuilder *builder = g_variant_builder_new(G_VARIANT_TYPE_VARDICT);

    for (; flags->name; flags++)
        if (*flags->is_set)
            g_variant_builder_add(builder, "{sv}", flags->name, g_variant_new_boolean(TRUE));
    return builder;
}

void
flags_add_text(GVariantBuilder *options, const char *name, const char *text)
{
    if (text)
        g_variant_builder_add(options, "{sv}", name, g_variant_new_string(text));
}

void
flags_add_texts(GVariantBuilder *options, const char *name, char **texts)
{
    g_autofree char *joined = texts ? g_strjoinv(",", texts) : NULL;
    g_auto(GStrv) parts = joined ? g_strsplit(joined, ",", -1) : NULL;

    if (parts)
        g_variant_builder_add(options, "{sv}", name,
                              g_variant_new_strv((const char *const *)parts, -1));
}

bool
flags_add_bandwidth(GVariantBuilder *options, const char *text, GError **error)
{
    guint32 mib = 0;

    if (text && !text_parse_unsigned(text, &mib, error))
        return false;
    if (text)
        g_variant_builder_add(options, "{sv}", "bandwidth",
                              g_variant_new_uint64((guint64)mib << 20));
    return true;
}

void
flags_add_affect(GVariantBuilder *options, gboolean live, gboolean config)
{
    if (!live && !config)
        return;
    g_variant_builder_add(options, "{sv}", "live", g_variant_new_boolean(live));
    g_variant_builder_add(options, "{sv}", "config", g_variant_new_boolean(config));
}
