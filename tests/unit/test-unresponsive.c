/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* When a domain is published as one that libvirt does not answer for, and when no longer. */

#include "unresponsive.h"

#include "clock.h"
#include "fake-loop.h"
#include "silent-cache.h"

#include <string.h>

#define SEC  UINT64_C(1000000)
#define UUID "00000000-0000-4000-8000-000000000001"

typedef struct {
    Cache *cache;
    Domain *domain;
    Unresponsive *unresponsive;
} World;

static World *
world_new(void)
{
    World *w = g_new0(World, 1);

    fake_loop_reset();
    w->cache = silent_cache_new();
    silent_cache_set(w->cache, UUID, 1);
    cache_set_available(w->cache, true);
    w->domain = cache_find(w->cache, UUID);
    w->unresponsive = unresponsive_new(NULL, w->cache);
    return w;
}

static void
world_free(World *w)
{
    unresponsive_free(w->unresponsive);
    cache_free(w->cache);
    g_free(w);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(World, world_free)

/* --- calls -------------------------------------------------------------------------------- */

static Call
call_of(CallClass class)
{
    Call call = {.class = class, .name = "virDomainGetXMLDesc"};

    strcpy(call.key, UUID);
    return call;
}

static void
hang(World *w, const Call *call)
{
    g_assert_true(unresponsive_hanging(w->unresponsive, call, clock_now_usec()));
}

/* A read hangs until its connection dies. */
static void
die_in(World *w, Call *read)
{
    hang(w, read);
    fake_loop_advance(3 * SEC);
    unresponsive_returned(w->unresponsive, read, false);
}

/* --- cases -------------------------------------------------------------------------------- */

static void
test_read_that_hangs(void)
{
    g_autoptr(World) w = world_new();
    Call read = call_of(CALL_READ);

    hang(w, &read);
    fake_loop_advance(SEC);
    g_assert_true(w->domain->available);
    fake_loop_advance(2 * SEC);
    g_assert_false(w->domain->available);
    unresponsive_returned(w->unresponsive, &read, true);
    g_assert_true(w->domain->available);
    g_assert_false(unresponsive_has_suspects(w->unresponsive));
}

static void
test_change_that_hangs(void)
{
    g_autoptr(World) w = world_new();
    Call change = call_of(CALL_CHANGE);

    hang(w, &change);
    fake_loop_advance(10 * SEC);
    g_assert_true(w->domain->available);
    g_assert_true(unresponsive_is_suspect(w->unresponsive, UUID));
    unresponsive_returned(w->unresponsive, &change, true);
    g_assert_false(unresponsive_has_suspects(w->unresponsive));
}

/* XML that has had the lock waits for the domain's process. */
static void
test_xml_that_hangs(void)
{
    g_autoptr(World) w = world_new();
    Call xml = call_of(CALL_XML);

    xml.waits_for_process = true;
    g_assert_false(unresponsive_hanging(w->unresponsive, &xml, clock_now_usec()));
    fake_loop_advance(10 * SEC);
    g_assert_true(w->domain->available);
    g_assert_false(unresponsive_is_suspect(w->unresponsive, UUID));
    unresponsive_returned(w->unresponsive, &xml, true);
    g_assert_false(unresponsive_has_suspects(w->unresponsive));
}

/* A read and one of XML hang, and the connection of one of them dies: the other one still tells. */
static void
test_one_of_two_dies(void)
{
    g_autoptr(World) w = world_new();
    Call read = call_of(CALL_READ), xml = call_of(CALL_XML);

    hang(w, &read);
    hang(w, &xml);
    unresponsive_returned(w->unresponsive, &xml, false);
    fake_loop_advance(3 * SEC);
    g_assert_false(w->domain->available);
    unresponsive_returned(w->unresponsive, &read, true);
    g_assert_true(w->domain->available);
    g_assert_false(unresponsive_has_suspects(w->unresponsive));
}

/* A daemon that freezes ends the calls with their connections: none of them was answered. */
static void
test_connection_dies(void)
{
    g_autoptr(World) w = world_new();
    Call read = call_of(CALL_READ);

    die_in(w, &read);
    g_assert_false(w->domain->available);
    unresponsive_connection_lost(w->unresponsive);
    g_assert_false(w->domain->available);
    g_assert_false(unresponsive_has_suspects(w->unresponsive));
}

/* Only one connection died: the read that is made again on another one tells. */
static void
test_read_again(void)
{
    g_autoptr(World) w = world_new();
    Call read = call_of(CALL_READ), again = call_of(CALL_READ);

    die_in(w, &read);
    hang(w, &again);
    unresponsive_read(w->unresponsive, UUID);
    g_assert_false(w->domain->available);
    unresponsive_returned(w->unresponsive, &again, false);
    unresponsive_read(w->unresponsive, UUID);
    g_assert_true(w->domain->available);
    g_assert_false(unresponsive_has_suspects(w->unresponsive));
}

/* It was undefined meanwhile: nobody waits for it any more. */
static void
test_read_gone(void)
{
    g_autoptr(World) w = world_new();
    Call read = call_of(CALL_READ);

    die_in(w, &read);
    cache_remove(w->cache, w->domain);
    g_assert_true(unresponsive_has_suspects(w->unresponsive));
    unresponsive_read(w->unresponsive, UUID);
    g_assert_false(unresponsive_has_suspects(w->unresponsive));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/unresponsive/read-that-hangs", test_read_that_hangs);
    g_test_add_func("/unresponsive/change-that-hangs", test_change_that_hangs);
    g_test_add_func("/unresponsive/xml-that-hangs", test_xml_that_hangs);
    g_test_add_func("/unresponsive/one-of-two-dies", test_one_of_two_dies);
    g_test_add_func("/unresponsive/connection-dies", test_connection_dies);
    g_test_add_func("/unresponsive/read-again", test_read_again);
    g_test_add_func("/unresponsive/read-gone", test_read_gone);
    return g_test_run();
}
