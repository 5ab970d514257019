/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor-guest.h"

#include "hypervisor-private.h"
#include "utf8.h"

/* No guest may make us build an answer without end. */
#define ROWS_MAX 1024

/* --- addresses ---------------------------------------------------------------------------- */

static void
free_interfaces(virDomainInterfacePtr *interfaces, int n)
{
    for (int i = 0; i < n; i++)
        virDomainInterfaceFree(interfaces[i]);
    free(interfaces);
}

static void
add_interface(GVariantBuilder *rows, const virDomainInterface *interface)
{
    g_autofree char *name = utf8_for_bus(interface->name);
    g_autofree char *mac = utf8_for_bus(interface->hwaddr);

    g_variant_builder_open(rows, G_VARIANT_TYPE("(ssa(su))"));
    g_variant_builder_add(rows, "s", name);
    g_variant_builder_add(rows, "s", mac);
    g_variant_builder_open(rows, G_VARIANT_TYPE("a(su)"));
    for (unsigned i = 0; i < MIN(interface->naddrs, ROWS_MAX); i++) {
        g_autofree char *address = utf8_for_bus(interface->addrs[i].addr);

        g_variant_builder_add(rows, "(su)", address, (guint32)interface->addrs[i].prefix);
    }
    g_variant_builder_close(rows);
    g_variant_builder_close(rows);
}

GVariant *
hypervisor_guest_addresses(Hypervisor *h, const char *uuid, AddressSource source, Error **error)
{
    static const unsigned sources[] = {
        [ADDRESSES_LEASE] = VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE,
        [ADDRESSES_AGENT] = VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT,
        [ADDRESSES_ARP] = VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP,
    };
    virDomainPtr dom = hypervisor_domain(h, uuid, error);
    virDomainInterfacePtr *interfaces = NULL;
    GVariantBuilder rows;

    if (!dom)
        return NULL;
    int n = virDomainInterfaceAddresses(dom, &interfaces, sources[source], 0);
    if (n < 0) {
        hypervisor_fail(error);
        return NULL;
    }
    g_variant_builder_init(&rows, G_VARIANT_TYPE(GUEST_ADDRESSES_TYPE));
    for (int i = 0; i < MIN(n, ROWS_MAX); i++)
        add_interface(&rows, interfaces[i]);
    free_interfaces(interfaces, n);
    return g_variant_ref_sink(g_variant_builder_end(&rows));
}

/* --- host name ---------------------------------------------------------------------------- */

char *
hypervisor_guest_hostname(Hypervisor *h, const char *uuid, Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);
    g_autofree char *name = dom ? virDomainGetHostname(dom, 0) : NULL;

    if (dom && !name)
        hypervisor_fail(error);
    return name ? utf8_for_bus(name) : NULL;
}

/* --- file systems ------------------------------------------------------------------------- */

typedef struct {
    virTypedParameterPtr params;
    int n;
} Params;

static void
params_clear(Params *params)
{
    virTypedParamsFree(params->params, params->n);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Params, params_clear)

static char *
get_text(const Params *params, unsigned row, const char *field)
{
    g_autofree char *key = g_strdup_printf("fs.%u.%s", row, field);
    const char *text = NULL;

    virTypedParamsGetString(params->params, params->n, key, &text);
    return utf8_for_bus(text);
}

/* The device node of the disk below it where the agent knows that, else the kernel's name. */
static char *
get_device(const Params *params, unsigned row)
{
    g_autofree char *device = get_text(params, row, "disk.0.device");

    return *device ? g_steal_pointer(&device) : get_text(params, row, "name");
}

static void
add_filesystem(GVariantBuilder *rows, const Params *params, unsigned row)
{
    g_autofree char *mountpoint = get_text(params, row, "mountpoint");
    g_autofree char *device = get_device(params, row);
    g_autofree char *type = get_text(params, row, "fstype");
    g_autofree char *key = g_strdup_printf("fs.%u.total-bytes", row);
    unsigned long long size = 0;

    virTypedParamsGetULLong(params->params, params->n, key, &size);
    g_variant_builder_add(rows, "(ssst)", mountpoint, device, type, (guint64)size);
}

static GVariant *
filesystems_of_params(const Params *params)
{
    GVariantBuilder rows;
    unsigned n = 0;

    virTypedParamsGetUInt(params->params, params->n, "fs.count", &n);
    g_variant_builder_init(&rows, G_VARIANT_TYPE(GUEST_FILESYSTEMS_TYPE));
    for (unsigned i = 0; i < MIN(n, ROWS_MAX); i++)
        add_filesystem(&rows, params, i);
    return g_variant_ref_sink(g_variant_builder_end(&rows));
}

/* For drivers and agents that know no sizes. */
static GVariant *
list_filesystems(virDomainPtr dom, Error **error)
{
    virDomainFSInfoPtr *infos = NULL;
    GVariantBuilder rows;
    int n = virDomainGetFSInfo(dom, &infos, 0);

    if (n < 0) {
        hypervisor_fail(error);
        return NULL;
    }
    g_variant_builder_init(&rows, G_VARIANT_TYPE(GUEST_FILESYSTEMS_TYPE));
    for (int i = 0; i < n; i++) {
        g_autofree char *mountpoint = utf8_for_bus(infos[i]->mountpoint);
        g_autofree char *device = utf8_for_bus(infos[i]->name);
        g_autofree char *type = utf8_for_bus(infos[i]->fstype);

        if (i < ROWS_MAX)
            g_variant_builder_add(&rows, "(ssst)", mountpoint, device, type, G_GUINT64_CONSTANT(0));
        virDomainFSInfoFree(infos[i]);
    }
    free(infos);
    return g_variant_ref_sink(g_variant_builder_end(&rows));
}

GVariant *
hypervisor_guest_filesystems(Hypervisor *h, const char *uuid, Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);
    g_auto(Params) params = {0};

    if (!dom)
        return NULL;
    if (virDomainGetGuestInfo(dom, VIR_DOMAIN_GUEST_INFO_FILESYSTEM, &params.params, &params.n,
                              0) == 0)
        return filesystems_of_params(&params);
    if (hypervisor_is_unsupported())
        return list_filesystems(dom, error);
    hypervisor_fail(error);
    return NULL;
}

/* --- changes ------------------------------------------------------------------------------ */

static int
call_guest_verb(virDomainPtr dom, GuestVerb verb)
{
    switch (verb) {
    case GUEST_FREEZE:
        return virDomainFSFreeze(dom, NULL, 0, 0);
    case GUEST_THAW:
        return virDomainFSThaw(dom, NULL, 0, 0);
    case GUEST_TRIM:
        return virDomainFSTrim(dom, NULL, 0, 0);
    }
    return -1;
}

bool
hypervisor_guest_do(Hypervisor *h, const char *uuid, GuestVerb verb, Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);

    if (!dom || !hypervisor_pass_gate(h, error))
        return false;
    return call_guest_verb(dom, verb) >= 0 || hypervisor_fail(error);
}

bool
hypervisor_guest_set_password(Hypervisor *h, const char *uuid, const char *user,
                              const char *password, Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);

    if (!dom || !hypervisor_pass_gate(h, error))
        return false;
    return virDomainSetUserPassword(dom, user, password, 0) == 0 || hypervisor_fail(error);
}
