/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which call comes next: the schedule alone, without lanes, threads or time. */

#include "schedule-world.h"

/* --- fairness -------------------------------------------------------------------------------- */

static void
test_users_take_turns(void)
{
    World w;
    Call *alice[6], *bob, *root;

    world_init(&w);
    for (unsigned i = 0; i < G_N_ELEMENTS(alice); i++)
        alice[i] = add_nth(&w, CALL_READ, ALICE, i);
    bob = add(&w, CALL_READ, BOB, "b");
    root = add(&w, CALL_READ, ROOT, "r");
    expect(&w, CALL_READ, alice[0]);
    expect(&w, CALL_READ, bob);
    expect(&w, CALL_READ, root);
    expect(&w, CALL_READ, alice[1]);
    expect(&w, CALL_READ, NULL);
    end(&w, alice[0]);
    bob = add(&w, CALL_READ, BOB, "b2");
    expect(&w, CALL_READ, alice[2]);
    end(&w, root);
    expect(&w, CALL_READ, bob);
    world_clear(&w);
}

static void
test_only_the_flooder_is_refused(void)
{
    World w;
    Call root = {.class = CALL_CHANGE, .uid = ROOT};
    Call more = {.class = CALL_READ, .uid = ALICE};
    Call change = {.class = CALL_CHANGE, .uid = ALICE};
    Call operation = {.class = CALL_OPERATION, .uid = ALICE};

    world_init(&w);
    for (unsigned i = 0; i < call_rules[CALL_READ].per_user; i++) {
        g_assert_true(call_schedule_has_room(w.schedule, &more));
        add(&w, CALL_READ, ALICE, "d");
    }
    g_assert_false(call_schedule_has_room(w.schedule, &more));
    more.uid = BOB;
    g_assert_true(call_schedule_has_room(w.schedule, &more));
    g_assert_true(call_schedule_has_room(w.schedule, &root));
    /* Its own changes have a queue of their own. */
    g_assert_true(call_schedule_has_room(w.schedule, &change));

    for (unsigned i = 0; i < 5000; i++)
        add(&w, CALL_OPERATION, ALICE, "d");
    g_assert_true(call_schedule_has_room(w.schedule, &operation));
    world_clear(&w);
}

/* --- order ----------------------------------------------------------------------------------- */

static void
test_changes_of_a_domain_keep_their_order(void)
{
    World w;
    Call *first, *second, *third, *other;

    world_init(&w);
    first = add(&w, CALL_CHANGE, ALICE, "d");
    second = add(&w, CALL_OPERATION, ROOT, "d");
    third = add(&w, CALL_CHANGE, BOB, "d");
    other = add(&w, CALL_CHANGE, BOB, "e");
    expect(&w, CALL_OPERATION, NULL);
    expect(&w, CALL_CHANGE, first);
    expect(&w, CALL_OPERATION, NULL);
    /* Another domain waits for none of them. */
    expect(&w, CALL_CHANGE, other);
    expect(&w, CALL_CHANGE, NULL);
    end(&w, first);
    expect(&w, CALL_CHANGE, NULL);
    expect(&w, CALL_OPERATION, second);
    end(&w, second);
    expect(&w, CALL_CHANGE, third);
    world_clear(&w);
}

static void
test_retried_change_keeps_its_place(void)
{
    World w;
    Call *first, *second, *again;

    world_init(&w);
    first = add(&w, CALL_CHANGE, ALICE, "d");
    expect(&w, CALL_CHANGE, first);
    end(&w, first);
    second = add(&w, CALL_CHANGE, BOB, "d");
    again = g_new0(Call, 1);
    *again = (Call){.class = CALL_CHANGE, .uid = ALICE, .key = "d", .order = first->order};
    g_ptr_array_add(w.calls, again);
    call_schedule_add(w.schedule, again);
    expect(&w, CALL_CHANGE, again);
    expect(&w, CALL_CHANGE, NULL);
    end(&w, again);
    expect(&w, CALL_CHANGE, second);
    world_clear(&w);
}

static void
test_removed_change_lets_the_next_one_go(void)
{
    World w;
    Call *first, *second;

    world_init(&w);
    first = add(&w, CALL_CHANGE, ALICE, "d");
    second = add(&w, CALL_OPERATION, ALICE, "d");
    expect(&w, CALL_OPERATION, NULL);
    call_schedule_remove(w.schedule, first);
    expect(&w, CALL_OPERATION, second);
    world_clear(&w);
}

/* --- one domain ------------------------------------------------------------------------------ */

