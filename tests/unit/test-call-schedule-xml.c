/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which call comes next where XML may have to wait for the domain's process. */

#include "schedule-world.h"

/* The XML of a domain waits for its process: nothing else of the domain waits for the XML. */
static void
test_hanging_xml_holds_up_nothing_else(void)
{
    World w;

    world_init(&w);
    call_schedule_set_xml_waits(w.schedule, true);
    start_and_hang(&w, add(&w, CALL_GUEST, ALICE, "d"));
    g_assert_false(call_schedule_domain_is_busy(w.schedule, "d"));
    g_assert_false(call_schedule_domain_is_silent(w.schedule, "d"));
    start_and_hang_in_xml(&w, add(&w, CALL_XML, ALICE, "d"));
    g_assert_true(call_schedule_domain_is_busy(w.schedule, "d"));
    g_assert_true(call_schedule_domain_is_silent(w.schedule, "d"));
    g_assert_false(call_schedule_domain_hangs(w.schedule, "d"));
    add(&w, CALL_XML, BOB, "d");
    expect(&w, CALL_XML, NULL);
    expect(&w, CALL_QUICK, add(&w, CALL_QUICK, ROOT, "d"));
    expect(&w, CALL_OPERATION, add(&w, CALL_OPERATION, ALICE, "d"));
    expect(&w, CALL_DISPLAY, add(&w, CALL_DISPLAY, ALICE, "d"));
    expect(&w, CALL_XML, add(&w, CALL_XML, BOB, "other"));
    world_clear(&w);
}

/* Of domains whose process does not answer, few are asked for their XML at a time, and no fewer for
 * their state. */
static void
test_xml_likely_to_hang_leaves_places(void)
{
    World w;
    Call *first, *last;

    world_init(&w);
    call_schedule_set_xml_waits(w.schedule, true);
    for (unsigned i = 0; i < 5; i++)
        expect(&w, CALL_LONG, add_nth(&w, CALL_LONG, ROOT, i));
    first = add_nth(&w, CALL_XML, ALICE, 0);
    start_and_hang_in_xml(&w, first);
    start_and_hang_in_xml(&w, add_nth(&w, CALL_XML, ALICE, 1));
    last = add_nth(&w, CALL_XML, ALICE, 2);
    expect(&w, CALL_XML, NULL);
    expect(&w, CALL_XML, add(&w, CALL_XML, ALICE, "other"));
    for (unsigned i = 0; i < 2; i++)
        expect(&w, CALL_QUICK, add_nth(&w, CALL_QUICK, ROOT, i));
    end(&w, first);
    expect(&w, CALL_XML, last);
    world_clear(&w);
}

/* The XML of domains that nothing else hangs for is bounded once it hangs, and counts as a change.
 */
static void
test_hanging_xml_is_bounded(void)
{
    World w;
    Call *batch;

    world_init(&w);
    call_schedule_set_xml_waits(w.schedule, true);
    for (unsigned i = 0; i < 7; i++)
        start_and_hang_in_xml(&w, add_nth(&w, CALL_XML, ALICE, i));
    batch = add(&w, CALL_QUICK, ROOT, "");
    batch->with_xml = true;
    start_and_hang(&w, batch);
    add(&w, CALL_XML, ALICE, "other");
    expect(&w, CALL_XML, NULL);
    for (unsigned i = 0; i < 8; i++)
        start_and_hang(&w, add_nth(&w, CALL_OPERATION, ROOT, 10 + i));
    add(&w, CALL_OPERATION, ROOT, "other");
    expect(&w, CALL_OPERATION, NULL);
    for (unsigned i = 0; i < 3; i++)
        start_and_hang(&w, add_nth(&w, CALL_QUICK, ROOT, 20 + i));
    world_clear(&w);
}

