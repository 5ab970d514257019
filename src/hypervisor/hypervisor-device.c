/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor-device.h"

#include "device-edit.h"
#include "domain-xml-device.h"
#include "hypervisor-private.h"

/* --- whole devices ------------------------------------------------------------------------ */

/* NULL if the XML cannot be read: then nothing is waited for. */
static char **
match_devices(virDomainPtr dom, const char *device_xml)
{
    g_autofree char *xml = virDomainGetXMLDesc(dom, 0);

    return xml ? domain_xml_match_devices(xml, device_xml) : NULL;
}

/*
 * The candidates that are still there, one of which the guest may yet let go. NULL if one of them
 * has gone: that was the device to be detached.
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

static bool
update(virDomainPtr dom, const char *xml, unsigned flags, Error **error)
{
    return virDomainUpdateDeviceFlags(dom, xml, flags) == 0 || hypervisor_fail(error);
}

bool
hypervisor_change_device(Hypervisor *h, const char *uuid, DeviceChange change, const char *xml,
                         Affect affect, char ***ret_pending, Error **error)
{
    unsigned flags;
    virDomainPtr dom = hypervisor_domain(h, uuid, error);

    *ret_pending = NULL;
    if (!dom || !hypervisor_resolve_affect(dom, affect, &flags, error) ||
        !hypervisor_pass_gate(h, error))
        return false;
    switch (change) {
    case DEVICE_ATTACH:
        return virDomainAttachDeviceFlags(dom, xml, flags) == 0 || hypervisor_fail(error);
    case DEVICE_DETACH:
        return detach(dom, xml, flags, ret_pending, error);
    case DEVICE_UPDATE:
        return update(dom, xml, flags, error);
    case DEVICE_UPDATE_FORCE:
        return update(dom, xml, flags | VIR_DOMAIN_DEVICE_MODIFY_FORCE, error);
    }
    g_assert_not_reached();
}

/* --- devices by their name ---------------------------------------------------------------- */

/* The arguments of a change; the device is looked up in each configuration. */
typedef struct {
    const char *name; /* the target, MAC or address */
    unsigned index;
    bool up;
    const char *text; /* the medium or the password */
    uint64_t until;
    bool had_password;
} DeviceArgs;

/* Finds the device in a domain's XML and returns its XML with the change. */
typedef char *(*DeviceEdit)(const char *xml, DeviceArgs *args, Error **error);

static char *
edit(virDomainPtr dom, unsigned affect, DeviceEdit make, DeviceArgs *args, Error **error)
{
    unsigned inactive = affect == VIR_DOMAIN_AFFECT_CONFIG ? VIR_DOMAIN_XML_INACTIVE : 0U;
    g_autofree char *xml = hypervisor_read_xml(dom, VIR_DOMAIN_XML_SECURE | inactive, error);

    return xml ? make(xml, args, error) : NULL;
}

/* The same device may look different in the two configurations, so they are updated one by one. */
static bool
update_each(Hypervisor *h, virDomainPtr dom, DeviceEdit make, DeviceArgs *args, unsigned affect,
            unsigned more_flags, Error **error)
{
    const unsigned live = affect & VIR_DOMAIN_AFFECT_LIVE;
    const unsigned config = affect & VIR_DOMAIN_AFFECT_CONFIG;
    g_autofree char *now = live ? edit(dom, live, make, args, error) : NULL;
    g_autofree char *next = NULL;

    if (live && !now)
        return false;
    if (config && !(next = edit(dom, config, make, args, error)))
        return false;
    if (!hypervisor_pass_gate(h, error))
        return false;
    return (!now || update(dom, now, live | more_flags, error)) &&
           (!next || update(dom, next, config | more_flags, error));
}

/* --- links and media ---------------------------------------------------------------------- */

static char *
edit_link(const char *xml, DeviceArgs *args, Error **error)
{
    return device_edit_link(xml, args->name, args->up, error);
}

bool
hypervisor_set_link(Hypervisor *h, const char *uuid, const char *mac, bool up, Affect affect,
                    Error **error)
{
    DeviceArgs args = {.name = mac, .up = up};
    virDomainPtr dom = hypervisor_domain(h, uuid, error);
    unsigned flags;

    return dom && hypervisor_resolve_affect(dom, affect, &flags, error) &&
           update_each(h, dom, edit_link, &args, flags, 0, error);
}

