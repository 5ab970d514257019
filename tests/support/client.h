/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A client of the service: one connection to the world's bus, and calls on it. Any number of calls
 * may be in flight. Replies and signals are dispatched in the order in which they arrive, each with
 * a number that counts up, so that a test can tell what came before what.
 *
 *     g_autoptr(Call) stop = client_send(c, path, VMS_DOMAIN_INTERFACE, "Stop", NULL);
 *     g_autoptr(Call) start = client_call(c, path, VMS_DOMAIN_INTERFACE, "Start", NULL);
 *     assert_error(start, "org.unraid.Vms.Error.Busy");
 *     call_wait(stop);
 *     assert_ok(stop);
 */

#include "world.h"

#include <systemd/sd-bus.h>

typedef struct Client {
    World *world;
    sd_bus *bus;
    char *destination; /* the world's service; may be replaced */
    guint64 sequence;  /* of the last signal or reply that arrived */
    gint64 now_usec;   /* when that was */
} Client;

typedef struct Call {
    Client *client;
    sd_bus_slot *slot;
    char *what; /* "Interface.Member path", for messages */
    bool done;
    sd_bus_message *reply; /* rewound; also when it is an error */
    char *body;            /* its arguments, canonical (see canonical.h) */
    char *error_name;      /* NULL on success */
    char *error_message;
    guint64 sequence;
    gint64 sent_usec, done_usec;
} Call;

Client *client_new(World *w);
/* As another user, root only: see can_be_ordinary_user(). */
Client *client_new_as(World *w, uid_t uid);
void client_free(Client *c);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Client, client_free)

/* Whether this test can act as somebody else; if not, it has been marked as skipped. */
bool can_be_ordinary_user(void);
#define ORDINARY_UID 65534

/*
 * Sends a call, with its arguments as sd_bus_message_append() takes them, or types NULL. The caller
 * frees it with call_free(), also before the reply is there, which is then ignored.
 */
Call *client_send(Client *c, const char *path, const char *interface, const char *member,
                  const char *types, ...);
/* The same for a message made by client_message(), which it takes over. */
Call *client_send_message(Client *c, sd_bus_message *m);
sd_bus_message *client_message(Client *c, const char *path, const char *interface,
                               const char *member);
/* Sends it and waits for the reply. */
Call *client_call(Client *c, const char *path, const char *interface, const char *member,
                  const char *types, ...);

void call_wait(Call *call);
void call_free(Call *call);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Call, call_free)

/* How long it took, in milliseconds. */
gint64 call_duration_ms(const Call *call);
/* The object path that it returned; the call must have succeeded. */
const char *call_path(const Call *call);

/* They wait for the reply first. */
#define assert_ok(call)          call_assert_((call), NULL, NULL, __FILE__, __LINE__)
#define assert_error(call, name) call_assert_((call), (name), NULL, __FILE__, __LINE__)
#define assert_error_says(call, name, words)                                                       \
    call_assert_((call), (name), (words), __FILE__, __LINE__)
void call_assert_(Call *call, const char *name, const char *words, const char *file, int line);

/* A property as text (canonical.h); it must be readable. */
char *client_get(Client *c, const char *path, const char *interface, const char *property);
#define assert_property(c, path, interface, property, value)                                       \
    G_STMT_START                                                                                   \
    {                                                                                              \
        g_autofree char *got_ = client_get(c, path, interface, property);                          \
        g_assert_cmpstr(got_, ==, value);                                                          \
    }                                                                                              \
    G_STMT_END

/* GetDomain: the path of a domain that is there. */
char *client_domain(Client *c, const char *name_or_uuid);
/* /org/unraid/Vms/domain/…, without asking. */
char *domain_path(const char *uuid);
/* The calls that were sent before have been handed on by the bus, when this returns. */
void client_pass_through_bus(Client *c);
/* A signal to each connection that there may be, by its name, as the bus lets anybody send. */
void client_signal_everybody(Client *liar, const char *path, const char *interface,
                             const char *member, const char *types, ...);
/* Whether a lane has been about this libvirt function for 300 ms: it hangs in that, and no longer
 * in one of the quick questions that come before. */
bool client_call_lasts(Client *c, const char *function);
/* Waits until somebody owns the destination's name. */
void client_wait_owned(Client *c);
/* Waits until the Manager's Available is as wanted. */
void client_wait_available(Client *c, bool available);
