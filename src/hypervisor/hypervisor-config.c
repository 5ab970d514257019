/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor-config.h"

#include "cpu-set.h"
#include "domain-edit.h"
#include "domain-settings.h"
#include "hypervisor-private.h"
#include "units.h"

/* How often an edit starts again because others have changed the configuration. */
#define EDITS_MAX 4

bool
hypervisor_resolve_affect(virDomainPtr dom, Affect affect, unsigned *ret, Error **error)
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

    if (!dom || !hypervisor_resolve_affect(dom, affect, ret_flags, error) ||
        !hypervisor_pass_gate(h, error))
        return NULL;
    return dom;
}

/* libvirt takes an unsigned long, which on a processor of 32 bits ends before 4 TiB. */
static bool
set_memory(virDomainPtr dom, uint64_t kib, unsigned flags, Error **error)
{
    if ((unsigned long)kib != kib) {
        *error = error_new(ERROR_OPERATION_FAILED,
                           "libvirt cannot be told of as much as %" G_GUINT64_FORMAT
                           " KiB of memory on this machine",
                           kib);
        return false;
    }
    return virDomainSetMemoryFlags(dom, (unsigned long)kib, flags) == 0 || hypervisor_fail(error);
}

bool
hypervisor_set_memory(Hypervisor *h, const char *uuid, uint64_t bytes, Affect affect, Error **error)
{
    unsigned flags;
    virDomainPtr dom = prepare(h, uuid, affect, &flags, error);
    uint64_t kib = bytes / KIB + (bytes % KIB ? 1 : 0);
    const unsigned both = VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG;

    if (!dom)
        return false;
    if (flags != both || !(hypervisor_traits(h) & TRAIT_SETS_MEMORY_ONCE))
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

/* --- pins --------------------------------------------------------------------------------- */

/* The error names the vCPU that it is about. */
static bool
fail_pin(uint32_t vcpu, Error **error)
{
    hypervisor_fail(error);

    g_autofree char *words = g_steal_pointer(&(*error)->message);
    (*error)->message = g_strdup_printf("vCPU %u: %s", vcpu, words);
    return false;
}

/* The pins as bitmaps, each a GByteArray; NULL if one of them is no set of CPUs. */
static GPtrArray *
parse_pins(const CpuPin *pins, unsigned n_pins, Error **error)
{
    g_autoptr(GPtrArray) maps = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);

    for (unsigned i = 0; i < n_pins; i++) {
        GByteArray *map = cpu_set_parse(pins[i].cpus);

        if (!map) {
            *error = error_new(ERROR_INVALID_ARGS, "vCPU %u: \"%s\" is no set of CPUs",
                               pins[i].vcpu, pins[i].cpus);
            return NULL;
        }
        g_ptr_array_add(maps, map);
    }
    return g_steal_pointer(&maps);
}

bool
hypervisor_set_cpu_pins(Hypervisor *h, const char *uuid, const CpuPin *pins, unsigned n_pins,
                        Affect affect, Error **error)
{
    unsigned flags;
    g_autoptr(GPtrArray) maps = parse_pins(pins, n_pins, error);
    virDomainPtr dom = maps ? prepare(h, uuid, affect, &flags, error) : NULL;

    if (!dom)
        return false;
    for (unsigned i = 0; i < n_pins; i++) {
        GByteArray *map = maps->pdata[i];

        if (virDomainPinVcpuFlags(dom, pins[i].vcpu, map->data, (int)map->len, flags) < 0)
            return fail_pin(pins[i].vcpu, error);
    }
    return true;
}

/* --- boot order --------------------------------------------------------------------------- */

static char *
read_configuration(virDomainPtr dom, Error **error)
{
    int persistent = virDomainIsPersistent(dom);

    if (persistent == 0) {
        /* Defining its XML would make it persistent. */
        *error = error_new(ERROR_INVALID_STATE, "A transient domain has no configuration");
        return NULL;
    }
    if (persistent < 0) {
        hypervisor_fail(error);
        return NULL;
    }
    return hypervisor_read_xml(dom, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE, error);
}

static bool
define(Hypervisor *h, const char *xml, Error **error)
{
    if (!hypervisor_pass_gate(h, error))
        return false;

    g_auto(VirDomain) defined = virDomainDefineXMLFlags(h->conn, xml, 0);
    return defined || hypervisor_fail(error);
}

static bool
names_host_device(const char *const *order)
{
    for (unsigned i = 0; order[i]; i++)
        if (g_str_has_prefix(order[i], "hostdev:"))
            return true;
    return false;
}

/* Others may redefine the domain meanwhile: compare right before defining, and start again. */
bool
hypervisor_set_boot_order(Hypervisor *h, const char *uuid, const char *const *order, Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);
    g_autofree char *xml = dom ? read_configuration(dom, error) : NULL;
    g_autofree char *running =
        xml && names_host_device(order) ? hypervisor_read_xml(dom, 0, error) : NULL;

    if (xml && names_host_device(order) && !running)
        return false;
    for (unsigned i = 0; xml && i < EDITS_MAX; i++) {
        g_autofree char *edited = domain_edit_boot_order(xml, running, order, error);
        g_autofree char *now = edited ? read_configuration(dom, error) : NULL;

        if (!now)
            return false;
        if (g_str_equal(now, xml))
            return define(h, edited, error);
        free(xml);
        xml = g_steal_pointer(&now);
    }
    if (xml)
        *error = error_new(ERROR_OPERATION_FAILED, "Others keep changing the configuration");
    return false;
}

/* --- names and metadata ------------------------------------------------------------------- */

bool
hypervisor_rename(Hypervisor *h, const char *uuid, const char *name, Error **error)
{
    virDomainPtr dom = hypervisor_begin_change(h, uuid, error);

    if (!dom)
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

/* In the configuration that `flag` names. */
static bool
set_stop_timeout(virDomainPtr dom, uint64_t usec, unsigned flag, Error **error)
{
    const int type = VIR_DOMAIN_METADATA_ELEMENT;
    g_autofree char *old = virDomainGetMetadata(dom, type, DOMAIN_SETTINGS_NAMESPACE, flag);

    if (!old && !hypervisor_failed_with(VIR_ERR_NO_DOMAIN_METADATA))
        return hypervisor_fail(error);

    g_autofree char *settings = domain_edit_settings(old, usec);
    return virDomainSetMetadata(dom, type, settings, DOMAIN_SETTINGS_PREFIX,
                                DOMAIN_SETTINGS_NAMESPACE, flag) == 0 ||
           hypervisor_fail(error);
}

bool
hypervisor_set_stop_timeout(Hypervisor *h, const char *uuid, uint64_t usec, Error **error)
{
    unsigned flags;
    virDomainPtr dom = prepare(h, uuid, 0, &flags, error);

    if (!dom)
        return false;
    return (!(flags & VIR_DOMAIN_AFFECT_LIVE) ||
            set_stop_timeout(dom, usec, VIR_DOMAIN_AFFECT_LIVE, error)) &&
           (!(flags & VIR_DOMAIN_AFFECT_CONFIG) ||
            set_stop_timeout(dom, usec, VIR_DOMAIN_AFFECT_CONFIG, error));
}
