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

/* --- capacities --------------------------------------------------------------------------- */

/* What the capacity of a disk is, where it is known. */
typedef uint64_t (*CapacityOf)(const char *target, const char *source, uint64_t now, void *data);

/* Returns whether any became another one. */
static bool
replace_capacities(DomainConfig *config, CapacityOf capacity_of, void *data)
{
    g_autoptr(GVariant) disks = domain_config_hardware(config, HARDWARE_DISKS);
    GVariant *children[_HARDWARE_MAX];
    GVariantBuilder builder;
    GVariantIter rows;
    const char *target;
    const char *bus;
    const char *source;
    guint64 now;
    bool changed = false;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("a(ssst)"));
    g_variant_iter_init(&rows, disks);
    while (g_variant_iter_next(&rows, "(&s&s&st)", &target, &bus, &source, &now)) {
        guint64 capacity = capacity_of(target, source, now, data);

        changed |= capacity != now;
        g_variant_builder_add(&builder, "(ssst)", target, bus, source, capacity);
    }
    if (!changed) {
        g_variant_builder_clear(&builder);
        return false;
    }
    for (unsigned what = 0; what < _HARDWARE_MAX; what++)
        children[what] = what == HARDWARE_DISKS ? g_variant_builder_end(&builder)
                                                : domain_config_hardware(config, what);
    domain_config_set_hardware(config, children);
    for (unsigned what = 0; what < _HARDWARE_MAX; what++)
        if (what != HARDWARE_DISKS)
            g_variant_unref(children[what]);
    return true;
}

static uint64_t
capacity_before(const char *target, const char *source, uint64_t now, void *data)
{
    GVariantIter rows;
    const char *old_target;
    const char *old_source;
    guint64 old;

    g_variant_iter_init(&rows, data);
    while (g_variant_iter_next(&rows, "(&s&s&st)", &old_target, NULL, &old_source, &old))
        if (old != 0 && g_str_equal(old_target, target) && g_str_equal(old_source, source))
            return old;
    return now;
}

static void
keep_capacities(DomainConfig *config, const DomainConfig *before)
{
    g_autoptr(GVariant) disks = domain_config_hardware(before, HARDWARE_DISKS);

    replace_capacities(config, capacity_before, disks);
}

static uint64_t
capacity_now(const char *target, const char *source, uint64_t now, void *data)
{
    const uint64_t *capacity = g_hash_table_lookup(data, target);

    return capacity && *source != '\0' ? *capacity : now;
}

uint64_t
domain_config_set_capacities(DomainConfig *config, GHashTable *capacities)
{
    return replace_capacities(config, capacity_now, capacities) ? DOMAIN_CHANGED(DISKS) : 0;
}

/* --- what is new -------------------------------------------------------------------------- */

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
    keep_capacities(from, to);

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
