/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor-private.h"

#include "hypervisor-reason.h"
#include "libvirt-uri.h"
#include "utf8.h"

#include <errno.h>
#include <string.h>

/* A dead daemon is noticed after interval x (count + 1): well within a client's patience. */
#define KEEPALIVE_INTERVAL_SEC 3
#define KEEPALIVE_COUNT        2
#define HANDLES_MAX_SECONDARY  64

void
hypervisor_identity_clear(HypervisorIdentity *identity)
{
    g_clear_pointer(&identity->hostname, g_free);
    g_clear_pointer(&identity->type, g_free);
    g_clear_pointer(&identity->version, g_free);
    g_clear_pointer(&identity->libvirt_version, g_free);
}

/* --- errors ------------------------------------------------------------------------------- */

bool
hypervisor_failed_with(int code)
{
    virErrorPtr last = virGetLastError();

    return last && last->code == code;
}

bool
hypervisor_is_unsupported(void)
{
    return hypervisor_failed_with(VIR_ERR_NO_SUPPORT);
}

char *
hypervisor_last_words(void)
{
    virErrorPtr last = virGetLastError();
    g_autofree char *words =
        utf8_for_bus(last && last->message ? last->message : "libvirt gave no reason");

    return libvirt_uri_hide_passwords(words);
}

bool
hypervisor_fail(Error **error)
{
    virErrorPtr last = virGetLastError();

    if (error && !*error) {
        int code = last ? last->code : VIR_ERR_OK;
        g_autofree char *words = hypervisor_last_words();

        *error = error_new(hypervisor_error_kind(code), "%s", words);
        (*error)->libvirt_code = code;
        (*error)->quotes_input = code == VIR_ERR_XML_DETAIL;
    }
    return false;
}

static Status
status_of_errno(int code, bool local)
{
    switch (code) {
    case ECONNREFUSED:
        return STATUS_STOPPED;
    case ENOENT:
        /* No socket; elsewhere it is a missing file: a key, a certificate, a configuration. */
        return local ? STATUS_STOPPED : STATUS_FAILED;
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
status_of_last_error(const char *uri)
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
        return status_of_errno(last->int1, libvirt_uri_place(uri) == LIBVIRT_URI_LOCAL);
    default:
        return STATUS_FAILED;
    }
}

/* --- connection --------------------------------------------------------------------------- */

/* A handle of a domain; `name` belongs to it. */
typedef struct {
    char uuid[VIR_UUID_STRING_BUFLEN];
    virDomainPtr dom;
    const char *name;
} Kept;

static void
free_kept(gpointer data)
{
    Kept *kept = data;

    virDomainFree(kept->dom);
    g_free(kept);
}

static void
free_records(gpointer records)
{
    virDomainStatsRecordListFree(records);
}

static char *
pid_directory(const char *uri)
{
    g_autofree char *file = libvirt_uri_domain_pid_file(uri, g_get_user_runtime_dir(), "any");

    return file ? g_path_get_dirname(file) : NULL;
}

Hypervisor *
hypervisor_open(const char *uri, Status *why, Error **error)
{
    virConnectPtr conn = virConnectOpen(uri);

    if (!conn) {
        *why = status_of_last_error(uri);
        hypervisor_fail(error);
        return NULL;
    }

    Hypervisor *h = g_new0(Hypervisor, 1);
    h->conn = conn;
    h->pid_directory = pid_directory(uri);
    h->domains = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_kept);
    h->deferred_frees = g_ptr_array_new_with_free_func(free_records);
    /* Embedded drivers have none, and need none. */
    if (virConnectSetKeepAlive(conn, KEEPALIVE_INTERVAL_SEC, KEEPALIVE_COUNT) < 0)
        virResetLastError();
    return h;
}

void
hypervisor_close(Hypervisor *h)
{
    if (!h)
        return;
    g_ptr_array_unref(h->deferred_frees);
    g_hash_table_unref(h->domains);
    virConnectClose(h->conn);
    virResetLastError();
    g_free(h->pid_directory);
    g_free(h);
}

