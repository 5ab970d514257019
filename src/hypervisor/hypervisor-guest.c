/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor-guest.h"

#include "clock.h"
#include "domain-xml.h"
#include "hypervisor-private.h"
#include "utf8.h"

/* Bounds the answer that a guest can make us build. */
#define ROWS_MAX 1024

#define EARLY_USEC (G_USEC_PER_SEC / 2)

#if !LIBVIR_CHECK_VERSION(11, 2, 0)
#define VIR_ERR_AGENT_COMMAND_FAILED 113
#endif

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

/* --- reads of the agent ------------------------------------------------------------------- */

/*
 * The time-out is the domain's: it holds for whatever asks the agent. So it is set for each read,
 * and what libvirt has by default comes back after it.
 */
typedef struct {
    virDomainPtr dom;
    uint64_t begun;
} AgentRead;

static void
set_timeout(virDomainPtr dom, int timeout)
{
    if (virDomainAgentSetResponseTimeout(dom, timeout, 0) < 0)
        virResetLastError(); /* not every driver has one */
}

static AgentRead
agent_read_begin(virDomainPtr dom)
{
    set_timeout(dom, AGENT_TIMEOUT_SEC);
    return (AgentRead){.dom = dom, .begun = clock_now_usec()};
}

static void
agent_read_end(AgentRead *read)
{
    set_timeout(read->dom, VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AgentRead, agent_read_end)

/*
 * Whether libvirt has given up waiting. It waits until a whole millisecond of the time of day, so
 * it may give up before its time-out: shortly before is late, too.
 */
static bool
is_late(uint64_t begun)
{
    return clock_now_usec() - begun >= (uint64_t)AGENT_TIMEOUT_SEC * G_USEC_PER_SEC - EARLY_USEC;
}

/*
 * The agent has answered, and does not do this: it is too old for it, or it may not. Without a call
 * to libvirt, which would clear the error.
 */
static bool
agent_refuses(const AgentRead *read)
{
    bool is_cut = virGetLastErrorDomain() == VIR_FROM_RPC;

    return !is_late(read->begun) && !is_cut &&
           (hypervisor_failed_with(VIR_ERR_INTERNAL_ERROR) || hypervisor_is_unsupported() ||
            hypervisor_failed_with(VIR_ERR_AGENT_COMMAND_FAILED));
}

static bool
agent_is_connected(virDomainPtr dom)
{
    g_autofree char *xml = virDomainGetXMLDesc(dom, 0);
    g_autoptr(DomainUpdate) update = domain_update_new("");

    return xml && domain_xml_read(xml, update) && update->config.agent_connected;
}

bool
hypervisor_agent_fail(virDomainPtr dom, uint64_t begun, Error **error)
{
    bool late = is_late(begun);
    int code = virGetLastErrorCode();

    if (code == VIR_ERR_OK)
        *error = late ? error_new(ERROR_TIMEOUT, "The guest's agent does not answer")
                      : error_new(ERROR_OPERATION_FAILED, "The guest's agent does not tell this");
    else
        hypervisor_fail(error);
    if (code == VIR_ERR_AGENT_UNRESPONSIVE && (late || agent_is_connected(dom)))
        (*error)->kind = ERROR_TIMEOUT;
    return false;
}

bool
hypervisor_agent_answers(virDomainPtr dom)
{
    g_auto(AgentRead) read = agent_read_begin(dom);
    long long seconds;
    unsigned nanoseconds;

    return virDomainGetTime(read.dom, &seconds, &nanoseconds, 0) == 0;
}

/* --- addresses ---------------------------------------------------------------------------- */

static const struct {
    const char *name;
    unsigned libvirt_source;
} sources[] = {
    [ADDRESSES_LEASE] = {"lease", VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE},
    [ADDRESSES_AGENT] = {"agent", VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT},
    [ADDRESSES_ARP] = {"arp", VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP},
};

static void
put_text(RowBuilder *rows, RowKey key, const char *text)
{
    g_autofree char *clean = utf8_for_bus(text);

    row_builder_text(rows, key, clean);
}

static void
put_address(RowBuilder *rows, const char *interface, const char *mac, const char *address,
            unsigned prefix, const char *source)
{
    row_builder_begin(rows);
    put_text(rows, ROW_INTERFACE, interface);
    put_text(rows, ROW_MAC, mac);
    put_text(rows, ROW_ADDRESS, address);
    row_builder_number(rows, ROW_PREFIX, prefix);
    put_text(rows, ROW_SOURCE, source);
    row_builder_end(rows);
}

static void
free_interfaces(virDomainInterfacePtr *interfaces, int n)
{
    for (int i = 0; i < n; i++)
        virDomainInterfaceFree(interfaces[i]);
    free(interfaces);
}

static GBytes *
rows_of_interfaces(virDomainInterfacePtr *interfaces, int n, const char *source)
{
    g_auto(RowBuilder) rows = {0};
    unsigned n_rows = 0;

    for (int i = 0; i < n; i++)
        for (unsigned j = 0; j < interfaces[i]->naddrs && n_rows < ROWS_MAX; j++, n_rows++)
            put_address(&rows, interfaces[i]->name, interfaces[i]->hwaddr,
                        interfaces[i]->addrs[j].addr, interfaces[i]->addrs[j].prefix, source);
    return row_builder_take(&rows);
}

static bool
read_addresses(virDomainPtr dom, AddressSource source, GBytes **ret)
{
    virDomainInterfacePtr *interfaces = NULL;
    int n = virDomainInterfaceAddresses(dom, &interfaces, sources[source].libvirt_source, 0);

    if (n < 0)
        return false;
    *ret = rows_of_interfaces(interfaces, n, sources[source].name);
    free_interfaces(interfaces, n);
    return true;
}

bool
hypervisor_guest_addresses(Hypervisor *h, const char *uuid, AddressSource source, GBytes **ret,
                           Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);

    if (!dom)
        return false;
    if (source != ADDRESSES_AGENT)
        return read_addresses(dom, source, ret) || hypervisor_fail(error);

    g_auto(AgentRead) read = agent_read_begin(dom);
    return read_addresses(dom, source, ret) || hypervisor_agent_fail(dom, read.begun, error);
}