static void
test_one_read_and_one_change_of_a_domain(void)
{
    World w;
    Call *read, *change, *second, *force, *acpi, *abort;

    world_init(&w);
    read = add(&w, CALL_READ, ALICE, "d");
    second = add(&w, CALL_READ, BOB, "d");
    change = add(&w, CALL_CHANGE, ALICE, "d");
    force = add(&w, CALL_FORCE, ROOT, "d");
    acpi = add(&w, CALL_ACPI, ROOT, "d");
    abort = add(&w, CALL_JOB_CONTROL, ROOT, "d");
    expect(&w, CALL_READ, read);
    expect(&w, CALL_READ, NULL);
    add(&w, CALL_QUICK, ROOT, "d");
    expect(&w, CALL_QUICK, NULL);
    expect(&w, CALL_CHANGE, change);
    expect(&w, CALL_FORCE, force);
    expect(&w, CALL_ACPI, acpi);
    expect(&w, CALL_JOB_CONTROL, abort);
    end(&w, read);
    expect(&w, CALL_READ, second);
    world_clear(&w);
}

/* An agent or a screen that takes its time holds up no read, nor does moving a guest's memory. */
static void
test_slow_guests_hold_up_no_read(void)
{
    World w;

    world_init(&w);
    start_and_hang(&w, add(&w, CALL_GUEST, ALICE, "d"));
    start_and_hang(&w, add(&w, CALL_DISPLAY, ALICE, "d"));
    expect(&w, CALL_LONG, add(&w, CALL_LONG, ALICE, "d"));
    expect(&w, CALL_READ, add(&w, CALL_READ, ALICE, "d"));
    add(&w, CALL_GUEST, BOB, "d");
    expect(&w, CALL_GUEST, NULL);
    world_clear(&w);
}

static void
test_hanging_domain_gets_no_further_read(void)
{
    World w;
    Call *hanging, *read, *guest, *change, *quick;

    world_init(&w);
    hanging = add(&w, CALL_READ, ALICE, "d");
    start_and_hang(&w, hanging);
    g_assert_true(call_schedule_domain_hangs(w.schedule, "d"));
    read = add(&w, CALL_READ, BOB, "d");
    guest = add(&w, CALL_GUEST, BOB, "d");
    quick = add(&w, CALL_QUICK, ROOT, "d");
    expect(&w, CALL_READ, NULL);
    expect(&w, CALL_GUEST, NULL);
    expect(&w, CALL_QUICK, NULL);
    /* A change that a client asked for is tried. */
    change = add(&w, CALL_OPERATION, BOB, "d");
    expect(&w, CALL_OPERATION, change);

    end(&w, hanging);
    g_assert_false(call_schedule_domain_hangs(w.schedule, "d"));
    expect(&w, CALL_QUICK, quick);
    expect(&w, CALL_GUEST, guest);
    end(&w, quick);
    expect(&w, CALL_READ, read);
    g_assert_false(call_schedule_domain_hangs(w.schedule, "nobody"));
    world_clear(&w);
}

/* Defining a domain waits for its lock while all of libvirt waits for us. */
static void
test_what_stops_others_waits(void)
{
    World w;
    Call *read, *define, *change;

    world_init(&w);
    read = add(&w, CALL_READ, ALICE, "d");
    start_and_hang(&w, read);
    define = add(&w, CALL_CHANGE, ROOT, "d");
    define->stops_others = true;
    expect(&w, CALL_CHANGE, NULL);
    end(&w, read);
    expect(&w, CALL_CHANGE, define);
    end(&w, define);

    /* So where a ForceStop hangs. */
    read = add(&w, CALL_FORCE, ALICE, "d");
    start_and_hang(&w, read);
    define = add(&w, CALL_CHANGE, ROOT, "d");
    define->stops_others = true;
    expect(&w, CALL_CHANGE, NULL);
    change = add(&w, CALL_CHANGE, ROOT, "e");
    change->stops_others = true;
    expect(&w, CALL_CHANGE, change);
    world_clear(&w);
}

/* --- places ---------------------------------------------------------------------------------- */

static void
test_hanging_calls_take_no_place(void)
{
    World w;
    Call *calls[12];

    world_init(&w);
    for (unsigned i = 0; i < G_N_ELEMENTS(calls); i++)
        calls[i] = add_nth(&w, CALL_OPERATION, ROOT, i);
    for (unsigned i = 0; i < 8; i++)
        expect(&w, CALL_OPERATION, calls[i]);
    expect(&w, CALL_OPERATION, NULL);
    for (unsigned i = 0; i < 8; i++)
        hang(&w, calls[i]);
    for (unsigned i = 8; i < 12; i++)
        start_and_hang(&w, calls[i]);
    /* Another domain's operation, and reads of others, as if there were none. */
    expect(&w, CALL_OPERATION, add(&w, CALL_OPERATION, ROOT, "other"));
    expect(&w, CALL_READ, add(&w, CALL_READ, ALICE, "other"));
    world_clear(&w);
}

