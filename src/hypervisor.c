/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor.h"

#include "domain-xml.h"
#include "hypervisor-reason.h"

#include <errno.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <string.h>

/* A dead daemon is noticed after interval x (count + 1): well within a client's patience. */
#define KEEPALIVE_INTERVAL_SEC 3
#define KEEPALIVE_COUNT        2

typedef struct {
    gint n_ref; /* atomic: the event thread drops its own */
    const HypervisorWatcher *watcher;
    void *userdata;
    unsigned generation;
} Watch;

struct Hypervisor {
    virConnectPtr conn;
    GHashTable *domains; /* uuid -> virDomainPtr, so that a call needs no look-up first */
    Watch *watch;
    GArray *callbacks; /* ids of registered events */
    bool has_close_callback;
    gint *gate;
};

typedef virDomainPtr VirDomain;
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(VirDomain, virDomainFree, NULL)

static struct {
    GThread *thread;
    int wakeup_timer;
    gint quit;
} library;

void
hypervisor_identity_clear(HypervisorIdentity *identity)
{
    g_clear_pointer(&identity->hostname, g_free);
    g_clear_pointer(&identity->type, g_free);
    g_clear_pointer(&identity->version, g_free);
    g_clear_pointer(&identity->libvirt_version, g_free);
}

/* --- errors ------------------------------------------------------------------------------- */

static ErrorKind
error_kind_of(int code)
{
    return code == VIR_ERR_NO_DOMAIN ? ERROR_NO_SUCH_DOMAIN : ERROR_OPERATION_FAILED;
}

/* libvirt's last error of this thread. To be called before anything else, a free included. */
static bool
fail(Error **error)
{
    virErrorPtr last = virGetLastError();

    if (error && !*error) {
        *error = error_new(last ? error_kind_of(last->code) : ERROR_OPERATION_FAILED, "%s",
                           last && last->message ? last->message : "libvirt gave no reason");
        (*error)->libvirt_code = last ? last->code : 0;
    }
    return false;
}

static Status
status_of_errno(int code)
{
    switch (code) {
    case ECONNREFUSED:
    case ENOENT:
        return STATUS_STOPPED;
    case EACCES:
    case EPERM:
        return STATUS_DENIED;
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ECONNRESET:
    case EPIPE:
    case EIO:
        return STATUS_UNREACHABLE;
    default:
        return STATUS_FAILED;
    }
}

static Status
status_of_last_error(void)
{
    virErrorPtr last = virGetLastError();

    if (!last)
        return STATUS_FAILED;
    switch (last->code) {
    case VIR_ERR_AUTH_FAILED:
    case VIR_ERR_AUTH_CANCELLED:
    case VIR_ERR_AUTH_UNAVAILABLE:
    case VIR_ERR_ACCESS_DENIED:
    case VIR_ERR_OPERATION_DENIED:
        return STATUS_DENIED;
    case VIR_ERR_SYSTEM_ERROR:
        /* virReportSystemError() keeps errno in int1. */
        return status_of_errno(last->int1);
    default:
        return STATUS_FAILED;
    }
}

/* --- the library and its event thread ----------------------------------------------------- */

static void
ignore_error(void *userdata, virErrorPtr error)
{
}

static void
wake_up(int timer, void *userdata)
{
    virEventUpdateTimeout(timer, -1);
}

static gpointer
run_events(gpointer userdata)
{
    while (!g_atomic_int_get(&library.quit))
        if (virEventRunDefaultImpl() < 0)
            g_usleep(G_USEC_PER_SEC / 10); /* poll itself failed: do not spin */
    return NULL;
}

bool
hypervisor_library_start(Error **error)
{
    if (virInitialize() < 0 || virEventRegisterDefaultImpl() < 0)
        return fail(error);
    virSetErrorFunc(NULL, ignore_error);
    library.wakeup_timer = virEventAddTimeout(-1, wake_up, NULL, NULL);
    if (library.wakeup_timer < 0)
        return fail(error);
    library.thread = g_thread_new("libvirt-events", run_events, NULL);
    return true;
}