/* --- leases ------------------------------------------------------------------------------- */

/* A network that is gone meanwhile has none. */
static void
put_leases(RowBuilder *rows, virNetworkPtr network)
{
    virNetworkDHCPLeasePtr *leases = NULL;

    if (virNetworkGetDHCPLeases(network, NULL, &leases, 0) < 0)
        return;
    int n = hypervisor_count((void **)leases);
    for (int i = 0; i < n; i++) {
        row_builder_begin(rows);
        put_text(rows, ROW_MAC, leases[i]->mac);
        put_text(rows, ROW_ADDRESS, leases[i]->ipaddr);
        row_builder_number(rows, ROW_PREFIX, leases[i]->prefix);
        put_text(rows, ROW_NAME, leases[i]->hostname);
        row_builder_end(rows);
        virNetworkDHCPLeaseFree(leases[i]);
    }
    free(leases);
}

bool
hypervisor_read_leases(Hypervisor *h, GBytes **ret, Error **error)
{
    virNetworkPtr *networks = NULL;
    g_auto(RowBuilder) rows = {0};

    if (virConnectListAllNetworks(h->conn, &networks, VIR_CONNECT_LIST_NETWORKS_ACTIVE) < 0)
        return hypervisor_fail(error);
    int n = hypervisor_count((void **)networks);
    for (int i = 0; i < n; i++) {
        put_leases(&rows, networks[i]);
        virNetworkFree(networks[i]);
    }
    free(networks);
    *ret = row_builder_take(&rows);
    return true;
}

/* --- what the guest says of itself -------------------------------------------------------- */

static const char *
get_text(const Params *params, const char *key)
{
    const char *text = NULL;

    virTypedParamsGetString(params->params, params->n, key, &text);
    return text;
}

/* NULL where the agent tells none of it. A guest without /etc/os-release still has a kernel. */
static GBytes *
rows_of_os(const Params *params)
{
    static const struct {
        RowKey key;
        const char *name;
    } texts[] = {
        {ROW_ID, "os.id"},
        {ROW_NAME, "os.name"},
        {ROW_VERSION, "os.version"},
        {ROW_KERNEL, "os.kernel-release"},
    };
    g_auto(RowBuilder) rows = {0};
    bool any = false;

    row_builder_begin(&rows);
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        const char *text = get_text(params, texts[i].name);

        any = any || text;
        if (text)
            put_text(&rows, texts[i].key, text);
    }
    row_builder_end(&rows);
    return any ? row_builder_take(&rows) : NULL;
}

