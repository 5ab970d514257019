/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A method call, from its arrival to its one answer.
 *
 * A request is authorised, then runs; it looks its domain up again at every step, because anything
 * may have happened meanwhile. Whatever becomes of libvirt, it is answered within REQUEST_LIMIT of
 * being authorised: with what its kind says. Belongs to the loop; it frees itself when it has been
 * answered, and is not to be touched after request_reply*() or request_fail*().
 */

#include "authorize.h"
#include "caller.h"
#include "lane-pool.h"

#include <systemd/sd-bus.h>

typedef struct Manager Manager;
typedef struct Job Job;
typedef struct Request Request;
typedef struct Requests Requests;

typedef enum {
    REQUEST_READ,      /* not done in time: Timeout */
    REQUEST_CHANGE,    /* not done in time: StillRunning, and it goes on */
    REQUEST_OPERATION, /* likewise, naming the job */
} RequestKind;

typedef void (*RequestStep)(Request *request);
typedef void (*RequestDeviceNews)(Request *request, const char *alias, HypervisorEventKind news);

struct Request {
    Manager *manager;
    Caller caller;
    RequestKind kind;
    RequestStep run;  /* when authorised */
    const char *verb; /* what it does, for the journal and for messages */

    uint64_t actions; /* what polkit is asked about */
    char *vm_name;    /* and about which machine */
    char *vm_uuid;
    bool about_domain; /* a domain of ours, whose name may change while polkit is asked */
    AuthorizeRequest *authorization;
    uid_t uid;
    size_t bytes; /* that it is charged for holding the arguments */

    void *args; /* the method's own, freed with the request */
    GDestroyNotify free_args;

    /* The call to libvirt: made anew for a retry. */
    Call *(*make_call)(Request *request);
    void (*call_done)(Request *request, Call *call); /* it succeeded */
    Call *call;
    unsigned retries;
    uint64_t call_order; /* of the call that is made again */

    RequestStep available; /* waits for the hypervisor */
    GHashTable *unsettled; /* UUIDs that it waits for, then: */
    RequestStep settled;
    GList *settling_link;
    Job *job;                  /* that answers it when it ends */
    RequestStep awaited;       /* its change is made, and the guest takes its time */
    RequestDeviceNews devices; /* told about the domain's devices */

    sd_event_source *deadline;
    bool answered; /* the time was up; it goes on, but nobody waits for it */
    bool joined_list;
};

Requests *requests_new(Manager *m);
void requests_free(Requests *requests);

/*
 * A request for the message, or NULL when there are too many (then `error` is set). `uuid` is NULL
 * where it is about no domain of ours.
 */
Request *request_new(Manager *m, sd_bus_message *message, RequestKind kind, const char *verb,
                     const char *uuid, sd_bus_error *error);
/* Give the method's arguments to the request. */
void request_set_args(Request *request, void *args, GDestroyNotify free_args);
/* Authorise for the ACTION_BIT()s (0: a read), then run. Returns 1, for the vtable's handler. */
int request_start(Request *request, uint64_t actions, RequestStep run);

/* The domain, or NULL when it is gone: then the request has been answered. */
Domain *request_domain(Request *request);

/* Continue once the hypervisor is there, or be answered with NotAvailable. */
void request_when_available(Request *request, RequestStep next);
/* What a call for a request begins with. */
typedef struct {
    Call call;
    Request *request;
} RequestCall;

/* One of `size` bytes, about the request's domain; the rest is zeros. */
void *request_call_new(const Request *request, size_t size, CallClass class, CallWork work);

/*
 * Make the call that `make` makes: a RequestCall. A
 * read is retried once when the connection drops; a change only where it cannot have reached the
 * hypervisor. Failures answer the request.
 */
void request_call(Request *request, Call *(*make)(Request *request),
                  void (*done)(Request *request, Call *call));
/* Look at the domain again, all of it, then continue. */
void request_refresh(Request *request, const char *uuid, RequestStep next);
/* Continue when none of these domains is stale any more. Takes the set. */
void request_when_refreshed(Request *request, GHashTable *uuids, RequestStep next);
/*
 * The change is made, and the guest takes its time to follow: call `look` now, and whenever there
 * is news of the domain, until that answers. The caller is told StillRunning when time is up.
 */
void request_await(Request *request, RequestStep look);
/* Tell it from now on what becomes of the domain's devices. */
void request_watch_devices(Request *request, RequestDeviceNews devices);
/* The job answers; the request still has its time limit. */
void request_wait_for_job(Request *request, Job *job);

/* An empty reply, to be filled for request_reply_message(). 0 or a negative errno. */
int request_new_reply(const Request *request, sd_bus_message **ret);
/* The answers. Each signals first what has changed, and frees the request. */
void request_reply(Request *request);
void request_reply_string(Request *request, const char *type, const char *value);
/* Takes over the message. */
void request_reply_message(Request *request, sd_bus_message *reply);
void request_fail(Request *request, const Error *error);

/* Events for all requests. */
void requests_domain_refreshed(Requests *requests, const char *uuid);
void requests_device_news(Requests *requests, const HypervisorEvent *event);
/* The connection went: what is awaited may happen unseen. */
void requests_connection_lost(Requests *requests);
/* The availability engine's answer to the waiter `request`. */
void request_available(Request *request, const Error *error);
/* Answer everything; the service ends. */
void requests_stop(Requests *requests);

int request_error_to_bus(const Error *error, sd_bus_error *ret);