void
hypervisor_library_stop(void)
{
    if (!library.thread)
        return;
    g_atomic_int_set(&library.quit, 1);
    virEventUpdateTimeout(library.wakeup_timer, 0);
    g_thread_join(g_steal_pointer(&library.thread));
}

/* --- connection --------------------------------------------------------------------------- */

bool
hypervisor_uri_is_test(const char *uri)
{
    return g_str_has_prefix(uri, "test:") || g_str_has_prefix(uri, "test+");
}

static void
free_domain(gpointer domain)
{
    virDomainFree(domain);
}

Hypervisor *
hypervisor_open(const char *uri, Status *why, Error **error)
{
    virConnectPtr conn = virConnectOpen(uri);

    if (!conn) {
        *why = status_of_last_error();
        fail(error);
        return NULL;
    }

    Hypervisor *h = g_new0(Hypervisor, 1);
    h->conn = conn;
    h->domains = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_domain);
    h->callbacks = g_array_new(FALSE, FALSE, sizeof(int));
    /* Embedded drivers have none, and need none. */
    if (virConnectSetKeepAlive(conn, KEEPALIVE_INTERVAL_SEC, KEEPALIVE_COUNT) < 0)
        virResetLastError();
    return h;
}

static void
watch_unref(void *userdata)
{
    Watch *watch = userdata;

    if (g_atomic_int_dec_and_test(&watch->n_ref))
        g_free(watch);
}

static void
report(Watch *watch, virDomainPtr dom, DomainFacts stale, bool rebooted)
{
    HypervisorEvent *event = g_new0(HypervisorEvent, 1);

    event->userdata = watch->userdata;
    event->generation = watch->generation;
    event->stale = stale;
    event->rebooted = rebooted;
    virDomainGetUUIDString(dom, event->uuid);
    watch->watcher->event(event);
}

static int
on_lifecycle(virConnectPtr conn, virDomainPtr dom, int event, int detail, void *userdata)
{
    DomainFacts stale = FACT_STATE;

    switch (event) {
    case VIR_DOMAIN_EVENT_DEFINED:
    case VIR_DOMAIN_EVENT_UNDEFINED:
    case VIR_DOMAIN_EVENT_STARTED:
    case VIR_DOMAIN_EVENT_STOPPED:
        /* Another configuration is in force, and flags may have changed with it. */
        stale |= FACT_FLAGS | FACT_XML;
        break;
    default:
        break;
    }
    report(userdata, dom, stale, false);
    return 0;
}

static void
on_reboot(virConnectPtr conn, virDomainPtr dom, void *userdata)
{
    report(userdata, dom, FACT_STATE, true);
}

static void
on_metadata_change(virConnectPtr conn, virDomainPtr dom, int type, const char *nsuri,
                   void *userdata)
{
    report(userdata, dom, FACT_XML, false);
}

static const struct {
    int id;
    virConnectDomainEventGenericCallback callback;
} events[] = {
    {VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle)},
    {VIR_DOMAIN_EVENT_ID_REBOOT, VIR_DOMAIN_EVENT_CALLBACK(on_reboot)},
    {VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(on_metadata_change)},
};

static void
on_close(virConnectPtr conn, int reason, void *userdata)
{
    Watch *watch = userdata;
    HypervisorLoss *loss = g_new0(HypervisorLoss, 1);

    loss->userdata = watch->userdata;
    loss->generation = watch->generation;
    switch (reason) {
    case VIR_CONNECT_CLOSE_REASON_EOF:
        loss->message = "libvirt closed the connection";
        break;
    case VIR_CONNECT_CLOSE_REASON_KEEPALIVE:
        loss->message = "libvirt does not answer: the connection's keepalive timed out";
        break;
    default:
        loss->message = "The connection to libvirt broke";
        break;
    }
    watch->watcher->lost(loss);
}

