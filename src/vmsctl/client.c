/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client.h"

#include "agent.h"
#include "bus-open.h"
#include "units.h"
#include "value.h"

#define BUS_NAME            "org.freedesktop.DBus"
/* The service answers within 20 s of being authorised. */
#define READ_TIMEOUT_USEC   (30 * SEC)
/* A user may have to type a password first. */
#define CHANGE_TIMEOUT_USEC (600 * SEC)

void
client_options_clear(ClientOptions *options)
{
    g_clear_pointer(&options->address, g_free);
    g_clear_pointer(&options->host, g_free);
    g_clear_pointer(&options->instance, g_free);
}

static bool
connect_bus(Client *client, GError **error)
{
    const ClientOptions *options = client->options;
    const BusTarget target = {options->session, options->address, options->host};
    int r = bus_open(&target, "vmsctl", &client->bus);

    if (r < 0)
        failure_set(error, EXIT_NOT_AVAILABLE, "Cannot connect to the bus: %s", g_strerror(-r));
    return r >= 0;
}

bool
client_open(Client *client, const ClientOptions *options, GError **error)
{
    if (!!options->session + !!options->address + !!options->host > 1) {
        failure_set(error, EXIT_USAGE, "Only one of --session, --address and --host can be given");
        return false;
    }

    g_autofree char *service = options->instance
                                   ? g_strconcat(VMS_BUS_NAME ".", options->instance, NULL)
                                   : g_strdup(VMS_BUS_NAME);
    if (!sd_bus_service_name_is_valid(service)) {
        failure_set(error, EXIT_USAGE, "\"%s\" cannot be the name of an instance",
                    options->instance);
        return false;
    }

    client->options = options;
    client->service = g_steal_pointer(&service);
    if (connect_bus(client, error))
        return true;
    client_close(client);
    return false;
}

bool
client_reopen(Client *client, GError **error)
{
    client->bus = sd_bus_close_unref(client->bus);
    return connect_bus(client, error);
}

void
client_close(Client *client)
{
    agent_stop();
    client->bus = sd_bus_flush_close_unref(client->bus);
    g_clear_pointer(&client->service, g_free);
    g_clear_pointer(&client->owner, g_free);
}

bool
client_is_local(const Client *client)
{
    return !client->options->session && !client->options->address && !client->options->host;
}

static GVariant *
call(Client *client, const char *path, const char *interface, const char *method,
     GVariant *arguments, uint64_t timeout, GError **error)
{
    g_autoptr(GVariant) held = arguments ? g_variant_ref_sink(arguments) : NULL;
    sd_bus_error reply_error = SD_BUS_ERROR_NULL;
    sd_bus_message *message = NULL, *reply = NULL;
    GVariant *body = NULL;
    int r;

    r = sd_bus_message_new_method_call(client->bus, &message, client->service, path, interface,
                                       method);
    if (r >= 0)
        r = sd_bus_message_set_allow_interactive_authorization(message,
                                                               !client->options->no_ask_password);
    if (r >= 0 && held)
        r = value_append_body(message, held);
    if (r >= 0)
        r = sd_bus_call(client->bus, message, timeout, &reply_error, &reply);
    if (r >= 0) {
        body = value_read_body(reply, &r);
        if (body)
            g_variant_ref_sink(body);
    }
    if (r < 0)
        failure_from_bus(error, &reply_error, r, interface, method);

    sd_bus_error_free(&reply_error);
    sd_bus_message_unref(message);
    sd_bus_message_unref(reply);
    return body;
}

GVariant *
client_read(Client *client, const char *path, const char *interface, const char *method,
            GVariant *arguments, GError **error)
{
    return call(client, path, interface, method, arguments, READ_TIMEOUT_USEC, error);
}

GVariant *
client_change(Client *client, const char *path, const char *interface, const char *method,
              GVariant *arguments, GError **error)
{
    /* The agent answers for this machine's polkit, not for another's. */
    if (client_is_local(client) && !client->options->no_ask_password)
        agent_start();
    return call(client, path, interface, method, arguments, CHANGE_TIMEOUT_USEC, error);
}

GVariant *
client_get(Client *client, const char *path, const char *interface, const char *property,
           GError **error)
{
    g_autoptr(GVariant) reply = client_read(client, path, "org.freedesktop.DBus.Properties", "Get",
                                            g_variant_new("(ss)", interface, property), error);
    GVariant *value = NULL;

    if (reply)
        g_variant_get(reply, "(v)", &value);
    return value;
}

GVariant *
client_get_all(Client *client, const char *path, const char *interface, GError **error)
{
    g_autoptr(GVariant) reply = client_read(client, path, "org.freedesktop.DBus.Properties",
                                            "GetAll", g_variant_new("(s)", interface), error);
    GVariant *properties = NULL;

    if (reply)
        g_variant_get(reply, "(@a{sv})", &properties);
    return properties;
}

