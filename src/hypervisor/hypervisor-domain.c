/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor-domain.h"

#include "domain-xml.h"
#include "hypervisor-private.h"
#include "utf8.h"

static bool
read_xml(virDomainPtr dom, DomainUpdate *update, Error **error)
{
    g_autofree char *xml = hypervisor_read_xml(dom, 0, error);

    if (!xml)
        return false;
    domain_xml_read(xml, update);
    if (!update->is_active)
        return true;

    g_autofree char *next = hypervisor_read_xml(dom, VIR_DOMAIN_XML_INACTIVE, error);
    if (!next)
        return false;
    domain_xml_read_next(next, update);
    return true;
}

bool
hypervisor_read_facts(Hypervisor *h, DomainFacts facts, DomainUpdate *update, Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, update->uuid, error);

    if (!dom)
        return false;
    if (facts & FACT_PERSISTENT) {
        int persistent = virDomainIsPersistent(dom);

        if (persistent < 0)
            return hypervisor_fail(error);
        update->persistent = persistent;
        update->known |= FACT_PERSISTENT;
    }
    if (facts & FACT_AUTOSTART) {
        int autostart = 0;

        if (virDomainGetAutostart(dom, &autostart) < 0)
            return hypervisor_fail(error);
        update->autostart = autostart;
        update->known |= FACT_AUTOSTART;
    }
    if (!hypervisor_read_saved_facts(dom, facts, update, error))
        return false;
    if (facts & FACT_XML)
        return read_xml(dom, update, error);
    return true;
}

bool
hypervisor_await_lock(Hypervisor *h, const char *uuid)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, NULL);

    return dom && virDomainIsActive(dom) >= 0;
}

char *
hypervisor_find(Hypervisor *h, const char *name_or_uuid, Error **error)
{
    char uuid[VIR_UUID_STRING_BUFLEN];
    virDomainPtr dom = NULL;

    if (domain_uuid_parse(name_or_uuid, uuid))
        dom = virDomainLookupByUUIDString(h->conn, uuid);
    if (!dom)
        dom = virDomainLookupByName(h->conn, name_or_uuid);
    if (!dom) {
        hypervisor_fail(error);
        return NULL;
    }
    hypervisor_uuid(dom, uuid);
    hypervisor_keep_domain(h, uuid, dom);
    return g_strdup(uuid);
}

char *
hypervisor_get_xml(Hypervisor *h, const char *uuid, XmlFlags flags, Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);
    unsigned libvirt_flags = (flags & XML_INACTIVE ? VIR_DOMAIN_XML_INACTIVE : 0) |
                             (flags & XML_SECURE ? VIR_DOMAIN_XML_SECURE : 0);
    g_autofree char *xml = hypervisor_read_xml(dom, libvirt_flags, error);

    return xml ? utf8_for_bus(xml) : NULL;
}

/* --- changes ------------------------------------------------------------------------------ */

/* A driver that knows but one way to ask a guest takes no flag for it. */
static unsigned
way(const Hypervisor *h, unsigned flag)
{
    return hypervisor_traits(h) & TRAIT_WAYS_TO_ASK ? flag : 0;
}

static int
call_verb(const Hypervisor *h, virDomainPtr dom, DomainVerb verb)
{
    switch (verb) {
    case VERB_CREATE:
        return virDomainCreate(dom);
    case VERB_CREATE_PAUSED:
        return virDomainCreateWithFlags(dom, VIR_DOMAIN_START_PAUSED);
    case VERB_RESUME:
        return virDomainResume(dom);
    case VERB_WAKEUP:
        return virDomainPMWakeup(dom, 0);
    case VERB_SUSPEND:
        return virDomainSuspend(dom);
    case VERB_SHUTDOWN_AGENT:
        return virDomainShutdownFlags(dom, way(h, VIR_DOMAIN_SHUTDOWN_GUEST_AGENT));
    case VERB_SHUTDOWN_ACPI:
        return virDomainShutdownFlags(dom, way(h, VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN));
    case VERB_DESTROY:
        return virDomainDestroy(dom);
    case VERB_REBOOT_AGENT:
        return virDomainReboot(dom, way(h, VIR_DOMAIN_REBOOT_GUEST_AGENT));
    case VERB_REBOOT_ACPI:
        return virDomainReboot(dom, way(h, VIR_DOMAIN_REBOOT_ACPI_POWER_BTN));
    case VERB_RESET:
        return virDomainReset(dom, 0);
    default:
        g_assert_not_reached(); /* a long call: hypervisor_do_long() */
    }
}

bool
hypervisor_do(Hypervisor *h, const char *uuid, DomainVerb verb, Error **error)
{
    virDomainPtr dom = hypervisor_begin_change(h, uuid, error);

    if (!dom)
        return false;
    return call_verb(h, dom, verb) == 0 || hypervisor_fail(error);
}

bool
hypervisor_set_autostart(Hypervisor *h, const char *uuid, bool autostart, Error **error)
{
    virDomainPtr dom = hypervisor_begin_change(h, uuid, error);

    if (!dom)
        return false;
    return virDomainSetAutostart(dom, autostart) == 0 || hypervisor_fail(error);
}

#if !LIBVIR_CHECK_VERSION(8, 9, 0)
/* A libvirt that does not know them refuses them. */
#define VIR_DOMAIN_UNDEFINE_TPM      (1 << 5)
#define VIR_DOMAIN_UNDEFINE_KEEP_TPM (1 << 6)
#endif

static unsigned
undefine_flags(UndefineFlags flags)
{
    static const unsigned libvirt_flags[] = {
        VIR_DOMAIN_UNDEFINE_MANAGED_SAVE,
        VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA,
        VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA,
        VIR_DOMAIN_UNDEFINE_NVRAM,
        VIR_DOMAIN_UNDEFINE_KEEP_NVRAM,
        VIR_DOMAIN_UNDEFINE_TPM,
        VIR_DOMAIN_UNDEFINE_KEEP_TPM,
    };
    unsigned mask = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(libvirt_flags); i++)
        if (flags & 1U << i)
            mask |= libvirt_flags[i];
    return mask;
}

bool
hypervisor_undefine(Hypervisor *h, const char *uuid, UndefineFlags flags, Error **error)
{
    virDomainPtr dom = hypervisor_begin_change(h, uuid, error);

    if (!dom)
        return false;
    return virDomainUndefineFlags(dom, undefine_flags(flags)) == 0 || hypervisor_fail(error);
}

char *
hypervisor_define(Hypervisor *h, const char *xml, Error **error)
{
    char uuid[VIR_UUID_STRING_BUFLEN];

    if (!hypervisor_pass_gate(h, error))
        return NULL;

    g_auto(VirDomain) dom = virDomainDefineXMLFlags(h->conn, xml, 0);
    if (!dom) {
        hypervisor_fail(error);
        return NULL;
    }
    hypervisor_uuid(dom, uuid);
    return g_strdup(uuid);
}