static bool
watch_events(Hypervisor *h, Error **error)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(events); i++) {
        g_atomic_int_inc(&h->watch->n_ref);
        int id = virConnectDomainEventRegisterAny(h->conn, NULL, events[i].id, events[i].callback,
                                                  h->watch, watch_unref);
        if (id >= 0) {
            g_array_append_val(h->callbacks, id);
            continue;
        }
        fail(error);
        watch_unref(h->watch);
        /* A driver that lacks an event is reconciled instead; a dead connection is an error. */
        if (!hypervisor_is_alive(h))
            return false;
        g_clear_pointer(error, error_free);
    }
    return true;
}

bool
hypervisor_watch(Hypervisor *h, const HypervisorWatcher *watcher, void *userdata,
                 unsigned generation, Error **error)
{
    h->watch = g_new0(Watch, 1);
    h->watch->n_ref = 1;
    h->watch->watcher = watcher;
    h->watch->userdata = userdata;
    h->watch->generation = generation;

    g_atomic_int_inc(&h->watch->n_ref);
    h->has_close_callback =
        virConnectRegisterCloseCallback(h->conn, on_close, h->watch, watch_unref) == 0;
    if (!h->has_close_callback) {
        /* Only remote drivers have one: what is in our own process does not go away. */
        virResetLastError();
        watch_unref(h->watch);
    }
    return watch_events(h, error);
}

void
hypervisor_close(Hypervisor *h)
{
    if (!h)
        return;
    for (unsigned i = 0; i < h->callbacks->len; i++)
        virConnectDomainEventDeregisterAny(h->conn, g_array_index(h->callbacks, int, i));
    if (h->has_close_callback)
        virConnectUnregisterCloseCallback(h->conn, on_close);
    g_hash_table_unref(h->domains);
    g_array_unref(h->callbacks);
    virConnectClose(h->conn);
    if (h->watch)
        watch_unref(h->watch);
    virResetLastError();
    g_free(h);
}

bool
hypervisor_is_alive(Hypervisor *h)
{
    return virConnectIsAlive(h->conn) != 0;
}

/* --- the gate ----------------------------------------------------------------------------- */

void
hypervisor_set_gate(Hypervisor *h, gint *gate)
{
    h->gate = gate;
}

/* False where the change must not be sent any more, or would not get there. */
static bool
pass_gate(Hypervisor *h, Error **error)
{
    if (!hypervisor_is_alive(h)) {
        if (error && !*error)
            *error = error_not_available("the connection to libvirt was lost");
        return false;
    }
    if (!h->gate || g_atomic_int_compare_and_exchange(h->gate, GATE_OPEN, GATE_PASSED))
        return true;
    if (error && !*error)
        *error = error_new(ERROR_CANCELED, "The call was withdrawn");
    return false;
}

/* --- reads -------------------------------------------------------------------------------- */

static char *
version_string(unsigned long version)
{
    return g_strdup_printf("%lu.%lu.%lu", version / 1000000, version / 1000 % 1000, version % 1000);
}

bool
hypervisor_identify(Hypervisor *h, HypervisorIdentity *ret, Error **error)
{
    HypervisorIdentity identity = {0};
    unsigned long version = 0;
    unsigned long libvirt_version = 0;
    g_autofree char *hostname = virConnectGetHostname(h->conn);

    if (!hostname && !hypervisor_is_alive(h))
        return fail(error);
    if (virConnectGetVersion(h->conn, &version) < 0)
        virResetLastError(); /* not every driver has one */
    if (virConnectGetLibVersion(h->conn, &libvirt_version) < 0)
        return fail(error);
    const char *type = virConnectGetType(h->conn);

    identity.hostname = g_strdup(hostname ? hostname : "");
    identity.type = g_strdup(type ? type : "");
    identity.version = version ? version_string(version) : g_strdup("");
    identity.libvirt_version = version_string(libvirt_version);
    *ret = identity;
    return true;
}

/* Takes over the reference. */
static void
keep_domain(Hypervisor *h, const char *uuid, virDomainPtr dom)
{
    g_hash_table_replace(h->domains, g_strdup(uuid), dom);
}