char *
client_find_vm(Client *client, const char *vm, GError **error)
{
    g_autoptr(GVariant) reply = NULL;
    char *path = NULL;

    if (!g_utf8_validate(vm, -1, NULL)) {
        failure_set(error, EXIT_NO_SUCH_VM, "No VM has a name that is not UTF-8");
        return NULL;
    }
    reply = client_read(client, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "GetDomain",
                        g_variant_new("(s)", vm), error);
    if (reply)
        g_variant_get(reply, "(o)", &path);
    return path;
}

char **
client_find_vms(Client *client, char **vms, GError **error)
{
    g_autoptr(GStrvBuilder) paths = g_strv_builder_new();

    for (; *vms; vms++) {
        g_autofree char *path = client_find_vm(client, *vms, error);

        if (!path) {
            g_prefix_error(error, "%s: ", *vms);
            return NULL;
        }
        g_strv_builder_add(paths, path);
    }
    return g_strv_builder_end(paths);
}

ExitStatus
client_change_each(Client *client, char **vms, const char *interface, const char *method,
                   GVariant *arguments)
{
    g_autoptr(GVariant) held = arguments ? g_variant_ref_sink(arguments) : NULL;
    ExitStatus first = EXIT_OK;

    for (; *vms; vms++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *path = client_find_vm(client, *vms, &error);
        g_autoptr(GVariant) reply =
            path ? client_change(client, path, interface, method, held, &error) : NULL;

        if (!reply)
            failure_keep_first(&first, failure_report(*vms, error));
    }
    return first;
}

ExitStatus
client_change_one(Client *client, const char *vm, const char *interface, const char *method,
                  GVariant *arguments)
{
    return client_change_each(client, (char *[]){(char *)vm, NULL}, interface, method, arguments);
}

static bool
add_match(Client *client, const char *rule, sd_bus_message_handler_t handler, GError **error)
{
    int r = sd_bus_add_match(client->bus, NULL, rule, handler, client);

    if (r < 0)
        failure_set(error, EXIT_NOT_AVAILABLE, "Cannot listen to the service: %s", g_strerror(-r));
    return r >= 0;
}

/* A match for a well-known name, as that of the bus, lets pass what anybody sends to us alone. */
static int
on_signal(sd_bus_message *message, void *data, sd_bus_error *error)
{
    Client *client = data;
    const char *sender = sd_bus_message_get_sender(message);

    if (!client->owner || g_strcmp0(sender, client->owner) != 0)
        return 0;
    return client->on_signal(message, client->handler_data, error);
}

static int
on_owner(sd_bus_message *message, void *data, sd_bus_error *error)
{
    Client *client = data;
    const char *name, *old_owner, *new_owner;

    if (g_strcmp0(sd_bus_message_get_sender(message), BUS_NAME) != 0)
        return 0;
    int r = sd_bus_message_read(message, "sss", &name, &old_owner, &new_owner);
    if (r < 0)
        return r;
    g_free(client->owner);
    client->owner = *new_owner ? g_strdup(new_owner) : NULL;
    r = sd_bus_message_rewind(message, true);
    return r < 0 ? r : client->on_owner(message, client->handler_data, error);
}

static bool
read_owner(Client *client, GError **error)
{
    sd_bus_creds *creds = NULL;
    const char *owner = NULL;
    int r = sd_bus_get_name_creds(client->bus, client->service, SD_BUS_CREDS_UNIQUE_NAME, &creds);

    if (r >= 0)
        r = sd_bus_creds_get_unique_name(creds, &owner);
    g_free(client->owner);
    client->owner = g_strdup(owner);
    sd_bus_creds_unref(creds);
    /* Nobody owns it: the first call has the service started. */
    if (r >= 0 || r == -ENXIO || r == -ESRCH)
        return true;
    failure_set(error, EXIT_NOT_AVAILABLE, "Cannot ask the bus for the service: %s",
                g_strerror(-r));
    return false;
}

bool
client_subscribe(Client *client, sd_bus_message_handler_t signal_handler,
                 sd_bus_message_handler_t owner_handler, void *data, GError **error)
{
    g_autofree char *signals = g_strdup_printf(
        "type='signal',sender='%s',path_namespace='" VMS_ROOT_PATH "'", client->service);
    g_autofree char *owners =
        g_strdup_printf("type='signal',sender='" BUS_NAME "',"
                        "interface='" BUS_NAME "',member='NameOwnerChanged',arg0='%s'",
                        client->service);

    client->on_signal = signal_handler;
    client->on_owner = owner_handler;
    client->handler_data = data;
    if (!add_match(client, owners, on_owner, error) ||
        !add_match(client, signals, on_signal, error))
        return false;
    return read_owner(client, error);
}
