/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A signal that cannot be queued: what clients know is made good as soon as signals go out again.
 * The object server is a stand-in that keeps a client's mirror.
 */

#include "publisher.h"

#include "fake-loop.h"

#include <errno.h>

#define WEB  "c0de0001-0000-4000-8000-000000000001"
#define MAIL "c0de0002-0000-4000-8000-000000000002"
#define SEC  UINT64_C(1000000)

/* The kinds of object, of which the publisher knows no more than that. */
struct ObjectKind {
    GHashTable *objects; /* path -> Domain, what the service has */
};

static struct {
    int failure;        /* what each signal fails with; 0: none does */
    GHashTable *mirror; /* path -> name, what a client has */
    unsigned sent;
    uint64_t root_changes; /* that a client was told of */
} bus;

/* --- the stand-in ------------------------------------------------------------------------- */

int
object_server_emit_added(ObjectKind *kind, const char *path, const void *object)
{
    if (bus.failure)
        return bus.failure;
    bus.sent++;
    g_hash_table_insert(bus.mirror, g_strdup(path), g_strdup(((const Domain *)object)->name));
    return 0;
}

int
object_server_emit_removed(ObjectKind *kind, const char *path)
{
    if (bus.failure)
        return bus.failure;
    bus.sent++;
    g_hash_table_remove(bus.mirror, path);
    return 0;
}

int
object_server_emit_changed(ObjectKind *kind, const char *path, const void *object, uint64_t changes)
{
    if (bus.failure)
        return bus.failure;
    bus.sent++;
    if (!object)
        bus.root_changes |= changes;
    else if (g_hash_table_contains(bus.mirror, path))
        g_hash_table_insert(bus.mirror, g_strdup(path), g_strdup(((const Domain *)object)->name));
    return 0;
}

int
object_server_emit_again(ObjectKind *kind, const char *path)
{
    const Domain *domain = g_hash_table_lookup(kind->objects, path);
    int r = object_server_emit_removed(kind, path);

    return r < 0 || !domain ? r : object_server_emit_added(kind, path, domain);
}

/* --- the world ---------------------------------------------------------------------------- */

typedef struct {
    ObjectKind domains;
    Publisher *publisher;
} World;

static void
world_begin(World *w)
{
    fake_loop_reset();
    bus.failure = 0;
    bus.sent = 0;
    bus.root_changes = 0;
    bus.mirror = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    w->domains.objects = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                               (GDestroyNotify)(void (*)(void))domain_unref);
    w->publisher =
        publisher_new(NULL, &(PublisherParts){.root = &w->domains, .domain = &w->domains});
}

static void
world_end(World *w)
{
    publisher_free(w->publisher);
    g_hash_table_unref(w->domains.objects);
    g_hash_table_unref(bus.mirror);
    fake_loop_reset();
}

static Domain *
find(const World *w, const char *uuid)
{
    return g_hash_table_lookup(w->domains.objects, object_path_of_domain(uuid).text);
}

static void
rename_to(Domain *domain, const char *name)
{
    g_free(domain->name);
    domain->name = g_strdup(name);
}

static void
add(World *w, const char *uuid, const char *name)
{
    Domain *domain = domain_new(uuid);

    rename_to(domain, name);
    g_hash_table_insert(w->domains.objects, g_strdup(object_path_of_domain(uuid).text), domain);
    publisher_domain_added(w->publisher, domain);
}

static void
change(World *w, const char *uuid, const char *name)
{
    Domain *domain = find(w, uuid);

    rename_to(domain, name);
    domain->unsignaled = DOMAIN_CHANGED(NAME);
    publisher_domain_changed(w->publisher, domain);
    fake_loop_run();
}

static void
take_away(World *w, const char *uuid)
{
    publisher_domain_removed(w->publisher, find(w, uuid));
    g_hash_table_remove(w->domains.objects, object_path_of_domain(uuid).text);
}

static bool
mirror_is_true(const World *w)
{
    GHashTableIter iter;
    gpointer path, domain;

    g_hash_table_iter_init(&iter, w->domains.objects);
    while (g_hash_table_iter_next(&iter, &path, &domain))
        if (g_strcmp0(g_hash_table_lookup(bus.mirror, path), ((const Domain *)domain)->name) != 0)
            return false;
    return g_hash_table_size(w->domains.objects) == g_hash_table_size(bus.mirror);
}

/* --- the cases ---------------------------------------------------------------------------- */

/* The control: nothing is signalled twice where all signals went out. */
static void
test_all_sent(void)
{
    World w;

    world_begin(&w);
    add(&w, WEB, "web");
    change(&w, WEB, "web2");
    take_away(&w, WEB);
    g_assert_cmpuint(bus.sent, ==, 3);
    fake_loop_advance(60 * SEC);
    g_assert_cmpuint(bus.sent, ==, 3);
    world_end(&w);
}

static void
test_changed(void)
{
    World w;

    world_begin(&w);
    add(&w, WEB, "web");
    bus.failure = -ENOBUFS;
    change(&w, WEB, "web2");
    g_assert_false(mirror_is_true(&w));
    fake_loop_advance(10 * SEC);
    g_assert_false(mirror_is_true(&w));
    bus.failure = 0;
    fake_loop_advance(2 * SEC);
    g_assert_true(mirror_is_true(&w));
    world_end(&w);
}

static void
test_added_and_removed(void)
{
    World w;

    world_begin(&w);
    add(&w, MAIL, "mail");
    bus.failure = -ENOMEM;
    add(&w, WEB, "web");
    take_away(&w, MAIL);
    g_assert_false(mirror_is_true(&w));
    bus.failure = 0;
    /* A change of what the client was never told of. */
    change(&w, WEB, "web2");
    fake_loop_advance(2 * SEC);
    g_assert_true(mirror_is_true(&w));
    g_assert_cmpuint(publisher_missed(w.publisher), ==, 2);
    world_end(&w);
}

/* The root object stays; its properties are signalled again. */
static void
test_manager(void)
{
    World w;

    world_begin(&w);
    bus.failure = -ENOBUFS;
    publisher_root_changed(w.publisher, CONNECTION_CHANGED(STATUS));
    fake_loop_run();
    g_assert_cmpuint(bus.root_changes, ==, 0);
    bus.failure = 0;
    fake_loop_advance(2 * SEC);
    g_assert_cmpuint(bus.root_changes, ==, CONNECTION_CHANGED(STATUS));
    world_end(&w);
}

/* One that is too long for a bus always will be: it is not repeated for ever. */
static void
test_too_long(void)
{
    World w;

    world_begin(&w);
    add(&w, WEB, "web");
    bus.failure = -EMSGSIZE;
    change(&w, WEB, "web2");
    bus.failure = 0;
    bus.sent = 0;
    fake_loop_advance(60 * SEC);
    g_assert_cmpuint(bus.sent, ==, 0);
    world_end(&w);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/publisher/all-sent", test_all_sent);
    g_test_add_func("/publisher/changed", test_changed);
    g_test_add_func("/publisher/added-and-removed", test_added_and_removed);
    g_test_add_func("/publisher/manager", test_manager);
    g_test_add_func("/publisher/too-long", test_too_long);
    return g_test_run();
}
