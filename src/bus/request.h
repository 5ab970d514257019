/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A method call, from its arrival to its one answer.
 *
 * The stages, in the order in which request.c has them: parse the arguments, authorise the caller,
 * wait for the hypervisor, call libvirt, refresh the domain, reply. A method's row (method.h) says
 * which of them it changes. A request looks its domain up again at every stage, because anything
 * may have happened meanwhile. Whatever becomes of libvirt, it is answered within REQUEST_LIMIT of
 * being authorised, as the kind of its method says.
 *
 * Belongs to the loop. A request frees itself once it is answered: nothing may touch it after
 * request_reply*() or request_fail().
 */

#include "budget.h"
#include "caller.h"
#include "callers.h"
#include "job.h"
#include "method.h"
#include "timer.h"
#include "wire.h"

typedef struct Service Service;

/* Decides about the deadline's answer. */
typedef enum {
    PHASE_AUTHORIZING,
    PHASE_CONNECTING, /* waits for the hypervisor, or has not begun anything */
    PHASE_ASKING,     /* waits for an answer of the core: nothing has been changed by it */
    PHASE_CALLING,    /* a call to libvirt is queued or under way */
    PHASE_REFRESHING, /* the change is made, and not signalled yet */
    PHASE_AWAITING,   /* the change is made, and the guest takes its time */
    PHASE_JOB,        /* a job will answer it */
} RequestPhase;

typedef void (*RequestStep)(Request *request);

struct Request {
    Service *service;
    const Method *method;
    MethodArgs *args;
    Caller caller;
    uid_t uid; /* CALLER_UID_UNKNOWN until it has been asked */
    RequestPhase phase;
    /* The domain, or the one that polkit is asked about; NULL: none. */
    char *domain_uuid;
    char *domain_name;
    bool is_of_domain;   /* the method is called on a domain's object */
    uint64_t job_number; /* of the object that it is called on, or of the job that will answer it */
    const char *verb;    /* for the log: what a job is called, not "StopWithOptions" */
    size_t bytes;        /* that its user is charged for, once that is known */

    AuthorizeRequest *authorization;
    Pending pending;  /* what it waits for in the core */
    RequestStep next; /* when that has come */
    Call *call;
    unsigned retries;
    uint64_t call_order; /* a call that is made again keeps its place */
    Timer *deadline;
    bool answered;   /* the time was up: it goes on, and nobody waits for it */
    bool is_overdue; /* the time was up: its job begins by what is known of the domain */
    Error *failure;  /* of a change, once libvirt refused it: answered with when the domain has been
                        read again */
    Wire held_reply; /* until it is known how much the user has read */

    void *state; /* of a method with stages of its own; `run` makes it */
    GDestroyNotify free_state;
};

typedef struct Requests Requests;

Requests *requests_new(Service *service);
void requests_free(Requests *requests);
/* Answer everything: the service ends. */
void requests_stop(Requests *requests);
/* Tell how much the waiting calls of each user keep. */
void requests_describe(const Requests *requests, BudgetTell tell, void *userdata);

/*
 * Handle a call of the method on a domain (or NULL) or a job (or 0): parse, check what may be held
 * for the caller, and begin. Returns what a vtable's handler has to.
 */
int request_handle(Service *service, const Method *method, sd_bus_message *message,
                   const Domain *domain, uint64_t job_number, sd_bus_error *error);

/* The domain, or NULL when it is gone: then the request has been answered. */
Domain *request_domain(Request *request);

/* --- stages; each continues with `next`, or answers the request */

/*
 * If the domain was renamed since polkit was asked about it, ask about the new name, begin the
 * request anew, and return true. For stages that act after a wait.
 */
bool request_authorize_again(Request *request);
/* Wait until the hypervisor is there, or answer with NotAvailable. A domain that was renamed
 * meanwhile is authorised again. */
void request_connect(Request *request, RequestStep next);
/*
 * Call the method's `work`. A read is retried once when the connection drops, a change only where
 * it cannot have reached the hypervisor.
 * A change waits until its domain, unless that hangs, has been read on the connection: it may have
 * another name there, about which polkit is asked again.
 */
void request_call(Request *request);
/* Refresh all of the domain. */
void request_refresh(Request *request, const char *uuid, RequestStep next);
/* The answer of the core has come: true if it succeeded, else the request is asked again (`again`)
 * or answered. */
bool request_check(Request *request, CallOutcome outcome, const Error *error, RequestStep again);
/*
 * The change is made, and the guest takes its time to follow: call `check` now and after every
 * refresh of the domain, until it answers the request.
 */
void request_await(Request *request, RequestStep check);
/* The job answers when it ends; the request still has its deadline. */
void request_wait_for_job(Request *request, Job *job);

/* --- answers; each signals first what has changed */

void request_reply(Request *request);
/* The body has the signature of the method's row. */
void request_reply_body(Request *request, const Wire *body);
/*
 * Reply at one of the next turns of the loop, of which each answers a few: those that wait with the
 * same `write` and `shared` are sent one body. `shared` is what the body is written from, or NULL;
 * a reference is taken.
 */
typedef void (*BodyWriter)(const Service *service, const GPtrArray *shared, Wire *body);
void request_reply_in_turn(Request *request, BodyWriter write, GPtrArray *shared);
/* A value of the type that the method's row says. */
void request_reply_result(Request *request, const MethodResult *result);
void request_reply_path(Request *request, const char *path);
void request_fail(Request *request, const Error *error);
/* Timeout, or NotAvailable while libvirt is away: nothing was done. */
void request_fail_unbegun(Request *request);
/* StillRunning: what was begun goes on. */
void request_leave(Request *request);
/* A WaiterDone: an empty reply, or the error if it is not NULL. */
void request_end(void *request, CallOutcome outcome, void *answer, const Error *error);
