/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callers.h"

#include <string.h>

#define PROPERTIES     "org.freedesktop.DBus.Properties"
#define OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"
#define PAUSE_USEC     5000
/* The first clients read from memory alone: nothing may hold them up. */
#define READERS        2
/* A busy machine is allowed for; a read that waits for a frozen libvirt takes 9 s and more. */
#define READ_BOUND_MS  6000
#define CALL_BOUND_MS  21000

typedef struct Caller {
    Client *client;
    Call *call;
    guint question;
    bool reads;
} Caller;

struct Callers {
    World *world;
    char *path, *name;
    sd_event_source *timer;
    GArray *all; /* of Caller */
    guint answered, refused;
    gint64 slowest_read, slowest_call;
};

/* The first N_MEMORY are answered from memory. */
#define N_MEMORY    2
/* Get, GetManagedObjects, ListDomains, GetDomain, GetXml. */
#define N_QUESTIONS 5

static Call *
ask(const Callers *all, Client *c, guint question)
{
    switch (question) {
    case 0:
        return client_send(c, all->path, PROPERTIES, "Get", "ss", VMS_DOMAIN_INTERFACE, "State");
    case 1:
        return client_send(c, VMS_ROOT_PATH, OBJECT_MANAGER, "GetManagedObjects", NULL);
    case 2:
        return client_send(c, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "ListDomains", NULL);
    case 3:
        return client_send(c, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "GetDomain", "s", all->name);
    default:
        return client_send(c, all->path, VMS_DOMAIN_INTERFACE, "GetXml", "a{sv}", 0);
    }
}

static bool
may_refuse_with(const char *error)
{
    return g_str_equal(error, VMS_ERROR_PREFIX "NotAvailable") ||
           g_str_equal(error, VMS_ERROR_PREFIX "Timeout");
}

static void
judge(Callers *all, const Call *call, guint question)
{
    bool memory = question < N_MEMORY;
    gint64 *slowest = memory ? &all->slowest_read : &all->slowest_call;
    gint64 ms = call_duration_ms(call);

    all->answered++;
    *slowest = MAX(*slowest, ms);
    if (ms > (memory ? READ_BOUND_MS : CALL_BOUND_MS))
        g_error("%s was answered after %" G_GINT64_FORMAT " ms", call->what, ms);
    if (!call->error_name)
        return;
    all->refused++;
    if (memory || !may_refuse_with(call->error_name))
        g_error("%s: %s: %s", call->what, call->error_name, call->error_message);
}

static void
go_on(Callers *all, Caller *c)
{
    guint questions_of_it = c->reads ? N_MEMORY : (guint)N_QUESTIONS;

    if (c->call && !c->call->done)
        return;
    if (c->call)
        judge(all, c->call, c->question);
    call_free(c->call);
    c->question = (c->question + 1) % questions_of_it;
    c->call = ask(all, c->client, c->question);
}

static int
on_timer(sd_event_source *timer, uint64_t usec, void *userdata)
{
    Callers *all = userdata;

    for (guint i = 0; i < all->all->len; i++)
        go_on(all, &g_array_index(all->all, Caller, i));
    g_assert_cmpint(sd_event_source_set_time_relative(timer, PAUSE_USEC), >=, 0);
    return sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

Callers *
callers_start(World *w, guint clients, const char *path, const char *name)
{
    Callers *all = g_new0(Callers, 1);

    all->world = w;
    all->path = g_strdup(path);
    all->name = g_strdup(name);
    all->all = g_array_new(FALSE, TRUE, sizeof(Caller));
    for (guint i = 0; i < clients; i++) {
        Caller c = {.client = client_new(w), .question = i % N_MEMORY, .reads = i < READERS};
        g_array_append_val(all->all, c);
    }
    g_assert_cmpint(sd_event_add_time_relative(world_event(w), &all->timer, CLOCK_MONOTONIC, 0, 1,
                                               on_timer, all),
                    >=, 0);
    return all;
}

void
callers_stop(Callers *all)
{
    if (!all)
        return;
    sd_event_source_disable_unref(all->timer);
    for (guint i = 0; i < all->all->len; i++) {
        Caller *c = &g_array_index(all->all, Caller, i);
        if (c->call) {
            call_wait(c->call);
            judge(all, c->call, c->question);
        }
        call_free(c->call);
        client_free(c->client);
    }
    g_test_message("%u calls answered, %u of them refused; slowest read %" G_GINT64_FORMAT
                   " ms, slowest call %" G_GINT64_FORMAT " ms",
                   all->answered, all->refused, all->slowest_read, all->slowest_call);
    g_array_unref(all->all);
    g_free(all->path);
    g_free(all->name);
    g_free(all);
}
