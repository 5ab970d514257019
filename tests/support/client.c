/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client.h"

#include "canonical.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#define ROOT_PATH  "/org/unraid/Vms"
#define MANAGER    "org.unraid.Vms.Manager"
#define DEBUG      "org.unraid.Vms.Debug"
#define PROPERTIES "org.freedesktop.DBus.Properties"

static void
count(Client *c)
{
    c->sequence++;
    c->now_usec = g_get_monotonic_time();
}

static int
on_message(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    count(userdata);
    return 0;
}

Client *
client_new_as(World *w, uid_t uid)
{
    Client *c = g_new0(Client, 1);
    const char *name;
    uid_t self = geteuid();

    c->world = w;
    c->destination = g_strdup(world_name(w));
    g_assert_cmpint(sd_bus_new(&c->bus), >=, 0);
    g_assert_cmpint(sd_bus_set_address(c->bus, world_address(w)), >=, 0);
    g_assert_cmpint(sd_bus_set_bus_client(c->bus, true), >=, 0);
    g_assert_cmpint(sd_bus_negotiate_fds(c->bus, true), >=, 0);
    /* The bus knows us by the user who connects, not by the one we become afterwards. */
    g_assert_cmpint(seteuid(uid), ==, 0);
    g_assert_cmpint(sd_bus_start(c->bus), >=, 0);
    g_assert_cmpint(sd_bus_get_unique_name(c->bus, &name), >=, 0);
    g_assert_cmpint(seteuid(self), ==, 0);
    g_assert_cmpint(sd_bus_add_filter(c->bus, NULL, on_message, c), >=, 0);
    g_assert_cmpint(sd_bus_attach_event(c->bus, world_event(w), SD_EVENT_PRIORITY_NORMAL), >=, 0);
    return c;
}

Client *
client_new(World *w)
{
    return client_new_as(w, geteuid());
}

void
client_free(Client *c)
{
    if (!c)
        return;
    sd_bus_detach_event(c->bus);
    sd_bus_flush_close_unref(c->bus);
    g_free(c->destination);
    g_free(c);
}

bool
can_be_ordinary_user(void)
{
    if (geteuid() == 0)
        return true;
    g_test_skip("only root can become an ordinary user");
    return false;
}

static int
on_reply(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    Call *call = userdata;
    const sd_bus_error *e = sd_bus_message_get_error(m);

    count(call->client);
    call->done = true;
    call->sequence = call->client->sequence;
    call->done_usec = call->client->now_usec;
    call->reply = sd_bus_message_ref(m);
    if (e) {
        call->error_name = g_strdup(e->name);
        call->error_message = g_strdup(e->message);
        return 0;
    }
    call->body = canonical_rest(m);
    g_assert_cmpint(sd_bus_message_rewind(m, true), >=, 0);
    return 0;
}

sd_bus_message *
client_message(Client *c, const char *path, const char *interface, const char *member)
{
    sd_bus_message *m;
    int r = sd_bus_message_new_method_call(c->bus, &m, c->destination, path, interface, member);

    if (r < 0)
        g_error("%s.%s on %s cannot be called: %s", interface, member, path, g_strerror(-r));
    return m;
}

Call *
client_send_message(Client *c, sd_bus_message *m)
{
    Call *call = g_new0(Call, 1);
    int r;

    call->client = c;
    call->what = g_strdup_printf("%s.%s on %s", sd_bus_message_get_interface(m),
                                 sd_bus_message_get_member(m), sd_bus_message_get_path(m));
    call->sent_usec = g_get_monotonic_time();
    /* Longer than any test waits: a missing answer is to be seen as such. */
    r = sd_bus_call_async(c->bus, &call->slot, m, on_reply, call, 600 * G_USEC_PER_SEC);
    if (r < 0)
        g_error("%s cannot be sent: %s", call->what, g_strerror(-r));
    sd_bus_message_unref(m);
    return call;
}

static Call *
send_valist(Client *c, const char *path, const char *interface, const char *member,
            const char *types, va_list ap)
{
    sd_bus_message *m = client_message(c, path, interface, member);

    if (types)
        g_assert_cmpint(sd_bus_message_appendv(m, types, ap), >=, 0);
    return client_send_message(c, m);
}

Call *
client_send(Client *c, const char *path, const char *interface, const char *member,
            const char *types, ...)
{
    va_list ap;
    Call *call;

    va_start(ap, types);
    call = send_valist(c, path, interface, member, types, ap);
    va_end(ap);
    return call;
}

Call *
client_call(Client *c, const char *path, const char *interface, const char *member,
            const char *types, ...)
{
    va_list ap;
    Call *call;

    va_start(ap, types);
    call = send_valist(c, path, interface, member, types, ap);
    va_end(ap);
    call_wait(call);
    return call;
}

void
call_wait(Call *call)
{
    gint64 deadline = g_get_monotonic_time() + BOUND_MS * G_GINT64_CONSTANT(1000);

    while (!call->done)
        if (!world_turn(call->client->world, deadline))
            g_error("%s was not answered within %d ms", call->what, BOUND_MS);
}

void
call_free(Call *call)
{
    if (!call)
        return;
    sd_bus_slot_unref(call->slot);
    sd_bus_message_unref(call->reply);
    g_free(call->what);
    g_free(call->body);
    g_free(call->error_name);
    g_free(call->error_message);
    g_free(call);
}

gint64
call_duration_ms(const Call *call)
{
    return (call->done_usec - call->sent_usec) / 1000;
}

