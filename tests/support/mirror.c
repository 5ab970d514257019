/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mirror.h"

#include "canonical.h"
#include "names.h"

#include <string.h>

#define ROOT_PATH      "/org/unraid/Vms"
#define DOMAIN         "org.unraid.Vms.Domain"
#define OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"
#define PROPERTIES     "org.freedesktop.DBus.Properties"

static const char *const standard_interfaces[] = {"org.freedesktop.DBus.Peer",
                                                  "org.freedesktop.DBus.Introspectable", PROPERTIES,
                                                  OBJECT_MANAGER, NULL};

/* Of the root object, which GetManagedObjects leaves out. */
static const char *const root_interfaces[] = {"org.unraid.Vms.Manager", "org.unraid.Vms.Host"};

static void
signal_free(gpointer data)
{
    Signal *s = data;

    g_free(s->path);
    g_free(s->interface);
    g_free(s->member);
    g_free(s->body);
    g_free(s);
}

static void
change_free(gpointer data)
{
    Change *c = data;

    g_free(c->path);
    g_free(c->interface);
    g_free(c->property);
    g_free(c->value);
    g_free(c);
}

static char *
key_of(const char *path, const char *interface, const char *property)
{
    return g_strjoin(" ", path, interface, property, NULL);
}

static GHashTable *
values_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

G_GNUC_PRINTF(2, 3)
static void
fault(Mirror *m, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    g_ptr_array_add(m->faults, g_strdup_vprintf(format, ap));
    va_end(ap);
}

static const char *
read_string(sd_bus_message *msg, char type)
{
    const char *text;

    g_assert_cmpint(sd_bus_message_read_basic(msg, type, &text), >, 0);
    return text;
}

/* Calls each(name, value) for what an a{sv} holds. */
typedef void (*EachProperty)(const char *name, char *value, void *userdata);

static void
read_properties(sd_bus_message *msg, EachProperty each, void *userdata)
{
    g_assert_cmpint(sd_bus_message_enter_container(msg, 'a', "{sv}"), >=, 0);
    while (sd_bus_message_enter_container(msg, 'e', "sv") > 0) {
        const char *name = read_string(msg, 's');
        g_autofree char *value = canonical_next(msg);
        each(name, value, userdata);
        g_assert_cmpint(sd_bus_message_exit_container(msg), >=, 0);
    }
    g_assert_cmpint(sd_bus_message_exit_container(msg), >=, 0);
}

typedef struct Into {
    GHashTable *values;
    const char *path;
    const char *interface;
} Into;

static void
store(const char *name, char *value, void *userdata)
{
    Into *into = userdata;

    g_hash_table_replace(into->values, key_of(into->path, into->interface, name), g_strdup(value));
}

/* An a{sa{sv}}, as InterfacesAdded has it. The standard interfaces have no properties and are left
 * out. */
static void
read_interfaces(Mirror *m, sd_bus_message *msg, GHashTable *values, const char *path)
{
    g_assert_cmpint(sd_bus_message_enter_container(msg, 'a', "{sa{sv}}"), >=, 0);
    while (sd_bus_message_enter_container(msg, 'e', "sa{sv}") > 0) {
        Into into = {values, path, read_string(msg, 's')};
        if (g_strv_contains(standard_interfaces, into.interface)) {
            g_assert_cmpint(sd_bus_message_skip(msg, "a{sv}"), >=, 0);
        } else {
            if (!g_hash_table_replace(values, key_of(path, into.interface, NULL), g_strdup("")))
                fault(m, "%s has appeared twice on %s", into.interface, path);
            read_properties(msg, store, &into);
        }
        g_assert_cmpint(sd_bus_message_exit_container(msg), >=, 0);
    }
    g_assert_cmpint(sd_bus_message_exit_container(msg), >=, 0);
}

static void
on_added(Mirror *m, sd_bus_message *msg)
{
    const char *path = read_string(msg, 'o');

    read_interfaces(m, msg, m->values, path);
}

