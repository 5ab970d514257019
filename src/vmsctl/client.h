/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connection to one service: its calls and its signals. Values go in and out as GVariant,
 * failures come as GError (see failure.h).
 */
#pragma once

#include "failure.h"
#include "names.h"

#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-bus.h>

typedef struct ClientOptions {
    gboolean session;
    char *address;
    char *host;
    char *instance;
    gboolean no_ask_password;
    gboolean json;
    gboolean no_legend;
} ClientOptions;

void client_options_clear(ClientOptions *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ClientOptions, client_options_clear)

typedef struct Client {
    const ClientOptions *options;
    sd_bus *bus;
    char *service; /* the bus name */

    /* Of client_subscribe(). */
    char *owner; /* of the bus name; NULL: nobody */
    sd_bus_message_handler_t on_signal;
    sd_bus_message_handler_t on_owner;
    void *handler_data;
} Client;

/* Connects to the bus, which starts the service itself at the first call. */
bool client_open(Client *client, const ClientOptions *options, GError **error);
void client_close(Client *client);
/* Drops the connection, with all that waits for a message on it, and makes a new one. After a
 * failure there is none. */
bool client_reopen(Client *client, GError **error);

/* Is it on this host's own system bus? Only then are its journal and its polkit those of this
 * host. */
bool client_is_local(const Client *client);

/*
 * Calls METHOD with the tuple ARGUMENTS (floating, or held by the caller, or NULL) and returns the
 * reply's body as a tuple. client_read() is for methods that every user may call; client_change()
 * may make polkit ask for a password in the terminal, and waits as long as that takes.
 */
GVariant *client_read(Client *client, const char *path, const char *interface, const char *method,
                      GVariant *arguments, GError **error);
GVariant *client_change(Client *client, const char *path, const char *interface, const char *method,
                        GVariant *arguments, GError **error);

/* The value of a property. */
GVariant *client_get(Client *client, const char *path, const char *interface, const char *property,
                     GError **error);
/* All properties of an interface (a{sv}). */
GVariant *client_get_all(Client *client, const char *path, const char *interface, GError **error);

/* The object path of the VM with this name or UUID. */
char *client_find_vm(Client *client, const char *vm, GError **error);
/* The paths of all of them, freed with g_strfreev(); the error names the one that is missing. */
char **client_find_vms(Client *client, char **vms, GError **error);

/*
 * client_change() of each of the VMs; ARGUMENTS is floating or held. A failure is printed and does
 * not stop the others; returns the status of the first one.
 */
ExitStatus client_change_each(Client *client, char **vms, const char *interface, const char *method,
                              GVariant *arguments);
ExitStatus client_change_one(Client *client, const char *vm, const char *interface,
                             const char *method, GVariant *arguments);

/*
 * `signal_handler` is for every signal of the service below its root object, `owner_handler` for
 * NameOwnerChanged of its name: it comes or goes. Once for a connection. What others send to us
 * alone, which the bus allows, is not among them.
 */
bool client_subscribe(Client *client, sd_bus_message_handler_t signal_handler,
                      sd_bus_message_handler_t owner_handler, void *data, GError **error);