static char *
edit_media(const char *xml, DeviceArgs *args, Error **error)
{
    return device_edit_media(xml, args->name, args->text, error);
}

bool
hypervisor_change_media(Hypervisor *h, const char *uuid, const char *target, const char *source,
                        bool force, Affect affect, Error **error)
{
    DeviceArgs args = {.name = target, .text = source};
    virDomainPtr dom = hypervisor_domain(h, uuid, error);
    unsigned flags;

    return dom && hypervisor_resolve_affect(dom, affect, &flags, error) &&
           update_each(h, dom, edit_media, &args, flags,
                       force ? VIR_DOMAIN_DEVICE_MODIFY_FORCE : 0U, error);
}

/* --- passwords ---------------------------------------------------------------------------- */

static char *
edit_password(const char *xml, DeviceArgs *args, Error **error)
{
    return device_edit_password(xml, args->index, args->text, args->until, &args->had_password,
                                error);
}

/* A server that runs without a password refuses one: leave out the live configuration then. */
static bool
resolve_password(virDomainPtr dom, DeviceArgs *args, Affect affect, unsigned *ret, Error **error)
{
    if (!hypervisor_resolve_affect(dom, affect, ret, error))
        return false;
    if (affect || *ret != (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG))
        return true;

    g_autofree char *now = edit(dom, VIR_DOMAIN_AFFECT_LIVE, edit_password, args, error);
    if (now && !args->had_password)
        *ret = VIR_DOMAIN_AFFECT_CONFIG;
    return now != NULL;
}

bool
hypervisor_set_graphics_password(Hypervisor *h, const char *uuid, unsigned index,
                                 const char *password, uint64_t until, Affect affect, Error **error)
{
    DeviceArgs args = {.index = index, .text = password, .until = until};
    virDomainPtr dom = hypervisor_domain(h, uuid, error);
    unsigned flags;

    return dom && resolve_password(dom, &args, affect, &flags, error) &&
           update_each(h, dom, edit_password, &args, flags, 0, error);
}

/* --- host devices ------------------------------------------------------------------------- */

bool
hypervisor_attach_host_device(Hypervisor *h, const char *uuid, const char *address, Affect affect,
                              Error **error)
{
    g_autofree char *xml = device_edit_new_host_device(address, error);
    char **pending;

    return xml && hypervisor_change_device(h, uuid, DEVICE_ATTACH, xml, affect, &pending, error);
}

static char *
edit_host_device(const char *xml, DeviceArgs *args, Error **error)
{
    return device_edit_find_host_device(xml, args->name, error);
}

/* Find the device in each configuration; without `affect` one of them is enough. */
static bool
find_host_device(virDomainPtr dom, DeviceArgs *args, Affect affect, char **ret_now, char **ret_next,
                 Error **error)
{
    g_autoptr(Error) not_now = NULL;
    g_autoptr(Error) not_next = NULL;
    unsigned flags;

    if (!hypervisor_resolve_affect(dom, affect, &flags, error))
        return false;
    if (flags & VIR_DOMAIN_AFFECT_LIVE)
        *ret_now = edit(dom, VIR_DOMAIN_AFFECT_LIVE, edit_host_device, args, &not_now);
    if (flags & VIR_DOMAIN_AFFECT_CONFIG)
        *ret_next = edit(dom, VIR_DOMAIN_AFFECT_CONFIG, edit_host_device, args, &not_next);
    if (affect ? !not_now && !not_next : *ret_now || *ret_next)
        return true;
    *error = not_now ? g_steal_pointer(&not_now) : g_steal_pointer(&not_next);
    return false;
}

bool
hypervisor_detach_host_device(Hypervisor *h, const char *uuid, const char *address, Affect affect,
                              char ***ret_pending, Error **error)
{
    DeviceArgs args = {.name = address};
    virDomainPtr dom = hypervisor_domain(h, uuid, error);
    g_autofree char *now = NULL;
    g_autofree char *next = NULL;

    *ret_pending = NULL;
    if (!dom || !find_host_device(dom, &args, affect, &now, &next, error) ||
        !hypervisor_pass_gate(h, error))
        return false;
    return (!now || detach(dom, now, VIR_DOMAIN_AFFECT_LIVE, ret_pending, error)) &&
           (!next || detach(dom, next, VIR_DOMAIN_AFFECT_CONFIG, ret_pending, error));
}