static void
put_interface(RowBuilder *rows, const Params *params, unsigned interface, unsigned *n_rows)
{
    g_autofree char *name = g_strdup_printf("if.%u.name", interface);
    g_autofree char *mac = g_strdup_printf("if.%u.hwaddr", interface);
    g_autofree char *count = g_strdup_printf("if.%u.addr.count", interface);
    unsigned n = 0;

    virTypedParamsGetUInt(params->params, params->n, count, &n);
    for (unsigned i = 0; i < n && *n_rows < ROWS_MAX; i++, (*n_rows)++) {
        g_autofree char *address = g_strdup_printf("if.%u.addr.%u.addr", interface, i);
        g_autofree char *prefix_key = g_strdup_printf("if.%u.addr.%u.prefix", interface, i);
        unsigned prefix = 0;

        virTypedParamsGetUInt(params->params, params->n, prefix_key, &prefix);
        put_address(rows, get_text(params, name), get_text(params, mac), get_text(params, address),
                    prefix, sources[ADDRESSES_AGENT].name);
    }
}

static GBytes *
rows_of_info(const Params *params)
{
    g_auto(RowBuilder) rows = {0};
    unsigned n_rows = 0;
    unsigned n = 0;

    virTypedParamsGetUInt(params->params, params->n, "if.count", &n);
    for (unsigned i = 0; i < MIN(n, ROWS_MAX) && n_rows < ROWS_MAX; i++)
        put_interface(&rows, params, i, &n_rows);
    return row_builder_take(&rows);
}

/* The call cannot ask for addresses in libvirt before 7.10. */
#if LIBVIR_CHECK_VERSION(7, 10, 0)
#define INFO_ADDRESSES VIR_DOMAIN_GUEST_INFO_INTERFACES
#else
#define INFO_ADDRESSES 0
#endif

/* Add what is answered; false where nothing is. */
static bool
read_info(const AgentRead *read, GuestFacts wanted, GuestUpdate *update)
{
    unsigned types = (wanted & GUEST_HOSTNAME ? VIR_DOMAIN_GUEST_INFO_HOSTNAME : 0U) |
                     (wanted & GUEST_OS_INFO ? VIR_DOMAIN_GUEST_INFO_OS : 0U) |
                     (wanted & GUEST_ADDRESSES ? INFO_ADDRESSES : 0U);
    g_auto(Params) params = {0};

    /* Without a type libvirt asks for all. */
    if (!types || virDomainGetGuestInfo(read->dom, types, &params.params, &params.n, 0) < 0)
        return false;
    if (is_late(read->begun))
        return false;
    if (get_text(&params, "hostname")) {
        update->guest.hostname = utf8_for_bus(get_text(&params, "hostname"));
        update->known |= GUEST_HOSTNAME;
    }
    if (wanted & GUEST_OS_INFO) {
        update->guest.os_info = rows_of_os(&params);
        update->known |= GUEST_OS_INFO;
    }
    if (virTypedParamsGet(params.params, params.n, "if.count")) {
        update->guest.addresses = rows_of_info(&params);
        update->known |= GUEST_ADDRESSES;
    }
    return update->known != 0;
}

static bool
read_addresses_apart(const AgentRead *read, GuestFacts wanted, GuestUpdate *update)
{
    GuestFacts others = wanted & ~(unsigned)GUEST_ADDRESSES;

    if (others && !read_info(read, others, update) && !agent_refuses(read))
        return false;
    if (read_addresses(read->dom, ADDRESSES_AGENT, &update->guest.addresses))
        update->known |= GUEST_ADDRESSES;
    return update->known != 0 && !is_late(read->begun);
}