const char *
call_path(const Call *call)
{
    const char *path;

    g_assert_true(call->done);
    g_assert_null(call->error_name);
    g_assert_cmpint(sd_bus_message_rewind(call->reply, true), >=, 0);
    g_assert_cmpint(sd_bus_message_read(call->reply, "o", &path), >, 0);
    return path;
}

void
call_assert_(Call *call, const char *name, const char *words, const char *file, int line)
{
    call_wait(call);
    if (g_strcmp0(call->error_name, name) != 0)
        g_error("%s:%d: %s: expected %s, got %s: %s", file, line, call->what,
                name ? name : "success", call->error_name ? call->error_name : "success",
                call->error_name ? call->error_message : call->body);
    if (name && !*call->error_message)
        g_error("%s:%d: %s: %s without a message", file, line, call->what, name);
    if (words && !strstr(call->error_message, words))
        g_error("%s:%d: %s: \"%s\" does not say \"%s\"", file, line, call->what,
                call->error_message, words);
}

char *
client_get(Client *c, const char *path, const char *interface, const char *property)
{
    g_autoptr(Call) call = client_call(c, path, PROPERTIES, "Get", "ss", interface, property);

    if (call->error_name)
        g_error("%s of %s cannot be read: %s: %s", property, path, call->error_name,
                call->error_message);
    return g_strdup(call->body);
}

char *
client_domain(Client *c, const char *name_or_uuid)
{
    g_autoptr(Call) call = client_call(c, ROOT_PATH, MANAGER, "GetDomain", "s", name_or_uuid);

    assert_ok(call);
    return g_strdup(call_path(call));
}

char *
domain_path(const char *uuid)
{
    g_autofree char *element = g_strdelimit(g_strdup(uuid), "-", '_');

    return g_strconcat(ROOT_PATH "/domain/", element, NULL);
}

static int
on_name_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    bool *owned = userdata;
    const char *name, *old_owner, *new_owner;

    g_assert_cmpint(sd_bus_message_read(m, "sss", &name, &old_owner, &new_owner), >=, 0);
    *owned = *new_owner != '\0';
    return 0;
}

static int
on_name_has_owner(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    bool *owned = userdata;
    int yes;

    g_assert_cmpint(sd_bus_message_read(m, "b", &yes), >=, 0);
    *owned = *owned || yes;
    return 0;
}

void
client_wait_owned(Client *c)
{
    sd_bus_slot *match, *call;
    bool owned = false;
    g_autofree char *rule = g_strdup_printf("type='signal',sender='org.freedesktop.DBus',"
                                            "member='NameOwnerChanged',arg0='%s'",
                                            c->destination);

    g_assert_cmpint(sd_bus_add_match(c->bus, &match, rule, on_name_owner_changed, &owned), >=, 0);
    g_assert_cmpint(sd_bus_call_method_async(c->bus, &call, "org.freedesktop.DBus",
                                             "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                             "NameHasOwner", on_name_has_owner, &owned, "s",
                                             c->destination),
                    >=, 0);
    wait_for(c->world, owned);
    sd_bus_slot_unref(match);
    sd_bus_slot_unref(call);
}

static int
on_manager_changed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    bool *stale = userdata;

    *stale = true;
    return 0;
}

void
client_wait_available(Client *c, bool available)
{
    const char *wanted = available ? "true" : "false";
    sd_bus_slot *slot;
    bool stale = true;
    g_autofree char *match =
        g_strdup_printf("type='signal',interface='" PROPERTIES "',member='PropertiesChanged',"
                        "path='" ROOT_PATH "',arg0='" MANAGER "'");

    g_assert_cmpint(sd_bus_add_match(c->bus, &slot, match, on_manager_changed, &stale), >=, 0);
    for (;;) {
        stale = false;
        g_autofree char *value = client_get(c, ROOT_PATH, MANAGER, "Available");
        if (g_str_equal(value, wanted))
            break;
        wait_for(c->world, stale);
    }
    sd_bus_slot_unref(slot);
}

void
client_pass_through_bus(Client *c)
{
    int r = sd_bus_call_method(c->bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                               "org.freedesktop.DBus", "GetId", NULL, NULL, NULL);

    g_assert_cmpint(r, >=, 0);
}

void
client_signal_everybody(Client *liar, const char *path, const char *interface, const char *member,
                        const char *types, ...)
{
    for (unsigned i = 0; i < 16; i++) {
        g_autofree char *name = g_strdup_printf(":1.%u", i);
        sd_bus_message *signal = NULL;
        va_list arguments;

        g_assert_cmpint(sd_bus_message_new_signal(liar->bus, &signal, path, interface, member), >=,
                        0);
        va_start(arguments, types);
        g_assert_cmpint(sd_bus_message_appendv(signal, types, arguments), >=, 0);
        va_end(arguments);
        g_assert_cmpint(sd_bus_message_set_destination(signal, name), >=, 0);
        g_assert_cmpint(sd_bus_send(liar->bus, signal, NULL), >=, 0);
        sd_bus_message_unref(signal);
    }
    client_pass_through_bus(liar);
}

bool
client_call_lasts(Client *c, const char *function)
{
    static const char age[] = "\"age_usec\": <";
    g_autofree char *called = g_strdup_printf(">, \"call\": <\"%s\">", function);
    g_autoptr(Call) state = client_call(c, ROOT_PATH, DEBUG, "GetState", NULL);

    assert_ok(state);
    g_auto(GStrv) parts = g_strsplit(state->body, called, -1);
    for (guint i = 0; parts[i + 1]; i++) {
        const char *last = g_strrstr(parts[i], age);

        g_assert_nonnull(last);
        if (g_ascii_strtoull(last + strlen(age), NULL, 10) >= 300000)
            return true;
    }
    return false;
}
