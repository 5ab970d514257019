/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor-config.h"

#include "domain-xml-device.h"
#include "hypervisor-private.h"
#include "hypervisor-traits.h"

/* libvirt's own flags for what is asked; they have the same values for every kind of change. */
static bool
resolve(virDomainPtr dom, Affect affect, unsigned *ret, Error **error)
{
    int active;
    int persistent;

    *ret = (affect & AFFECT_LIVE ? VIR_DOMAIN_AFFECT_LIVE : 0U) |
           (affect & AFFECT_CONFIG ? VIR_DOMAIN_AFFECT_CONFIG : 0U);
    if (affect)
        return true;
    active = virDomainIsActive(dom);
    persistent = active < 0 ? -1 : virDomainIsPersistent(dom);
    if (persistent < 0)
        return hypervisor_fail(error);
    *ret = (active ? VIR_DOMAIN_AFFECT_LIVE : 0U) | (persistent ? VIR_DOMAIN_AFFECT_CONFIG : 0U);
    return true;
}

/* The handle of a domain that is about to be changed; NULL where it must not be. */
static virDomainPtr
prepare(Hypervisor *h, const char *uuid, Affect affect, unsigned *ret_flags, Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);

    if (!dom || !resolve(dom, affect, ret_flags, error) || !hypervisor_pass_gate(h, error))
        return NULL;
    return dom;
}

static bool
sets_memory_once(Hypervisor *h)
{
    const char *type = virConnectGetType(h->conn);

    return type && (hypervisor_traits_of_type(type) & TRAIT_SETS_MEMORY_ONCE);
}

static bool
set_memory(virDomainPtr dom, uint64_t kib, unsigned flags, Error **error)
{
    return virDomainSetMemoryFlags(dom, kib, flags) == 0 || hypervisor_fail(error);
}

bool
hypervisor_set_memory(Hypervisor *h, const char *uuid, uint64_t bytes, Affect affect, Error **error)
{
    unsigned flags;
    virDomainPtr dom = prepare(h, uuid, affect, &flags, error);
    uint64_t kib = bytes / 1024 + (bytes % 1024 ? 1 : 0);
    const unsigned both = VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG;

    if (!dom)
        return false;
    if (flags != both || !sets_memory_once(h))
        return set_memory(dom, kib, flags, error);
    return set_memory(dom, kib, VIR_DOMAIN_AFFECT_CONFIG, error) &&
           set_memory(dom, kib, VIR_DOMAIN_AFFECT_LIVE, error);
}

bool
hypervisor_set_vcpus(Hypervisor *h, const char *uuid, uint32_t count, Affect affect, Error **error)
{
    unsigned flags;
    virDomainPtr dom = prepare(h, uuid, affect, &flags, error);

    if (!dom)
        return false;
    return virDomainSetVcpusFlags(dom, count, flags) == 0 || hypervisor_fail(error);
}

bool
hypervisor_rename(Hypervisor *h, const char *uuid, const char *name, Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);

    if (!dom || !hypervisor_pass_gate(h, error))
        return false;
    return virDomainRename(dom, name, 0) == 0 || hypervisor_fail(error);
}

static bool
set_metadata(Hypervisor *h, const char *uuid, int type, const char *text, Error **error)
{
    unsigned flags;
    virDomainPtr dom = prepare(h, uuid, 0, &flags, error);

    if (!dom)
        return false;
    return virDomainSetMetadata(dom, type, *text ? text : NULL, NULL, NULL, flags) == 0 ||
           hypervisor_fail(error);
}

bool
hypervisor_set_title(Hypervisor *h, const char *uuid, const char *title, Error **error)
{
    return set_metadata(h, uuid, VIR_DOMAIN_METADATA_TITLE, title, error);
}

bool
hypervisor_set_description(Hypervisor *h, const char *uuid, const char *text, Error **error)
{
    return set_metadata(h, uuid, VIR_DOMAIN_METADATA_DESCRIPTION, text, error);
}

/* --- devices ------------------------------------------------------------------------------ */

/* NULL where libvirt does not tell: then nothing is waited for. */
static char **
match_devices(virDomainPtr dom, const char *device_xml)
{
    g_autofree char *xml = virDomainGetXMLDesc(dom, 0);

    return xml ? domain_xml_match_devices(xml, device_xml) : NULL;
}

/*
 * Of several candidates one that left is the one that was meant; what is still there may yet go.
 */
static char **
still_there(virDomainPtr dom, const char *device_xml, char **before)
{
    g_auto(GStrv) after = match_devices(dom, device_xml);

    if (!after || g_strv_length(after) < g_strv_length(before))
        return NULL;
    return g_steal_pointer(&after);
}

static bool
detach(virDomainPtr dom, const char *xml, unsigned flags, char ***ret_pending, Error **error)
{
    g_auto(GStrv) before = flags & VIR_DOMAIN_AFFECT_LIVE ? match_devices(dom, xml) : NULL;

    if (virDomainDetachDeviceFlags(dom, xml, flags) < 0)
        return hypervisor_fail(error);
    if (before && *before)
        *ret_pending = still_there(dom, xml, before);
    return true;
}

bool
hypervisor_change_device(Hypervisor *h, const char *uuid, DeviceChange change, const char *xml,
                         Affect affect, char ***ret_pending, Error **error)
{
    unsigned flags;
    virDomainPtr dom = prepare(h, uuid, affect, &flags, error);

    *ret_pending = NULL;
    if (!dom)
        return false;
    switch (change) {
    case DEVICE_ATTACH:
        return virDomainAttachDeviceFlags(dom, xml, flags) == 0 || hypervisor_fail(error);
    case DEVICE_UPDATE:
        return virDomainUpdateDeviceFlags(dom, xml, flags) == 0 || hypervisor_fail(error);
    case DEVICE_DETACH:
        break;
    }
    return detach(dom, xml, flags, ret_pending, error);
}
