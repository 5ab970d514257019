/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scripted.h"

#include "bus-open.h"
#include "names.h"
#include "value.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct Change {
    char *path;
    char *interface;
    char *properties;
} Change;

struct Scripted {
    const ScriptLine *script;
    GThread *thread;
    sd_bus *bus;   /* of the thread */
    int orders[2]; /* pointers to a Change; NULL ends the thread */
};

static GVariant *
parse(const char *type, const char *body)
{
    g_autoptr(GError) error = NULL;
    GVariant *value = g_variant_parse(G_VARIANT_TYPE(type), body, NULL, NULL, &error);

    if (!value)
        g_error("%s: %s", error->message, body);
    return value;
}

static const ScriptLine *
find_line(const Scripted *scripted, const char *name)
{
    for (const ScriptLine *line = scripted->script; line->name; line++)
        if (g_str_equal(line->name, name))
            return line;
    return NULL;
}

/* Sends MESSAGE with the body of LINE. */
static void
send_line(const Scripted *scripted, sd_bus_message *message, const ScriptLine *line)
{
    g_autoptr(GVariant) body = parse(line->type, line->body);

    g_assert_cmpint(value_append_body(message, body), >=, 0);
    g_assert_cmpint(sd_bus_send(scripted->bus, message, NULL), >=, 0);
    sd_bus_message_unref(message);
}

static void
send_usage(const Scripted *scripted)
{
    const ScriptLine *usage = find_line(scripted, "Usage");
    sd_bus_message *signal = NULL;

    if (!usage)
        return;
    g_assert_cmpint(sd_bus_message_new_signal(scripted->bus, &signal, VMS_ROOT_PATH,
                                              VMS_MANAGER_INTERFACE, "Usage"),
                    >=, 0);
    send_line(scripted, signal, usage);
}

static int
on_call(sd_bus_message *call, void *data, sd_bus_error *error)
{
    const Scripted *scripted = data;
    const char *member = sd_bus_message_get_member(call), *interface = "";
    sd_bus_message *reply = NULL;

    if (!sd_bus_message_is_method_call(call, NULL, NULL))
        return 0;
    bool is_get_all = g_str_equal(member, "GetAll");
    if (is_get_all)
        g_assert_cmpint(sd_bus_message_read(call, "s", &interface), >=, 0);
    g_autofree char *name = g_strconcat(member, is_get_all ? " " : NULL, interface, NULL);
    const ScriptLine *line = find_line(scripted, name);
    if (!line)
        return sd_bus_reply_method_errorf(call, SD_BUS_ERROR_UNKNOWN_METHOD, "Not in the script");
    g_assert_cmpint(sd_bus_message_new_method_return(call, &reply), >=, 0);
    send_line(scripted, reply, line);
    if (g_str_equal(name, "SubscribeUsage"))
        send_usage(scripted);
    return 1;
}

static void
send_change(const Scripted *scripted, const Change *change)
{
    g_autofree char *body =
        g_strdup_printf("('%s', %s, [])", change->interface, change->properties);
    sd_bus_message *signal = NULL;

    g_assert_cmpint(sd_bus_message_new_signal(scripted->bus, &signal, change->path,
                                              "org.freedesktop.DBus.Properties",
                                              "PropertiesChanged"),
                    >=, 0);
    send_line(scripted, signal, &(ScriptLine){"", "(sa{sv}as)", body});
}

static int
on_order(sd_event_source *source, int fd, uint32_t events, void *data)
{
    Change *change = NULL;

    g_assert_cmpint(read(fd, &change, sizeof change), ==, sizeof change);
    if (!change)
        return sd_event_exit(sd_event_source_get_event(source), 0);
    send_change(data, change);
    g_free(change->path);
    g_free(change->interface);
    g_free(change->properties);
    g_free(change);
    return 0;
}

static void *
serve(void *data)
{
    Scripted *scripted = data;
    sd_event *loop = NULL;

    g_assert_cmpint(sd_event_new(&loop), >=, 0);
    g_assert_cmpint(sd_event_add_io(loop, NULL, scripted->orders[1], EPOLLIN, on_order, scripted),
                    >=, 0);
    g_assert_cmpint(sd_bus_attach_event(scripted->bus, loop, 0), >=, 0);
    g_assert_cmpint(sd_event_loop(loop), ==, 0);
    scripted->bus = sd_bus_flush_close_unref(scripted->bus);
    sd_event_unref(loop);
    return NULL;
}

Scripted *
scripted_new(World *w, const ScriptLine *script)
{
    Scripted *scripted = g_new0(Scripted, 1);

    scripted->script = script;
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, scripted->orders), ==, 0);
    g_assert_cmpint(bus_open(&(BusTarget){.address = world_address(w)}, "scripted", &scripted->bus),
                    >=, 0);
    g_assert_cmpint(sd_bus_add_filter(scripted->bus, NULL, on_call, scripted), >=, 0);
    g_assert_cmpint(sd_bus_request_name(scripted->bus, VMS_BUS_NAME, 0), >=, 0);
    scripted->thread = g_thread_new("scripted", serve, scripted);
    return scripted;
}

static void
order(Scripted *scripted, const Change *change)
{
    g_assert_cmpint(write(scripted->orders[0], &change, sizeof change), ==, sizeof change);
}

void
scripted_change(Scripted *scripted, const char *path, const char *interface, const char *properties)
{
    Change *change = g_new0(Change, 1);

    *change = (Change){g_strdup(path), g_strdup(interface), g_strdup(properties)};
    order(scripted, change);
}

void
scripted_free(Scripted *scripted)
{
    if (!scripted)
        return;
    order(scripted, NULL);
    g_thread_join(scripted->thread);
    (void)close(scripted->orders[0]);
    (void)close(scripted->orders[1]);
    g_free(scripted);
}
