/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain-config.h"

#include "domain.h"

void
domain_config_clear(DomainConfig *config)
{
    if (config->hardware)
        g_variant_unref(config->hardware);
    *config = (DomainConfig){0};
}

/* Made once: a thousand domains are shown before their XML has been read. */
static GVariant *
no_hardware(void)
{
    static GVariant *nothing;

    if (g_once_init_enter(&nothing))
        g_once_init_leave(&nothing, g_variant_ref_sink(g_variant_new_parsed(
                                        "('', @a{ss} {}, @a(ssst) [], @a(sss) [])")));
    return nothing;
}

GVariant *
domain_config_hardware(const DomainConfig *config, Hardware what)
{
    return g_variant_get_child_value(config->hardware ? config->hardware : no_hardware(), what);
}

void
domain_config_set_hardware(DomainConfig *config, GVariant *children[static _HARDWARE_MAX])
{
    GVariant *tuple = g_variant_ref_sink(g_variant_new_tuple(children, _HARDWARE_MAX));

    /* Serialised it is one block, without a node for every string. */
    g_autoptr(GBytes) bytes = g_variant_get_data_as_bytes(tuple);
    g_variant_unref(tuple);
    if (config->hardware)
        g_variant_unref(config->hardware);
    config->hardware =
        g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE(HARDWARE_TYPE), bytes, TRUE));
}

static bool
is_hardware_equal(const DomainConfig *a, const DomainConfig *b, Hardware what)
{
    g_autoptr(GVariant) left = domain_config_hardware(a, what);
    g_autoptr(GVariant) right = domain_config_hardware(b, what);

    return g_variant_equal(left, right);
}

static uint64_t
compare_hardware(const DomainConfig *a, const DomainConfig *b)
{
    static const uint64_t bits[_HARDWARE_MAX] = {
        [HARDWARE_OS_TYPE] = DOMAIN_CHANGED(OS_TYPE),
        [HARDWARE_TEMPLATE] = DOMAIN_CHANGED(TEMPLATE),
        [HARDWARE_DISKS] = DOMAIN_CHANGED(DISKS),
        [HARDWARE_NICS] = DOMAIN_CHANGED(NICS),
    };
    uint64_t changed = 0;

    for (unsigned what = 0; what < _HARDWARE_MAX; what++)
        if (!is_hardware_equal(a, b, what))
            changed |= bits[what];
    return changed;
}

uint64_t
domain_config_apply(DomainConfig *to, DomainConfig *from)
{
    uint64_t changed = compare_hardware(to, from);

    if (to->vcpus != from->vcpus)
        changed |= DOMAIN_CHANGED(VCPUS);
    if (to->max_vcpus != from->max_vcpus)
        changed |= DOMAIN_CHANGED(MAX_VCPUS);
    if (to->memory_bytes != from->memory_bytes)
        changed |= DOMAIN_CHANGED(MEMORY_BYTES);
    if (to->max_memory_bytes != from->max_memory_bytes)
        changed |= DOMAIN_CHANGED(MAX_MEMORY_BYTES);
    if (to->agent_connected != from->agent_connected)
        changed |= DOMAIN_CHANGED(AGENT_CONNECTED);
    domain_config_clear(to);
    *to = *from;
    *from = (DomainConfig){0};
    return changed;
}