/* However many changes hang, there are places for reads, and the other way round. */
static void
test_no_group_takes_all_places(void)
{
    World w;
    unsigned n_changes = call_group_rules[CALL_GROUP_CHANGE].max;

    world_init(&w);
    for (unsigned i = 0; i < n_changes; i++)
        start_and_hang(&w, add_nth(&w, CALL_OPERATION, ROOT, i));
    add(&w, CALL_CHANGE, ROOT, "other");
    expect(&w, CALL_CHANGE, NULL);
    for (unsigned i = 0; i < 3; i++)
        start_and_hang(&w, add_nth(&w, CALL_READ, ALICE, 30 + i));
    add(&w, CALL_READ, ALICE, "other");
    add(&w, CALL_STATS, ROOT, "");
    expect(&w, CALL_READ, NULL);
    expect(&w, CALL_STATS, NULL);
    /* These are bounded by nothing. */
    for (unsigned i = 0; i < 20; i++)
        expect(&w, CALL_FORCE, add_nth(&w, CALL_FORCE, ROOT, 50 + i));
    expect(&w, CALL_JOB_CONTROL, add(&w, CALL_JOB_CONTROL, ROOT, "d"));
    world_clear(&w);

    world_init(&w);
    for (unsigned i = 0; i < call_group_rules[CALL_GROUP_READ].max; i++)
        start_and_hang(&w, add_nth(&w, CALL_READ, ALICE, i));
    add(&w, CALL_READ, ALICE, "other");
    expect(&w, CALL_READ, NULL);
    for (unsigned i = 0; i < 3; i++)
        start_and_hang(&w, add_nth(&w, CALL_OPERATION, ROOT, i));
    world_clear(&w);
}

/* Nor do two groups together: changes and agents leave three places for reads. */
static void
test_groups_together_leave_places(void)
{
    World w;
    unsigned n_changes = call_group_rules[CALL_GROUP_CHANGE].max - 3;

    world_init(&w);
    for (unsigned i = 0; i < 3; i++)
        start_and_hang(&w, add_nth(&w, CALL_GUEST, ALICE, 30 + i));
    for (unsigned i = 0; i < n_changes; i++)
        start_and_hang(&w, add_nth(&w, CALL_OPERATION, ROOT, i));
    add(&w, CALL_CHANGE, ROOT, "other");
    expect(&w, CALL_CHANGE, NULL);
    for (unsigned i = 0; i < 3; i++)
        start_and_hang(&w, add_nth(&w, CALL_READ, ALICE, 50 + i));
    world_clear(&w);
}

/* However few calls are under way: more changes may come, and hang with the reads. */
static void
test_reads_beside_changes_are_few(void)
{
    World w;

    world_init(&w);
    for (unsigned i = 0; i < 4; i++)
        expect(&w, CALL_OPERATION, add_nth(&w, CALL_OPERATION, ROOT, i));
    for (unsigned i = 0; i < 3; i++)
        start_and_hang(&w, add_nth(&w, CALL_READ, ALICE, i));
    add_nth(&w, CALL_READ, ALICE, 3);
    expect(&w, CALL_READ, NULL);

    /* They count as changes. */
    for (unsigned i = 4; i < 13; i++)
        start_and_hang(&w, add_nth(&w, CALL_OPERATION, ROOT, i));
    add(&w, CALL_OPERATION, ROOT, "other");
    expect(&w, CALL_OPERATION, NULL);
    for (unsigned i = 0; i < 3; i++)
        start_and_hang(&w, add_nth(&w, CALL_READ, ALICE, 20 + i));
    world_clear(&w);
}

/* Reads of domains whose changes hang leave places for reads of others. */
static void
test_reads_likely_to_hang_leave_places(void)
{
    World w;

    world_init(&w);
    /* The last changes have only just begun, and reads of their domains with them. */
    for (unsigned i = 0; i < 12; i++) {
        Call *change = add_nth(&w, CALL_OPERATION, ROOT, i);

        expect(&w, CALL_OPERATION, change);
        if (i < 6)
            hang(&w, change);
    }
    for (unsigned i = 0; i < 3; i++)
        start_and_hang(&w, add_nth(&w, CALL_READ, ALICE, i));
    for (unsigned i = 3; i < 12; i++)
        add_nth(&w, CALL_READ, ALICE, i);
    expect(&w, CALL_READ, NULL);
    for (unsigned i = 0; i < 4; i++)
        expect(&w, CALL_READ, add_nth(&w, CALL_READ, ALICE, 20 + i));
    world_clear(&w);
}