/* The domain's handle, which stays the connection's. One round trip at most. */
static virDomainPtr
get_domain(Hypervisor *h, const char *uuid, Error **error)
{
    virDomainPtr dom = g_hash_table_lookup(h->domains, uuid);

    if (dom)
        return dom;
    dom = virDomainLookupByUUIDString(h->conn, uuid);
    if (!dom) {
        fail(error);
        return NULL;
    }
    keep_domain(h, uuid, dom);
    return dom;
}

static DomainSnapshot *
snapshot_of(virDomainPtr dom, int state, int reason)
{
    char uuid[VIR_UUID_STRING_BUFLEN];
    unsigned id = virDomainGetID(dom);

    virDomainGetUUIDString(dom, uuid);
    DomainSnapshot *snapshot = domain_snapshot_new(uuid);
    snapshot->known = FACT_STATE;
    snapshot->name = g_strdup(virDomainGetName(dom));
    snapshot->state = (unsigned)state < _DOMAIN_STATE_MAX ? (DomainState)state : DOMAIN_NOSTATE;
    snapshot->reason = hypervisor_reason_name(snapshot->state, reason);
    snapshot->id = id == (unsigned)-1 ? -1 : (int)id;
    return snapshot;
}

static DomainSnapshot *
snapshot_of_record(const virDomainStatsRecord *record)
{
    int state = VIR_DOMAIN_NOSTATE;
    int reason = 0;

    virTypedParamsGetInt(record->params, record->nparams, "state.state", &state);
    virTypedParamsGetInt(record->params, record->nparams, "state.reason", &reason);
    return snapshot_of(record->dom, state, reason);
}

static GPtrArray *
snapshots_of_records(Hypervisor *h, virDomainStatsRecordPtr *records, int n)
{
    GPtrArray *snapshots =
        g_ptr_array_new_full((guint)n, (GDestroyNotify)(void (*)(void))domain_snapshot_free);

    for (int i = 0; i < n; i++) {
        DomainSnapshot *snapshot = snapshot_of_record(records[i]);

        g_ptr_array_add(snapshots, snapshot);
        virDomainRef(records[i]->dom);
        keep_domain(h, snapshot->uuid, records[i]->dom);
    }
    return snapshots;
}

/* For drivers without bulk statistics: one round trip a domain. */
static GPtrArray *
look_one_by_one(Hypervisor *h, virDomainPtr *doms, int n, Error **error)
{
    g_autoptr(GPtrArray) snapshots =
        g_ptr_array_new_full((guint)n, (GDestroyNotify)(void (*)(void))domain_snapshot_free);

    for (int i = 0; i < n; i++) {
        int state;
        int reason;

        if (virDomainGetState(doms[i], &state, &reason, 0) == 0) {
            g_ptr_array_add(snapshots, snapshot_of(doms[i], state, reason));
            continue;
        }
        g_autoptr(Error) problem = NULL;
        fail(&problem);
        if (!hypervisor_is_alive(h)) {
            if (error)
                *error = g_steal_pointer(&problem);
            return NULL;
        }
        /* A domain that cannot be read hides no other one. */
    }
    return g_steal_pointer(&snapshots);
}

static bool
is_unsupported(void)
{
    virErrorPtr last = virGetLastError();

    return last && last->code == VIR_ERR_NO_SUPPORT;
}

static void
free_domains(virDomainPtr *doms, int n)
{
    for (int i = 0; i < n; i++)
        virDomainFree(doms[i]);
    free(doms);
}

static GPtrArray *
list_one_by_one(Hypervisor *h, Error **error)
{
    virDomainPtr *doms = NULL;
    int n = virConnectListAllDomains(h->conn, &doms, 0);

    if (n < 0) {
        fail(error);
        return NULL;
    }
    GPtrArray *snapshots = look_one_by_one(h, doms, n, error);
    free_domains(doms, n);
    return snapshots;
}

static GPtrArray *
list_states(Hypervisor *h, Error **error)
{
    virDomainStatsRecordPtr *records = NULL;
    int n = virConnectGetAllDomainStats(h->conn, VIR_DOMAIN_STATS_STATE, &records, 0);

    if (n < 0 && is_unsupported())
        return list_one_by_one(h, error);
    if (n < 0) {
        fail(error);
        return NULL;
    }
    g_hash_table_remove_all(h->domains);
    GPtrArray *snapshots = snapshots_of_records(h, records, n);
    virDomainStatsRecordListFree(records);
    return snapshots;
}

