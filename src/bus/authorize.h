/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Authorisation: the table of actions, and the question to polkit.
 *
 * Nothing here blocks. Root and our own user pass; about everyone else polkit is asked, one action
 * after the other, with the domain's name and UUID and our instance as details. Every failure is a
 * denial: polkit is absent, dies or replies nonsense, or the caller has left the bus.
 *
 * An answer is about the names it was asked with. If the domain has another name when it is looked
 * up afterwards, the question has to be asked again.
 *
 * Belongs to the loop's thread, like the bus.
 */

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

typedef enum {
    ACTION_NONE, /* a read: nobody is asked */
    ACTION_START,
    ACTION_STOP,
    ACTION_PAUSE,
    ACTION_RESUME,
    ACTION_FORCE_STOP,
    ACTION_REBOOT,
    ACTION_RESET,
    ACTION_CONFIGURE,
    ACTION_ADJUST,
    ACTION_SNAPSHOT,
    ACTION_SAVE,
    ACTION_MIGRATE,
    ACTION_CONSOLE,
    ACTION_GUEST,
    ACTION_READ_SECRETS,
    ACTION_RECONNECT,
    ACTION_DEBUG, /* root and our own user alone: polkit is not asked */
    ACTION_LOG,   /* the same */
    _ACTION_MAX,
} Action;

#define ACTION_BIT(action) (UINT64_C(1) << (action))

typedef struct Authorizer Authorizer;
typedef struct AuthorizeRequest AuthorizeRequest;

/* The domain that it is about; either may be NULL. Copied. */
typedef struct {
    const char *domain_name;
    const char *domain_uuid;
} AuthorizeSubject;

/* The caller, and the operation, as the journal names it. Copied. */
typedef struct {
    const char *sender; /* a unique name */
    uid_t uid;
    const char *operation;
    bool interactive; /* polkit may ask the user for a password */
} AuthorizeCaller;

/* Called once per request, always from the event loop and never from within authorizer_check().
 * `error` is NULL where all actions are allowed, and otherwise AccessDenied,
 * InteractiveAuthorizationRequired or LimitsExceeded; it ends with the call. May make and cancel
 * requests, but not free the authorizer; its own request is gone already. */
typedef void (*AuthorizeDone)(void *userdata, const sd_bus_error *error);

/* "org.unraid.vms.start"; NULL where polkit is not asked. */
const char *action_id(Action action);

/* The bus has to be attached to an event loop. `instance` is NULL or empty for the main one. */
Authorizer *authorizer_new(sd_bus *bus, const char *instance);
/* Drops what is still being asked; those requests' `done` is not called. */
void authorizer_free(Authorizer *authorizer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Authorizer, authorizer_free)

/* Asks whether the caller may do all of `actions` (a mask of ACTION_BIT()s) to the subject. What is
 * returned is good until `done` is called or it is cancelled. */
AuthorizeRequest *authorizer_check(Authorizer *authorizer, const AuthorizeCaller *caller,
                                   uint64_t actions, const AuthorizeSubject *subject,
                                   AuthorizeDone done, void *userdata);

/* `done` is not called any more; a dialogue that is open is taken away. */
void authorize_request_cancel(AuthorizeRequest *request);

/* The connection has left the bus: what is asked about it is denied. */
void authorizer_caller_gone(Authorizer *authorizer, const char *sender);