/* Beside as many changes as there may be, a state can be read whatever XML hangs. */
static void
test_xml_leaves_a_place_for_states(void)
{
    World w;

    world_init(&w);
    call_schedule_set_xml_waits(w.schedule, true);
    for (unsigned i = 0; i < call_group_rules[CALL_GROUP_CHANGE].max; i++)
        start_and_hang(&w, add_nth(&w, CALL_OPERATION, ROOT, i));
    for (unsigned i = 0; i < 2; i++)
        start_and_hang_in_xml(&w, add_nth(&w, CALL_XML, ALICE, 20 + i));
    add_nth(&w, CALL_XML, ALICE, 22);
    expect(&w, CALL_XML, NULL);
    expect(&w, CALL_QUICK, add(&w, CALL_QUICK, ROOT, ""));
    world_clear(&w);
}

/* One read of a domain is under way at a time, also of its XML: if it hangs on the lock, it holds
 * the only worker. */
static void
test_xml_that_waits_for_the_lock_is_a_read(void)
{
    World w;
    Call *xml, *read;

    world_init(&w);
    call_schedule_set_xml_waits(w.schedule, true);
    xml = add(&w, CALL_XML, ALICE, "d");
    expect(&w, CALL_XML, xml);
    read = add(&w, CALL_QUICK, ROOT, "d");
    expect(&w, CALL_QUICK, NULL);
    hang(&w, xml);
    g_assert_true(call_schedule_domain_hangs(w.schedule, "d"));
    expect(&w, CALL_QUICK, NULL);
    end(&w, xml);
    g_assert_false(call_schedule_domain_hangs(w.schedule, "d"));
    expect(&w, CALL_QUICK, read);
    /* Reads without end do not keep it waiting. */
    expect(&w, CALL_XML, add(&w, CALL_XML, ALICE, "d"));
    world_clear(&w);
}

/* Where XML waits for no process, it is a read like any. */
static void
test_xml_that_does_not_wait_is_a_read(void)
{
    World w;
    Call *xml, *read;

    world_init(&w);
    expect(&w, CALL_LONG, add(&w, CALL_LONG, ROOT, "d"));
    g_assert_false(call_schedule_domain_is_busy(w.schedule, "d"));
    start_and_hang(&w, add(&w, CALL_DISPLAY, ROOT, "d"));
    g_assert_false(call_schedule_domain_is_silent(w.schedule, "d"));
    xml = add(&w, CALL_XML, ALICE, "d");
    expect(&w, CALL_READ, xml);
    hang(&w, xml);
    g_assert_true(call_schedule_domain_hangs(w.schedule, "d"));
    read = add(&w, CALL_READ, ALICE, "d");
    expect(&w, CALL_READ, NULL);
    end(&w, xml);
    expect(&w, CALL_READ, read);
    world_clear(&w);
}

/* Reads of XML and calls to guests that hang together leave places for changes and for states. */
static void
test_guests_and_xml_leave_places(void)
{
    World w;

    world_init(&w);
    call_schedule_set_xml_waits(w.schedule, true);
    for (unsigned i = 0; i < 8; i++)
        start_and_hang_in_xml(&w, add_nth(&w, CALL_XML, ALICE, i));
    for (unsigned i = 0; i < 5; i++)
        start_and_hang(&w, add_nth(&w, CALL_GUEST, ROOT, 20 + i));
    add(&w, CALL_GUEST, ROOT, "other");
    expect(&w, CALL_GUEST, NULL);
    for (unsigned i = 0; i < 2; i++)
        start_and_hang(&w, add_nth(&w, CALL_OPERATION, ROOT, 30 + i));
    expect(&w, CALL_OPERATION, add(&w, CALL_OPERATION, ROOT, "healthy"));
    expect(&w, CALL_QUICK, add(&w, CALL_QUICK, ROOT, ""));
    world_clear(&w);
}

/* It hung on the domain's lock, has had it since, and hangs on: the state can be read. */
static void
test_xml_gets_the_lock(void)
{
    World w;
    Call *xml;

    world_init(&w);
    call_schedule_set_xml_waits(w.schedule, true);
    xml = add(&w, CALL_XML, ALICE, "d");
    start_and_hang(&w, xml);
    g_assert_false(call_schedule_has_lock_since(xml));
    xml->had_lock = 1;
    g_assert_true(call_schedule_has_lock_since(xml));
    call_schedule_hang_in_process(w.schedule, xml);
    g_assert_false(call_schedule_has_lock_since(xml));
    expect(&w, CALL_QUICK, add(&w, CALL_QUICK, ROOT, "d"));
    world_clear(&w);
}