static void
on_removed(Mirror *m, sd_bus_message *msg)
{
    const char *path = read_string(msg, 'o');

    g_assert_cmpint(sd_bus_message_enter_container(msg, 'a', "s"), >=, 0);
    while (sd_bus_message_at_end(msg, false) == 0) {
        const char *interface = read_string(msg, 's');
        g_autofree char *key = key_of(path, interface, NULL);
        g_autofree char *prefix = g_strconcat(key, " ", NULL);
        GHashTableIter iter;
        gpointer k;

        if (g_strv_contains(standard_interfaces, interface))
            continue;
        if (!g_hash_table_remove(m->values, key))
            fault(m, "%s was removed from %s, where it was not", interface, path);
        g_hash_table_iter_init(&iter, m->values);
        while (g_hash_table_iter_next(&iter, &k, NULL))
            if (g_str_has_prefix(k, prefix))
                g_hash_table_iter_remove(&iter);
    }
}

typedef struct Changing {
    Mirror *mirror;
    const char *path;
    const char *interface;
} Changing;

static void
change(const char *name, char *value, void *userdata)
{
    Changing *at = userdata;
    Mirror *m = at->mirror;
    g_autofree char *key = key_of(at->path, at->interface, name);
    const char *old = g_hash_table_lookup(m->values, key);
    Change *c = g_new0(Change, 1);

    if (!old)
        fault(m, "%s changed, which is not there", key);
    else if (g_str_equal(old, value))
        fault(m, "%s was signalled to change from %s to the same", key, old);
    g_hash_table_replace(m->values, g_strdup(key), g_strdup(value));
    c->sequence = m->client->sequence;
    c->path = g_strdup(at->path);
    c->interface = g_strdup(at->interface);
    c->property = g_strdup(name);
    c->value = g_strdup(value);
    g_ptr_array_add(m->changes, c);
}

static void
on_changed(Mirror *m, sd_bus_message *msg)
{
    Changing at = {m, sd_bus_message_get_path(msg), read_string(msg, 's')};

    read_properties(msg, change, &at);
    g_assert_cmpint(sd_bus_message_enter_container(msg, 'a', "s"), >=, 0);
    while (sd_bus_message_at_end(msg, false) == 0)
        fault(m, "%s of %s was invalidated without its value", read_string(msg, 's'), at.path);
}

/* Signals before the first answer are contained in it. */
static bool
is_known(Mirror *m, sd_bus_message *msg)
{
    const char *interface;

    if (sd_bus_message_is_signal(msg, PROPERTIES, NULL) <= 0 ||
        !g_str_equal(sd_bus_message_get_path(msg), ROOT_PATH))
        return m->objects_known;
    interface = read_string(msg, 's');
    g_assert_cmpint(sd_bus_message_rewind(msg, true), >=, 0);
    return mirror_has(m, ROOT_PATH, interface);
}

static int
on_signal(sd_bus_message *msg, void *userdata, sd_bus_error *error)
{
    Mirror *m = userdata;
    Signal *s;

    if (g_strcmp0(sd_bus_message_get_sender(msg), m->sender) != 0)
        return 0;
    if (!is_known(m, msg))
        return 0;
    s = g_new0(Signal, 1);
    s->sequence = m->client->sequence;
    s->usec = m->client->now_usec;
    s->path = g_strdup(sd_bus_message_get_path(msg));
    s->interface = g_strdup(sd_bus_message_get_interface(msg));
    s->member = g_strdup(sd_bus_message_get_member(msg));
    s->body = canonical_rest(msg);
    g_ptr_array_add(m->signals, s);
    g_assert_cmpint(sd_bus_message_rewind(msg, true), >=, 0);
    if (sd_bus_message_is_signal(msg, OBJECT_MANAGER, "InterfacesAdded") > 0)
        on_added(m, msg);
    else if (sd_bus_message_is_signal(msg, OBJECT_MANAGER, "InterfacesRemoved") > 0)
        on_removed(m, msg);
    else if (sd_bus_message_is_signal(msg, PROPERTIES, "PropertiesChanged") > 0)
        on_changed(m, msg);
    return 0;
}

static void
parse_managed_objects(Mirror *m, sd_bus_message *msg, GHashTable *values)
{
    g_assert_cmpint(sd_bus_message_enter_container(msg, 'a', "{oa{sa{sv}}}"), >=, 0);
    while (sd_bus_message_enter_container(msg, 'e', "oa{sa{sv}}") > 0) {
        const char *path = read_string(msg, 'o');
        read_interfaces(m, msg, values, path);
        g_assert_cmpint(sd_bus_message_exit_container(msg), >=, 0);
    }
    g_assert_cmpint(sd_bus_message_exit_container(msg), >=, 0);
}