/* Forcing does not help a domain whose lock is held, and others need the workers. */
static void
test_force_of_hanging_domains_is_bounded(void)
{
    World w;
    Call *last, *forced[4];

    world_init(&w);
    for (unsigned i = 0; i < 12; i++)
        start_and_hang(&w, add_nth(&w, CALL_OPERATION, ROOT, i));
    for (unsigned i = 0; i < G_N_ELEMENTS(forced); i++) {
        forced[i] = add_nth(&w, CALL_FORCE, ROOT, i);
        start_and_hang(&w, forced[i]);
    }
    last = add_nth(&w, CALL_FORCE, ROOT, 4);
    expect(&w, CALL_FORCE, NULL);
    /* Of another domain, and other calls, as if there were none. */
    expect(&w, CALL_FORCE, add(&w, CALL_FORCE, ROOT, "other"));
    expect(&w, CALL_READ, add(&w, CALL_READ, ROOT, "other"));
    expect(&w, CALL_OPERATION, add(&w, CALL_OPERATION, ROOT, "other"));
    end(&w, forced[0]);
    expect(&w, CALL_FORCE, last);
    world_clear(&w);
}

static void
test_hanging_agents_are_bounded(void)
{
    World w;
    unsigned max = call_group_rules[CALL_GROUP_GUEST].max;

    world_init(&w);
    for (unsigned i = 0; i < max; i++)
        start_and_hang(&w, add_nth(&w, CALL_GUEST, ALICE, i));
    add(&w, CALL_GUEST, ALICE, "d");
    expect(&w, CALL_GUEST, NULL);
    expect(&w, CALL_READ, add(&w, CALL_READ, ALICE, "d"));
    world_clear(&w);
}

static void
count(void *userdata, CallClass class, uid_t uid, unsigned waiting)
{
    g_string_append_printf(userdata, "%s:%u:%u ", call_rules[class].name, uid, waiting);
}

static void
test_describe(void)
{
    World w;
    g_autoptr(GString) text = g_string_new(NULL);

    world_init(&w);
    add(&w, CALL_READ, ALICE, "d");
    add(&w, CALL_READ, ALICE, "d");
    add(&w, CALL_READ, BOB, "d");
    expect(&w, CALL_CHANGE, add(&w, CALL_CHANGE, ROOT, "d"));
    add(&w, CALL_CHANGE, ROOT, "d");
    call_schedule_describe(w.schedule, count, text);
    g_assert_cmpstr(text->str, ==, "change:0:1 read:1000:2 read:1001:1 ");
    world_clear(&w);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name, function) g_test_add_func("/call-schedule/" name, function)
    TEST("users-take-turns", test_users_take_turns);
    TEST("only-the-flooder-is-refused", test_only_the_flooder_is_refused);
    TEST("changes-of-a-domain-keep-their-order", test_changes_of_a_domain_keep_their_order);
    TEST("retried-change-keeps-its-place", test_retried_change_keeps_its_place);
    TEST("removed-change-lets-the-next-one-go", test_removed_change_lets_the_next_one_go);
    TEST("one-read-and-one-change-of-a-domain", test_one_read_and_one_change_of_a_domain);
    TEST("slow-guests-hold-up-no-read", test_slow_guests_hold_up_no_read);
    TEST("hanging-domain-gets-no-further-read", test_hanging_domain_gets_no_further_read);
    TEST("what-stops-others-waits", test_what_stops_others_waits);
    TEST("hanging-calls-take-no-place", test_hanging_calls_take_no_place);
    TEST("no-group-takes-all-places", test_no_group_takes_all_places);
    TEST("groups-together-leave-places", test_groups_together_leave_places);
    TEST("reads-beside-changes-are-few", test_reads_beside_changes_are_few);
    TEST("reads-likely-to-hang-leave-places", test_reads_likely_to_hang_leave_places);
    TEST("force-of-hanging-domains-is-bounded", test_force_of_hanging_domains_is_bounded);
    TEST("hanging-agents-are-bounded", test_hanging_agents_are_bounded);
    TEST("describe", test_describe);
#undef TEST
    return g_test_run();
}