/* A user who reads the XML of domains that hang again and again does not keep that of a domain
 * which is being changed from being read. */
static void
test_xml_of_a_changed_domain_is_read(void)
{
    World w;
    Call *running[3], *changed;

    world_init(&w);
    call_schedule_set_xml_waits(w.schedule, true);
    expect(&w, CALL_LONG, add(&w, CALL_LONG, ROOT, "changed"));
    for (unsigned i = 0; i < G_N_ELEMENTS(running); i++)
        start_and_hang_in_xml(&w, running[i] = add_nth(&w, CALL_XML, ALICE, i));
    changed = add(&w, CALL_XML, ROOT, "changed");
    for (unsigned i = 0; i < G_N_ELEMENTS(running); i++)
        add_nth(&w, CALL_XML, ALICE, i);
    end(&w, running[0]);
    expect(&w, CALL_XML, changed);
    world_clear(&w);
}

/* So many reads of XML are under way at most, whether they hang already or not. */
static void
test_xml_is_bounded(void)
{
    World w;

    world_init(&w);
    call_schedule_set_xml_waits(w.schedule, true);
    for (unsigned i = 0; i < 7; i++)
        start_and_hang_in_xml(&w, add_nth(&w, CALL_XML, ALICE, i));
    expect(&w, CALL_XML, add_nth(&w, CALL_XML, ALICE, 7));
    add_nth(&w, CALL_XML, ALICE, 8);
    expect(&w, CALL_XML, NULL);
    world_clear(&w);
}

/* XML that hangs on the lock of its domain takes no place of these, until it has had the lock. */
static void
test_locks_take_no_place_of_xml(void)
{
    World w;
    Call *locked[8], *last;

    world_init(&w);
    call_schedule_set_xml_waits(w.schedule, true);
    for (unsigned i = 0; i < G_N_ELEMENTS(locked); i++) {
        locked[i] = add_nth(&w, CALL_XML, ALICE, i);
        start_and_hang(&w, locked[i]);
    }
    last = add(&w, CALL_XML, ALICE, "other");
    expect(&w, CALL_XML, last);
    end(&w, last);
    for (unsigned i = 0; i < G_N_ELEMENTS(locked); i++)
        call_schedule_hang_in_process(w.schedule, locked[i]);
    last = add(&w, CALL_XML, ALICE, "other");
    expect(&w, CALL_XML, NULL);
    end(&w, locked[0]);
    expect(&w, CALL_XML, last);
    world_clear(&w);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name, function) g_test_add_func("/call-schedule-xml/" name, function)
    TEST("hanging-xml-holds-up-nothing-else", test_hanging_xml_holds_up_nothing_else);
    TEST("xml-likely-to-hang-leaves-places", test_xml_likely_to_hang_leaves_places);
    TEST("hanging-xml-is-bounded", test_hanging_xml_is_bounded);
    TEST("xml-leaves-a-place-for-states", test_xml_leaves_a_place_for_states);
    TEST("xml-that-waits-for-the-lock-is-a-read", test_xml_that_waits_for_the_lock_is_a_read);
    TEST("xml-that-does-not-wait-is-a-read", test_xml_that_does_not_wait_is_a_read);
    TEST("guests-and-xml-leave-places", test_guests_and_xml_leave_places);
    TEST("xml-gets-the-lock", test_xml_gets_the_lock);
    TEST("xml-of-a-changed-domain-is-read", test_xml_of_a_changed_domain_is_read);
    TEST("xml-is-bounded", test_xml_is_bounded);
    TEST("locks-take-no-place-of-xml", test_locks_take_no_place_of_xml);
#undef TEST
    return g_test_run();
}