static void
parse_root(sd_bus_message *msg, GHashTable *values, const char *interface)
{
    Into into = {values, ROOT_PATH, interface};

    g_hash_table_replace(values, key_of(ROOT_PATH, interface, NULL), g_strdup(""));
    read_properties(msg, store, &into);
}

/* One question, in flight; the answer is looked at the moment it arrives. */
typedef struct Question {
    Mirror *mirror;
    const char *root_interface; /* NULL: about all other objects */
    GString *differences;       /* NULL: take over what is answered */
    bool answered;
} Question;

/* Whether the question is about what this is the key of. */
static bool
is_about(const Question *q, const char *key)
{
    const char *rest = g_str_has_prefix(key, ROOT_PATH " ") ? key + strlen(ROOT_PATH " ") : NULL;

    if (!q->root_interface || !rest)
        return !q->root_interface && !rest;
    return g_str_has_prefix(rest, q->root_interface);
}

static void
compare(const Question *q, GHashTable *theirs)
{
    GHashTable *mine = q->mirror->values;
    GHashTableIter iter;
    gpointer key, value;

    g_hash_table_iter_init(&iter, theirs);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        const char *known = g_hash_table_lookup(mine, key);
        if (g_strcmp0(known, value) != 0)
            g_string_append_printf(q->differences, "\n  %s: %s, but the signals say %s",
                                   (char *)key, (char *)value, known ? known : "nothing");
    }
    g_hash_table_iter_init(&iter, mine);
    while (g_hash_table_iter_next(&iter, &key, &value))
        if (is_about(q, key) && !g_hash_table_contains(theirs, key))
            g_string_append_printf(q->differences, "\n  %s: gone, but the signals say %s",
                                   (char *)key, (char *)value);
}

static void
take_over(const Question *q, GHashTable *values)
{
    GHashTableIter iter;
    gpointer key, value;

    g_hash_table_iter_init(&iter, values);
    while (g_hash_table_iter_next(&iter, &key, &value))
        g_hash_table_replace(q->mirror->values, g_strdup(key), g_strdup(value));
    if (!q->root_interface)
        q->mirror->objects_known = true;
}

static int
on_answer(sd_bus_message *msg, void *userdata, sd_bus_error *error)
{
    Question *q = userdata;
    g_autoptr(GHashTable) values = values_new();

    if (sd_bus_message_get_error(msg))
        g_error("the service does not tell what it has: %s",
                sd_bus_message_get_error(msg)->message);
    if (q->root_interface)
        parse_root(msg, values, q->root_interface);
    else
        parse_managed_objects(q->mirror, msg, values);
    if (q->differences)
        compare(q, values);
    else
        take_over(q, values);
    q->answered = true;
    return 0;
}

static void
ask(Mirror *m, GString *differences)
{
    Client *c = m->client;
    Question objects = {m, NULL, differences, false};
    Question root[G_N_ELEMENTS(root_interfaces)];
    sd_bus_slot *slots[G_N_ELEMENTS(root_interfaces) + 1];

    g_assert_cmpint(sd_bus_call_method_async(c->bus, &slots[0], c->destination, ROOT_PATH,
                                             OBJECT_MANAGER, "GetManagedObjects", on_answer,
                                             &objects, NULL),
                    >=, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(root); i++) {
        root[i] = (Question){m, root_interfaces[i], differences, false};
        g_assert_cmpint(sd_bus_call_method_async(c->bus, &slots[i + 1], c->destination, ROOT_PATH,
                                                 PROPERTIES, "GetAll", on_answer, &root[i], "s",
                                                 root_interfaces[i]),
                        >=, 0);
    }
    wait_for(c->world, objects.answered);
    for (unsigned i = 0; i < G_N_ELEMENTS(root); i++)
        wait_for(c->world, root[i].answered);
    for (unsigned i = 0; i < G_N_ELEMENTS(slots); i++)
        sd_bus_slot_unref(slots[i]);
}

static char *
owner_of(Client *c)
{
    sd_bus_message *reply;
    const char *owner;
    char *copy;

    g_assert_cmpint(sd_bus_call_method(c->bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                       "org.freedesktop.DBus", "GetNameOwner", NULL, &reply, "s",
                                       c->destination),
                    >=, 0);
    g_assert_cmpint(sd_bus_message_read(reply, "s", &owner), >, 0);
    copy = g_strdup(owner);
    sd_bus_message_unref(reply);
    return copy;
}