/* The UUIDs of the domains that a filter lets through; NULL on failure. */
static GHashTable *
list_filtered(Hypervisor *h, unsigned filter, Error **error)
{
    virDomainPtr *doms = NULL;
    int n = virConnectListAllDomains(h->conn, &doms, filter);

    if (n < 0) {
        fail(error);
        return NULL;
    }
    GHashTable *uuids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (int i = 0; i < n; i++) {
        char uuid[VIR_UUID_STRING_BUFLEN];

        virDomainGetUUIDString(doms[i], uuid);
        g_hash_table_add(uuids, g_strdup(uuid));
    }
    free_domains(doms, n);
    return uuids;
}

/* Each flag of all domains is one round trip: the filter that lets the fewest through. */
static bool
list_flags(Hypervisor *h, GPtrArray *snapshots, Error **error)
{
    g_autoptr(GHashTable) transient = list_filtered(h, VIR_CONNECT_LIST_DOMAINS_TRANSIENT, error);
    if (!transient)
        return false;
    g_autoptr(GHashTable) autostart = list_filtered(h, VIR_CONNECT_LIST_DOMAINS_AUTOSTART, error);
    if (!autostart)
        return false;

    for (unsigned i = 0; i < snapshots->len; i++) {
        DomainSnapshot *snapshot = snapshots->pdata[i];

        snapshot->persistent = !g_hash_table_contains(transient, snapshot->uuid);
        snapshot->autostart = g_hash_table_contains(autostart, snapshot->uuid);
        snapshot->known |= FACT_FLAGS;
    }
    return true;
}

GPtrArray *
hypervisor_list(Hypervisor *h, Error **error)
{
    g_autoptr(GPtrArray) snapshots = list_states(h, error);

    if (!snapshots || !list_flags(h, snapshots, error))
        return NULL;
    return g_steal_pointer(&snapshots);
}

static GPtrArray *
look_at(Hypervisor *h, GPtrArray *doms, Error **error)
{
    virDomainStatsRecordPtr *records = NULL;
    int n = virDomainListGetStats((virDomainPtr *)doms->pdata, VIR_DOMAIN_STATS_STATE, &records, 0);

    if (n < 0 && is_unsupported())
        return look_one_by_one(h, (virDomainPtr *)doms->pdata, (int)doms->len - 1, error);
    if (n < 0) {
        fail(error);
        return NULL;
    }
    GPtrArray *snapshots = snapshots_of_records(h, records, n);
    virDomainStatsRecordListFree(records);
    return snapshots;
}

GPtrArray *
hypervisor_look(Hypervisor *h, const char *const *uuids, Error **error)
{
    g_autoptr(GPtrArray) doms = g_ptr_array_new();

    for (; *uuids; uuids++) {
        g_autoptr(Error) problem = NULL;
        virDomainPtr dom = get_domain(h, *uuids, &problem);

        if (dom) {
            g_ptr_array_add(doms, dom);
        } else if (problem->kind != ERROR_NO_SUCH_DOMAIN) {
            if (error)
                *error = g_steal_pointer(&problem);
            return NULL;
        }
    }
    if (doms->len == 0)
        return g_ptr_array_new();

    /* The replies replace the cached handles that the question is made of. */
    g_ptr_array_foreach(doms, (GFunc)(void (*)(void))virDomainRef, NULL);
    g_ptr_array_add(doms, NULL);
    GPtrArray *snapshots = look_at(h, doms, error);
    for (unsigned i = 0; i + 1 < doms->len; i++)
        virDomainFree(doms->pdata[i]);
    return snapshots;
}

static bool
examine_xml(virDomainPtr dom, DomainSnapshot *snapshot, Error **error)
{
    g_autofree char *xml = virDomainGetXMLDesc(dom, 0);

    if (!xml)
        return fail(error);
    domain_xml_read(xml, snapshot);
    return true;
}

