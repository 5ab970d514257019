/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connection to one service: calls, with values in and out as GVariant and failures as GError
 * (see failure.h), and its signals.
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

typedef struct Client {
    const ClientOptions *options;
    sd_bus *bus;
    char *service; /* the bus name */
} Client;

/* Connects; the service itself is started by the first call. */
bool client_open(Client *client, const ClientOptions *options, GError **error);
void client_close(Client *client);

/* Is it the service of this machine's own system bus (so that its journal is here)? */
bool client_is_local(const Client *client);

/*
 * Calls with the tuple ARGUMENTS (floating or NULL) and returns the reply's body as a tuple.
 * client_read() is for what nobody has to be asked about; client_change() may make polkit ask in
 * the terminal, and waits as long as that takes.
 */
GVariant *client_read(Client *client, const char *path, const char *interface, const char *method,
                      GVariant *arguments, GError **error);
GVariant *client_change(Client *client, const char *path, const char *interface, const char *method,
                        GVariant *arguments, GError **error);

/* The object path of the VM with this name or UUID. */
char *client_find_vm(Client *client, const char *vm, GError **error);
/* The paths of all of them, freed with g_strfreev(); the error names the one that is missing. */
char **client_find_vms(Client *client, char **vms, GError **error);

/* A property of the Manager; NULL if it cannot be read. */
GVariant *client_manager_property(Client *client, const char *name, GError **error);

/* Every signal of the service below its root object. */
bool client_subscribe(Client *client, sd_bus_message_handler_t handler, void *data, GError **error);
/* The service coming and going: NameOwnerChanged of its name. */
bool client_watch_service(Client *client, sd_bus_message_handler_t handler, void *data,
                          GError **error);
