/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The inside of a connection, shared by hypervisor*.c and by nobody else.
 */

#include "domain.h"
#include "hypervisor-block-job.h"
#include "hypervisor-config.h"
#include "hypervisor-traits.h"
#include "hypervisor.h"
#include "operation-spec.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

typedef struct HypervisorWatch HypervisorWatch;

struct Hypervisor {
    virConnectPtr conn;
    GHashTable *domains;       /* uuid -> its handle, so that a call needs no look-up first */
    GPtrArray *deferred_frees; /* virDomainStatsRecordPtr *: results to be freed later */
    HypervisorWatch *watch;
    GArray *callbacks; /* ids of registered events */
    bool has_close_callback;
    gint *gate;
    char *pid_directory; /* holds the PID files of its domains; NULL: not on this machine */
};

typedef virDomainPtr VirDomain;
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(VirDomain, virDomainFree, NULL)

/*
 * Take libvirt's last error of this thread, unless `error` has one already; returns false. To be
 * called before anything else: even freeing a domain erases it.
 */
bool hypervisor_fail(Error **error);
/*
 * The same for a call that asked the guest's agent, since `begun` of clock_now_usec().
 * libvirt has one code for an agent that is not there and one that does not answer; and of several
 * questions in one call it may leave out what was not answered, without an error.
 */
bool hypervisor_agent_fail(virDomainPtr dom, uint64_t begun, Error **error);
/* Whether the guest's agent answers a harmless question, within AGENT_TIMEOUT_SEC. Erases the
 * error. */
bool hypervisor_agent_answers(virDomainPtr dom);
/* libvirt's last error of this thread is this one; it stays. */
bool hypervisor_failed_with(int code);
/* The driver has no such call. */
bool hypervisor_is_unsupported(void);
/* The message of libvirt's last error of this thread, fit for D-Bus and without passwords. */
char *hypervisor_last_words(void);

/* The traits of the connected driver. */
HypervisorTraits hypervisor_traits(const Hypervisor *h);

/*
 * How many elements an array of libvirt's has, which ends with NULL. The number that libvirt
 * returns comes from the daemon as it is: in a reply that was garbled it may be any.
 */
int hypervisor_count(void *const *array);

/* The domain's handle, which stays the connection's. One round trip at most. */
virDomainPtr hypervisor_domain(Hypervisor *h, const char *uuid, Error **error);
/* The domain's XML, freed with g_free(); NULL, too, where `dom` is NULL, the error then told. */
char *hypervisor_read_xml(virDomainPtr dom, unsigned flags, Error **error);
/*
 * The handles of those of the NULL-terminated `uuids` that exist, with a reference each, and a NULL
 * at the end.
 */
GPtrArray *hypervisor_domains(Hypervisor *h, const char *const *uuids, Error **error);
/* Keep this handle for later; takes over the reference. */
void hypervisor_keep_domain(Hypervisor *h, const char *uuid, virDomainPtr dom);
/* Whether the connection has a handle of this domain with this name. */
bool hypervisor_keeps_domain(Hypervisor *h, const char *uuid, const char *name);

/*
 * The domain's UUID as text. Every libvirt function that takes a domain formats its UUID with
 * printf for the debug log, even when it does not log. That is most of the time of reading a list
 * of a thousand domains: call such functions only as often as needed.
 */
void hypervisor_uuid(virDomainPtr dom, char uuid[static VIR_UUID_STRING_BUFLEN]);

/* The state in a record; NOSTATE if there is none, or one that is not known here. */
DomainState hypervisor_record_state(const virDomainStatsRecord *record, int *ret_reason);

/* Have hypervisor_free_deferred() free these records. */
void hypervisor_defer_free(Hypervisor *h, virDomainStatsRecordPtr *records);

/* False if a change must not be sent any more, or the connection is gone. */
bool hypervisor_pass_gate(Hypervisor *h, Error **error);
/* The handle of a domain that is changed right now, through the gate; NULL where it must not be. */
virDomainPtr hypervisor_begin_change(Hypervisor *h, const char *uuid, Error **error);

/*
 * libvirt's own flags for the configurations that a change is for; they are the same for every kind
 * of change.
 */
bool hypervisor_resolve_affect(virDomainPtr dom, Affect affect, unsigned *ret, Error **error);

/* FACT_MANAGED_SAVE and FACT_SNAPSHOTS of a domain, a round trip each. */
bool hypervisor_read_saved_facts(virDomainPtr dom, DomainFacts facts, DomainUpdate *update,
                                 Error **error);

/* The long call that saves a domain; the domain's handle comes from hypervisor_domain(). */
bool hypervisor_save(Hypervisor *h, virDomainPtr dom, const OperationPayload *payload,
                     Error **error);
/* Whether there is a managed save that is whole. */
bool hypervisor_has_whole_save(virDomainPtr dom);

/* The long calls on snapshots, likewise. */
bool hypervisor_create_snapshot(Hypervisor *h, virDomainPtr dom, const OperationPayload *payload,
                                Error **error);
bool hypervisor_revert_snapshot(Hypervisor *h, virDomainPtr dom, const OperationPayload *payload,
                                Error **error);
bool hypervisor_delete_snapshot(Hypervisor *h, virDomainPtr dom, const OperationPayload *payload,
                                Error **error);
/* Whether there is one of this name. */
bool hypervisor_has_snapshot(virDomainPtr dom, const char *name, bool *ret, Error **error);
/* The name of the newest snapshot, which may be one that is still being created. NULL: there is
 * none, or libvirt does not say. */
char *hypervisor_newest_snapshot(virDomainPtr dom);

/* A virDomainBlockJobType. */
BlockJobType hypervisor_block_job_type(int type);