void
hypervisor_defer_free(Hypervisor *h, virDomainStatsRecordPtr *records)
{
    g_ptr_array_add(h->deferred_frees, records);
}

void
hypervisor_free_deferred(Hypervisor *h)
{
    g_ptr_array_set_size(h->deferred_frees, 0);
    /* Only the watching connection reads all domains again and again, and needs their handles. */
    if (!h->watch && g_hash_table_size(h->domains) > HANDLES_MAX_SECONDARY)
        g_hash_table_remove_all(h->domains);
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

bool
hypervisor_pass_gate(Hypervisor *h, Error **error)
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

/* --- identity ----------------------------------------------------------------------------- */

static char *
version_string(unsigned long version)
{
    return g_strdup_printf("%lu.%lu.%lu", version / 1000000, version / 1000 % 1000, version % 1000);
}

bool
hypervisor_identify(Hypervisor *h, HypervisorIdentity *ret, Error **error)
{
    HypervisorIdentity identity = {0};
    unsigned long libvirt_version = 0;
    g_autofree char *hostname = virConnectGetHostname(h->conn);

    if (!hostname && !hypervisor_is_alive(h))
        return hypervisor_fail(error);
    if (virConnectGetLibVersion(h->conn, &libvirt_version) < 0)
        return hypervisor_fail(error);

    identity.hostname = utf8_for_bus(hostname);
    identity.type = utf8_for_bus(virConnectGetType(h->conn));
    identity.libvirt_version = version_string(libvirt_version);
    *ret = identity;
    return true;
}

char *
hypervisor_read_version(Hypervisor *h)
{
    unsigned long version = 0;

    if (virConnectGetVersion(h->conn, &version) < 0)
        virResetLastError(); /* not every driver has one */
    return version ? version_string(version) : g_strdup("");
}

HypervisorTraits
hypervisor_traits(const Hypervisor *h)
{
    const char *type = virConnectGetType(h->conn);

    return type ? hypervisor_traits_of_type(type) : 0;
}

int
hypervisor_count(void *const *array)
{
    int n = 0;

    while (array && array[n])
        n++;
    return n;
}

/* --- domains ------------------------------------------------------------------------------ */

void
hypervisor_uuid(virDomainPtr dom, char uuid[static VIR_UUID_STRING_BUFLEN])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char raw[VIR_UUID_BUFLEN] = {0};

    virDomainGetUUID(dom, raw);
    for (unsigned i = 0; i < VIR_UUID_BUFLEN; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *uuid++ = '-';
        *uuid++ = digits[raw[i] >> 4];
        *uuid++ = digits[raw[i] & 0xf];
    }
    *uuid = '\0';
}

void
hypervisor_keep_domain(Hypervisor *h, const char *uuid, virDomainPtr dom)
{
    Kept *kept = g_new0(Kept, 1);

    g_strlcpy(kept->uuid, uuid, sizeof kept->uuid);
    kept->dom = dom;
    kept->name = virDomainGetName(dom);
    g_hash_table_replace(h->domains, kept->uuid, kept);
}

bool
hypervisor_keeps_domain(Hypervisor *h, const char *uuid, const char *name)
{
    const Kept *kept = g_hash_table_lookup(h->domains, uuid);

    return kept && g_str_equal(kept->name, name);
}

virDomainPtr
hypervisor_domain(Hypervisor *h, const char *uuid, Error **error)
{
    const Kept *kept = g_hash_table_lookup(h->domains, uuid);

    if (kept)
        return kept->dom;

    virDomainPtr dom = virDomainLookupByUUIDString(h->conn, uuid);
    if (!dom) {
        hypervisor_fail(error);
        return NULL;
    }
    hypervisor_keep_domain(h, uuid, dom);
    return dom;
}

char *
hypervisor_read_xml(virDomainPtr dom, unsigned flags, Error **error)
{
    char *xml = dom ? virDomainGetXMLDesc(dom, flags) : NULL;

    if (dom && !xml)
        hypervisor_fail(error);
    return xml;
}

virDomainPtr
hypervisor_begin_change(Hypervisor *h, const char *uuid, Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);

    return dom && hypervisor_pass_gate(h, error) ? dom : NULL;
}