bool
hypervisor_examine(Hypervisor *h, DomainFacts facts, DomainSnapshot *snapshot, Error **error)
{
    virDomainPtr dom = get_domain(h, snapshot->uuid, error);

    if (!dom)
        return false;
    if (facts & FACT_PERSISTENT) {
        int persistent = virDomainIsPersistent(dom);

        if (persistent < 0)
            return fail(error);
        snapshot->persistent = persistent;
        snapshot->known |= FACT_PERSISTENT;
    }
    if (facts & FACT_AUTOSTART) {
        int autostart = 0;

        if (virDomainGetAutostart(dom, &autostart) < 0)
            return fail(error);
        snapshot->autostart = autostart;
        snapshot->known |= FACT_AUTOSTART;
    }
    if (facts & FACT_XML)
        return examine_xml(dom, snapshot, error);
    return true;
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
        fail(error);
        return NULL;
    }
    virDomainGetUUIDString(dom, uuid);
    keep_domain(h, uuid, dom);
    return g_strdup(uuid);
}

char *
hypervisor_get_xml(Hypervisor *h, const char *uuid, XmlFlags flags, Error **error)
{
    virDomainPtr dom = get_domain(h, uuid, error);
    unsigned libvirt_flags = (flags & XML_INACTIVE ? VIR_DOMAIN_XML_INACTIVE : 0) |
                             (flags & XML_SECURE ? VIR_DOMAIN_XML_SECURE : 0);
    char *xml = dom ? virDomainGetXMLDesc(dom, libvirt_flags) : NULL;

    if (dom && !xml)
        fail(error);
    return xml;
}

/* --- changes ------------------------------------------------------------------------------ */

static int
call_verb(virDomainPtr dom, DomainVerb verb)
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
    case VERB_SHUTDOWN:
        return virDomainShutdown(dom);
    case VERB_DESTROY:
        return virDomainDestroy(dom);
    case VERB_REBOOT:
        return virDomainReboot(dom, 0);
    case VERB_RESET:
        return virDomainReset(dom, 0);
    case _VERB_MAX:
        break;
    }
    return -1;
}

bool
hypervisor_do(Hypervisor *h, const char *uuid, DomainVerb verb, Error **error)
{
    virDomainPtr dom = get_domain(h, uuid, error);

    if (!dom || !pass_gate(h, error))
        return false;
    return call_verb(dom, verb) == 0 || fail(error);
}

bool
hypervisor_set_autostart(Hypervisor *h, const char *uuid, bool autostart, Error **error)
{
    virDomainPtr dom = get_domain(h, uuid, error);

    if (!dom || !pass_gate(h, error))
        return false;
    return virDomainSetAutostart(dom, autostart) == 0 || fail(error);
}

bool
hypervisor_undefine(Hypervisor *h, const char *uuid, UndefineFlags flags, Error **error)
{
    virDomainPtr dom = get_domain(h, uuid, error);
    unsigned libvirt_flags =
        (flags & UNDEFINE_MANAGED_SAVE ? VIR_DOMAIN_UNDEFINE_MANAGED_SAVE : 0) |
        (flags & UNDEFINE_SNAPSHOTS_METADATA ? VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA : 0) |
        (flags & UNDEFINE_NVRAM ? VIR_DOMAIN_UNDEFINE_NVRAM : 0) |
        (flags & UNDEFINE_KEEP_NVRAM ? VIR_DOMAIN_UNDEFINE_KEEP_NVRAM : 0);

    if (!dom || !pass_gate(h, error))
        return false;
    return virDomainUndefineFlags(dom, libvirt_flags) == 0 || fail(error);
}

char *
hypervisor_define(Hypervisor *h, const char *xml, Error **error)
{
    char uuid[VIR_UUID_STRING_BUFLEN];

    if (!pass_gate(h, error))
        return NULL;

    g_auto(VirDomain) dom = virDomainDefineXMLFlags(h->conn, xml, 0);
    if (!dom) {
        fail(error);
        return NULL;
    }
    virDomainGetUUIDString(dom, uuid);
    return g_strdup(uuid);
}