Mirror *
mirror_new(Client *c)
{
    Mirror *m = g_new0(Mirror, 1);

    m->client = c;
    m->signals = g_ptr_array_new_with_free_func(signal_free);
    m->changes = g_ptr_array_new_with_free_func(change_free);
    m->faults = g_ptr_array_new_with_free_func(g_free);
    m->values = values_new();
    m->sender = owner_of(c);
    g_assert_cmpint(sd_bus_add_match(c->bus, &m->slot,
                                     "type='signal',path_namespace='" ROOT_PATH "'", on_signal, m),
                    >=, 0);
    ask(m, NULL);
    return m;
}

void
mirror_free(Mirror *m)
{
    if (!m)
        return;
    sd_bus_slot_unref(m->slot);
    g_ptr_array_unref(m->signals);
    g_ptr_array_unref(m->changes);
    g_ptr_array_unref(m->faults);
    g_hash_table_unref(m->values);
    g_free(m->sender);
    g_free(m);
}

const char *
mirror_get(Mirror *m, const char *path, const char *interface, const char *property)
{
    g_autofree char *key = key_of(path, interface, property);

    return g_hash_table_lookup(m->values, key);
}

bool
mirror_is(Mirror *m, const char *path, const char *property, const char *value)
{
    return g_strcmp0(mirror_get(m, path, DOMAIN, property), value) == 0;
}

bool
mirror_has(Mirror *m, const char *path, const char *interface)
{
    return mirror_get(m, path, interface, NULL) != NULL;
}

char *
mirror_difference(Mirror *m)
{
    g_autoptr(GString) wrong = g_string_new(NULL);

    ask(m, wrong);
    for (guint i = 0; i < m->faults->len; i++)
        g_string_append_printf(wrong, "\n  %s", (char *)m->faults->pdata[i]);
    return g_string_free(g_steal_pointer(&wrong), FALSE);
}

void
mirror_check(Mirror *m)
{
    g_autofree char *wrong = mirror_difference(m);

    if (*wrong)
        g_error("the mirror differs:%s", wrong);
}

guint64
mirror_mark(const Mirror *m)
{
    return m->client->sequence;
}

char *
mirror_history(const Mirror *m, guint64 mark, const char *path, const char *property)
{
    g_autoptr(GString) s = g_string_new(NULL);

    for (guint i = 0; i < m->changes->len; i++) {
        const Change *c = m->changes->pdata[i];
        if (c->sequence > mark && g_str_equal(c->path, path) && g_str_equal(c->property, property))
            g_string_append_printf(s, "%s%s", s->len ? " " : "", c->value);
    }
    return g_string_free(g_steal_pointer(&s), FALSE);
}

static bool
is_of_host(const Signal *s)
{
    return g_str_equal(s->member, "PropertiesChanged") &&
           g_str_has_prefix(s->body, VMS_HOST_INTERFACE);
}

static bool
matches(const Signal *s, guint64 mark, const char *path, const char *member)
{
    return s->sequence > mark && (!path || g_str_equal(s->path, path)) &&
           (!member || g_str_equal(s->member, member)) && (path || member || !is_of_host(s));
}

guint
mirror_count(const Mirror *m, guint64 mark, const char *path, const char *member)
{
    guint n = 0;

    for (guint i = 0; i < m->signals->len; i++)
        n += matches(m->signals->pdata[i], mark, path, member);
    return n;
}

const Signal *
mirror_find(const Mirror *m, guint64 mark, const char *path, const char *member)
{
    for (guint i = 0; i < m->signals->len; i++)
        if (matches(m->signals->pdata[i], mark, path, member))
            return m->signals->pdata[i];
    return NULL;
}

const Signal *
mirror_job_removed(const Mirror *m, const char *job)
{
    g_autofree char *prefix = g_strconcat(job, " ", NULL);

    for (guint i = 0; i < m->signals->len; i++) {
        const Signal *s = m->signals->pdata[i];
        if (g_str_equal(s->member, "JobRemoved") && g_str_has_prefix(s->body, prefix))
            return s;
    }
    return NULL;
}