static bool
read_facts(const AgentRead *read, GuestFacts wanted, GuestUpdate *update)
{
    bool may_be_apart = (wanted & GUEST_ADDRESSES) != 0;

    if (!INFO_ADDRESSES && may_be_apart)
        return read_addresses_apart(read, wanted, update);
    if (read_info(read, wanted, update))
        return true;
    /* The daemon is older than the library; or a fact that the agent refuses fails the whole call.
     */
    return may_be_apart && (hypervisor_failed_with(VIR_ERR_INVALID_ARG) || agent_refuses(read)) &&
           read_addresses_apart(read, wanted, update);
}

bool
hypervisor_guest_read(Hypervisor *h, const char *uuid, GuestFacts wanted, GuestUpdate *ret,
                      Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);
    GuestFacts others = wanted & ~(unsigned)GUEST_OS_INFO;

    *ret = (GuestUpdate){0};
    if (!dom)
        return false;
    g_auto(AgentRead) read = agent_read_begin(dom);
    bool answered = !others || read_facts(&read, others, ret);
    /* An agent that does not know the OS fails the whole call, so it is one of its own. */
    if (answered && (wanted & GUEST_OS_INFO) && !read_info(&read, GUEST_OS_INFO, ret)) {
        answered = others != 0;
        ret->known |= agent_refuses(&read) ? (unsigned)GUEST_OS_INFO : 0U;
    }
    if (answered)
        return true;
    hypervisor_agent_fail(dom, read.begun, error);
    guest_clear(&ret->guest);
    return false;
}

/* virDomainGetHostname() says of every failure of the agent that there is no name. */
char *
hypervisor_guest_hostname(Hypervisor *h, const char *uuid, Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);
    GuestUpdate update = {0};

    if (!dom)
        return NULL;
    g_auto(AgentRead) read = agent_read_begin(dom);
    char *name = read_info(&read, GUEST_HOSTNAME, &update) ? update.guest.hostname : NULL;
    if (!name && hypervisor_is_unsupported()) {
        g_autofree char *older = virDomainGetHostname(dom, 0);
        name = older ? utf8_for_bus(older) : NULL;
    }
    if (name)
        name[utf8_prefix(name, ROW_TEXT_MAX)] = '\0';
    else
        hypervisor_agent_fail(dom, read.begun, error);
    return name;
}

/* --- file systems ------------------------------------------------------------------------- */

static const char *
get_fs_text(const Params *params, unsigned row, const char *field)
{
    g_autofree char *key = g_strdup_printf("fs.%u.%s", row, field);

    return get_text(params, key);
}

static void
put_size(RowBuilder *rows, RowKey key, const Params *params, unsigned row, const char *field)
{
    g_autofree char *name = g_strdup_printf("fs.%u.%s", row, field);
    unsigned long long size = 0;

    if (virTypedParamsGetULLong(params->params, params->n, name, &size) == 1)
        row_builder_number(rows, key, size);
}

static void
put_filesystem(RowBuilder *rows, const Params *params, unsigned row)
{
    /* The device node of the disk below it where the agent knows that, else the kernel's name. */
    const char *device = get_fs_text(params, row, "disk.0.device");

    row_builder_begin(rows);
    put_text(rows, ROW_MOUNTPOINT, get_fs_text(params, row, "mountpoint"));
    put_text(rows, ROW_DEVICE, device ? device : get_fs_text(params, row, "name"));
    put_text(rows, ROW_TYPE, get_fs_text(params, row, "fstype"));
    put_size(rows, ROW_TOTAL, params, row, "total-bytes");
    put_size(rows, ROW_USED, params, row, "used-bytes");
    row_builder_end(rows);
}

static GBytes *
rows_of_filesystems(const Params *params)
{
    g_auto(RowBuilder) rows = {0};
    unsigned n = 0;

    virTypedParamsGetUInt(params->params, params->n, "fs.count", &n);
    for (unsigned i = 0; i < MIN(n, ROWS_MAX); i++)
        put_filesystem(&rows, params, i);
    return row_builder_take(&rows);
}

