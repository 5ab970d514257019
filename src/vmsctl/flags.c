/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flags.h"

GVariantBuilder *
flags_build(const Flag *flags)
{
    GVariantBuilder *builder = g_variant_builder_new(G_VARIANT_TYPE_VARDICT);

    for (; flags->name; flags++)
        if (*flags->is_set)
            g_variant_builder_add(builder, "{sv}", flags->name, g_variant_new_boolean(TRUE));
    return builder;
}