/* For drivers that know no sizes. */
static bool
list_filesystems(virDomainPtr dom, GBytes **ret)
{
    virDomainFSInfoPtr *infos = NULL;
    g_auto(RowBuilder) rows = {0};
    int n = virDomainGetFSInfo(dom, &infos, 0);

    if (n < 0)
        return false;
    for (int i = 0; i < n; i++) {
        if (i < ROWS_MAX) {
            row_builder_begin(&rows);
            put_text(&rows, ROW_MOUNTPOINT, infos[i]->mountpoint);
            put_text(&rows, ROW_DEVICE, infos[i]->name);
            put_text(&rows, ROW_TYPE, infos[i]->fstype);
            row_builder_end(&rows);
        }
        virDomainFSInfoFree(infos[i]);
    }
    free(infos);
    *ret = row_builder_take(&rows);
    return true;
}

bool
hypervisor_guest_filesystems(Hypervisor *h, const char *uuid, GBytes **ret, Error **error)
{
    const unsigned type = VIR_DOMAIN_GUEST_INFO_FILESYSTEM;
    virDomainPtr dom = hypervisor_domain(h, uuid, error);
    g_auto(Params) params = {0};

    if (!dom)
        return false;
    g_auto(AgentRead) read = agent_read_begin(dom);
    if (virDomainGetGuestInfo(dom, type, &params.params, &params.n, 0) == 0 &&
        virTypedParamsGet(params.params, params.n, "fs.count")) {
        *ret = rows_of_filesystems(&params);
        return true;
    }
    return (hypervisor_is_unsupported() && list_filesystems(dom, ret)) ||
           hypervisor_agent_fail(dom, read.begun, error);
}

/* --- changes ------------------------------------------------------------------------------ */

bool
hypervisor_guest_freeze(Hypervisor *h, const char *uuid, const char *const *mountpoints,
                        Error **error)
{
    virDomainPtr dom = hypervisor_begin_change(h, uuid, error);
    unsigned n = mountpoints ? g_strv_length((char **)mountpoints) : 0;
    uint64_t begun = clock_now_usec();

    if (!dom)
        return false;
    return virDomainFSFreeze(dom, (const char **)mountpoints, n, 0) >= 0 ||
           hypervisor_agent_fail(dom, begun, error);
}

bool
hypervisor_guest_thaw(Hypervisor *h, const char *uuid, Error **error)
{
    virDomainPtr dom = hypervisor_begin_change(h, uuid, error);
    uint64_t begun = clock_now_usec();

    if (!dom)
        return false;
    return virDomainFSThaw(dom, NULL, 0, 0) >= 0 || hypervisor_agent_fail(dom, begun, error);
}

bool
hypervisor_guest_trim(Hypervisor *h, const char *uuid, uint64_t minimum, Error **error)
{
    virDomainPtr dom = hypervisor_begin_change(h, uuid, error);
    uint64_t begun = clock_now_usec();

    if (!dom)
        return false;
    return virDomainFSTrim(dom, NULL, minimum, 0) == 0 || hypervisor_agent_fail(dom, begun, error);
}

bool
hypervisor_guest_set_password(Hypervisor *h, const char *uuid, const char *user,
                              const char *password, bool crypted, Error **error)
{
    virDomainPtr dom = hypervisor_begin_change(h, uuid, error);
    uint64_t begun = clock_now_usec();

    if (!dom)
        return false;
    return virDomainSetUserPassword(dom, user, password,
                                    crypted ? VIR_DOMAIN_PASSWORD_ENCRYPTED : 0) == 0 ||
           hypervisor_agent_fail(dom, begun, error);
}

bool
hypervisor_guest_set_time(Hypervisor *h, const char *uuid, bool sync, Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);
    gint64 now = (gint64)clock_realtime_usec();
    long long seconds = sync ? 0 : now / G_USEC_PER_SEC;
    unsigned nanoseconds = sync ? 0U : (unsigned)(now % G_USEC_PER_SEC) * 1000U;
    uint64_t begun = clock_now_usec();

    if (!dom)
        return false;
    /* libvirt would look for a feature of a QEMU that is not there. */
    if (virDomainIsActive(dom) == 0) {
        *error = error_new(ERROR_INVALID_STATE, "The domain is not running");
        return false;
    }
    if (!hypervisor_pass_gate(h, error))
        return false;
    return virDomainSetTime(dom, seconds, nanoseconds, sync ? VIR_DOMAIN_TIME_SYNC : 0) == 0 ||
           hypervisor_agent_fail(dom, begun, error);
}
