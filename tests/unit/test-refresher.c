/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* In which calls the facts of a domain are read, and who waits where its XML hangs. */

#include "refresher.h"

#include "fake-loop.h"
#include "hypervisor-domain.h"
#include "hypervisor-list.h"

#include <string.h>

#define SEC   UINT64_C(1000000)
#define FIRST "00000000-0000-4000-8000-000000000001"
#define OTHER "00000000-0000-4000-8000-000000000002"

typedef struct {
    Refresher *refresher;
    DomainFacts applied; /* of FIRST, since they were looked at */
    Pending pending;
    unsigned n_answers;
    unsigned n_refreshed;
} World;

static GPtrArray *calls; /* Call: under way */
static const char *busy; /* the domain that another call hangs for, or NULL */
static bool xml_waits;   /* whether who reads XML may have to wait */
static bool known;       /* whether FIRST and OTHER are published */
static bool gone;        /* whether there are none of them any more */
static bool has_xml;     /* whether libvirt tells the XML */

/* --- what the module calls ---------------------------------------------------------------- */

void
lane_pool_submit(LanePool *pool, Call *call)
{
    g_ptr_array_add(calls, call);
}

bool
lane_pool_domain_is_busy(const LanePool *pool, const char *uuid)
{
    return g_strcmp0(busy, uuid) == 0;
}

bool
lane_pool_xml_waits(const LanePool *pool)
{
    return xml_waits;
}

bool
hypervisor_is_alive(Hypervisor *h)
{
    return true;
}

GPtrArray *
hypervisor_read_states(Hypervisor *h, const char *const *uuids, Error **error)
{
    GPtrArray *updates =
        g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))domain_update_free);

    for (; *uuids && !gone; uuids++) {
        DomainUpdate *update = domain_update_new(*uuids);

        update->known = FACT_STATE;
        g_ptr_array_add(updates, update);
    }
    return updates;
}

bool
hypervisor_read_facts(Hypervisor *h, DomainFacts facts, DomainUpdate *update, Error **error)
{
    update->known |= facts & FACT_FLAGS;
    if (!(facts & FACT_XML))
        return true;
    if (has_xml)
        update->known |= FACT_XML;
    else
        *error = error_new(ERROR_TIMEOUT, "cannot acquire state change lock");
    return has_xml;
}

/* --- the world ---------------------------------------------------------------------------- */

static bool
is_known(void *userdata, const char *uuid)
{
    return known;
}

static bool
is_suspect(void *userdata, const char *uuid)
{
    return false;
}

static void
apply(void *userdata, const char *uuid, DomainUpdate *update)
{
    World *w = userdata;

    if (update && g_str_equal(uuid, FIRST))
        w->applied |= update->known;
}

static void
refreshed(void *userdata, const char *uuid)
{
    ((World *)userdata)->n_refreshed++;
}

static World *
world_new(void)
{
    static const RefreshCallbacks callbacks = {is_known, is_suspect, apply, refreshed};
    World *w = g_new0(World, 1);

    fake_loop_reset();
    calls = g_ptr_array_new();
    busy = NULL;
    xml_waits = true;
    has_xml = true;
    known = true;
    gone = false;
    w->refresher = refresher_new(NULL, NULL, &callbacks, w);
    refresher_set_connected(w->refresher, true);
    return w;
}

static void
world_free(World *w)
{
    g_assert_cmpuint(calls->len, ==, 0);
    refresher_free(w->refresher);
    g_ptr_array_unref(calls);
    g_free(w);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(World, world_free)

static void
mark(World *w, const char *uuid, DomainFacts facts)
{
    refresher_mark(w->refresher, uuid, facts);
    fake_loop_run();
}

static void
on_refreshed(void *userdata, CallOutcome outcome, void *answer, const Error *error)
{
    ((World *)userdata)->n_answers++;
}

static void
refresh(World *w)
{
    refresher_refresh(w->refresher, FIRST, &w->pending, on_refreshed, w);
    fake_loop_run();
}

/* The one that is under way with this class and key. */
static Call *
call_of(CallClass class, const char *key)
{
    for (unsigned i = 0; i < calls->len; i++) {
        Call *call = calls->pdata[i];

        if (call->class == class && g_str_equal(call->key, key))
            return call;
    }
    return NULL;
}

static void
end(CallClass class, const char *key, CallOutcome outcome)
{
    Call *call = call_of(class, key);

    g_assert_nonnull(call);
    g_ptr_array_remove_fast(calls, call);
    if (outcome == OUTCOME_OK)
        g_assert_true(call->work(call, NULL, NULL));
    call->done(call, outcome, NULL);
    call->free(call);
    fake_loop_run();
}

static void
answer(CallClass class, const char *key)
{
    end(class, key, OUTCOME_OK);
}

/* All but its XML is read, and that hangs. */
static void
hang_in_xml(World *w)
{
    busy = FIRST;
    refresh(w);
    answer(CALL_QUICK, FIRST);
    answer(CALL_QUICK, FIRST);
    g_assert_nonnull(call_of(CALL_XML, FIRST));
    fake_loop_advance(SEC + SEC / 10);
}

/* --- cases -------------------------------------------------------------------------------- */

static void
test_together(void)
{
    g_autoptr(World) w = world_new();

    refresh(w);
    mark(w, OTHER, FACT_ALL);
    g_assert_false(call_of(CALL_QUICK, "")->with_xml);
    answer(CALL_QUICK, "");
    while (calls->len > 0) {
        g_assert_cmpuint(calls->len, <=, 2);
        answer(CALL_QUICK, "");
    }
    g_assert_cmpint(w->applied, ==, FACT_ALL);
    g_assert_cmpuint(w->n_answers, ==, 1);
    g_assert_true(refresher_is_idle(w->refresher));
}

/* Its XML is read last, and apart from that of others. */
static void
test_busy(void)
{
    g_autoptr(World) w = world_new();

    busy = FIRST;
    refresh(w);
    mark(w, OTHER, FACT_XML);
    g_assert_true(call_of(CALL_QUICK, "")->with_xml);
    answer(CALL_QUICK, "");
    answer(CALL_QUICK, FIRST);
    g_assert_cmpint(w->applied, ==, FACT_STATE);
    g_assert_false(call_of(CALL_QUICK, FIRST)->with_xml);
    answer(CALL_QUICK, FIRST);
    g_assert_cmpint(w->applied, ==, FACT_STATE | FACT_FLAGS);
    g_assert_cmpuint(w->n_answers, ==, 0);
    answer(CALL_XML, FIRST);
    g_assert_cmpint(w->applied, ==, FACT_ALL);
    g_assert_cmpuint(w->n_answers, ==, 1);
    g_assert_true(refresher_is_idle(w->refresher));
}

/* Nobody waits for it for more than a second, and all else goes on to be read. */
static void
test_xml_hangs(void)
{
    g_autoptr(World) w = world_new();

    hang_in_xml(w);
    g_assert_cmpuint(w->n_answers, ==, 1);
    g_assert_true(refresher_is_fresh(w->refresher, FIRST));

    w->applied = 0;
    refresh(w);
    answer(CALL_QUICK, FIRST);
    answer(CALL_QUICK, FIRST);
    g_assert_cmpint(w->applied, ==, FACT_STATE | FACT_FLAGS);
    g_assert_cmpuint(w->n_answers, ==, 2);
    g_assert_cmpuint(calls->len, ==, 1);

    /* It is used, and read again because it was marked meanwhile. */
    busy = NULL;
    w->applied = 0;
    answer(CALL_XML, FIRST);
    g_assert_cmpint(w->applied, ==, FACT_XML);
    answer(CALL_QUICK, "");
    g_assert_true(refresher_is_idle(w->refresher));
}

/* Nothing was marked while it hung: the answer will do. */
static void
test_late_answer(void)
{
    g_autoptr(World) w = world_new();

    hang_in_xml(w);
    w->applied = 0;
    answer(CALL_XML, FIRST);
    g_assert_cmpint(w->applied, ==, FACT_XML);
    g_assert_cmpuint(calls->len, ==, 0);
    g_assert_true(refresher_is_idle(w->refresher));
}

/* A mark that comes while it hangs is kept where it fails. */
static void
test_fails_after_a_mark(void)
{
    g_autoptr(World) w = world_new();

    hang_in_xml(w);
    mark(w, FIRST, FACT_XML);
    g_assert_cmpuint(calls->len, ==, 1);
    has_xml = false;
    answer(CALL_XML, FIRST);
    has_xml = true;
    w->applied = 0;
    answer(CALL_XML, FIRST);
    g_assert_cmpint(w->applied, ==, FACT_XML);
    g_assert_true(refresher_is_idle(w->refresher));
}

/* Where XML waits for nothing, it is read with the rest, and is waited for. */
static void
test_xml_does_not_wait(void)
{
    g_autoptr(World) w = world_new();

    xml_waits = false;
    refresher_mark(w->refresher, OTHER, FACT_ALL);
    refresh(w);
    fake_loop_advance(SEC + SEC / 10);
    answer(CALL_QUICK, FIRST);
    fake_loop_advance(2 * SEC);
    g_assert_cmpuint(w->n_answers, ==, 0);
    answer(CALL_QUICK, FIRST);
    g_assert_cmpint(w->applied, ==, FACT_ALL);
    g_assert_cmpuint(w->n_answers, ==, 1);
    answer(CALL_QUICK, OTHER);
    answer(CALL_QUICK, OTHER);
    answer(CALL_QUICK, "");
    g_assert_true(refresher_is_idle(w->refresher));
}

/* libvirt gives up after a while: it is asked when there is a reason again, and alone. */
static void
test_xml_fails(void)
{
    g_autoptr(World) w = world_new();

    hang_in_xml(w);
    busy = NULL;
    has_xml = false;
    answer(CALL_XML, FIRST);
    g_assert_true(refresher_is_idle(w->refresher));
    g_assert_cmpuint(calls->len, ==, 0);

    has_xml = true;
    w->applied = 0;
    mark(w, FIRST, FACT_XML);
    answer(CALL_XML, FIRST);
    g_assert_cmpint(w->applied, ==, FACT_XML);
    mark(w, FIRST, FACT_XML);
    answer(CALL_QUICK, "");
}

/* Another connection answers at once. */
static void
test_connection_lost(void)
{
    g_autoptr(World) w = world_new();

    hang_in_xml(w);
    busy = NULL;
    refresher_set_connected(w->refresher, false);
    end(CALL_XML, FIRST, OUTCOME_LOST);
    g_assert_cmpuint(calls->len, ==, 0);
    refresher_set_connected(w->refresher, true);
    w->applied = 0;
    answer(CALL_QUICK, "");
    g_assert_cmpint(w->applied, ==, FACT_XML);
}

/* Of a question about many that hangs, each is asked alone; what it says of the others is late. */
static void
test_split(void)
{
    g_autoptr(World) w = world_new();

    mark(w, FIRST, FACT_XML);
    answer(CALL_QUICK, "");
    w->applied = 0;
    refresher_mark(w->refresher, OTHER, FACT_XML);
    mark(w, FIRST, FACT_XML);
    g_assert_cmpuint(calls->len, ==, 1);
    fake_loop_advance(SEC + SEC / 10);
    g_assert_cmpuint(calls->len, ==, 3);
    answer(CALL_XML, FIRST);
    g_assert_cmpint(w->applied, ==, FACT_XML);
    answer(CALL_XML, OTHER);
    answer(CALL_QUICK, "");
    g_assert_true(refresher_is_idle(w->refresher));
}

/* The XML that comes late is told to who waits for the domain to be read again. */
static void
test_late_answer_is_told(void)
{
    g_autoptr(World) w = world_new();

    hang_in_xml(w);
    w->n_refreshed = 0;
    answer(CALL_XML, FIRST);
    g_assert_cmpuint(w->n_refreshed, ==, 1);
}

/* The next daemon's XML does not wait: that an earlier one failed counts no longer. */
static void
test_failure_ends_with_the_connection(void)
{
    g_autoptr(World) w = world_new();

    hang_in_xml(w);
    busy = NULL;
    has_xml = false;
    answer(CALL_XML, FIRST);
    refresher_set_connected(w->refresher, false);
    has_xml = true;
    xml_waits = false;
    refresher_set_connected(w->refresher, true);
    mark(w, FIRST, FACT_ALL);
    answer(CALL_QUICK, "");
    answer(CALL_QUICK, "");
    g_assert_true(refresher_is_idle(w->refresher));
}

/* It went, and is there again, while its XML hangs: the answer to the first query is not lost. */
static void
test_gone_and_back(void)
{
    g_autoptr(World) w = world_new();

    hang_in_xml(w);
    gone = true;
    mark(w, FIRST, FACT_STATE);
    answer(CALL_QUICK, FIRST);
    gone = known = false;
    refresh(w);
    answer(CALL_QUICK, FIRST);
    answer(CALL_QUICK, FIRST);
    fake_loop_advance(SEC + SEC / 10);
    g_assert_cmpint(w->applied & (FACT_STATE | FACT_FLAGS), ==, FACT_STATE | FACT_FLAGS);
    known = true;
    busy = NULL;
    answer(CALL_XML, FIRST);
    w->applied = 0;
    answer(CALL_XML, FIRST);
    g_assert_cmpint(w->applied, ==, FACT_XML);
    while (calls->len > 0) {
        const Call *call = calls->pdata[0];

        answer(call->class, call->key);
    }
    g_assert_true(refresher_is_idle(w->refresher));
}

/* A new domain is published without its XML where that hangs, and gets it later. */
static void
test_new_domain(void)
{
    g_autoptr(World) w = world_new();

    known = false;
    mark(w, FIRST, FACT_STATE);
    answer(CALL_QUICK, "");
    g_assert_cmpint(w->applied, ==, 0);
    fake_loop_advance(SEC + SEC / 10);
    answer(CALL_QUICK, FIRST);
    g_assert_cmpint(w->applied, ==, 0);
    fake_loop_advance(SEC + SEC / 10);
    g_assert_cmpint(w->applied, ==, FACT_STATE | FACT_FLAGS);
    g_assert_true(refresher_is_idle(w->refresher));

    known = true;
    w->applied = 0;
    answer(CALL_XML, FIRST);
    g_assert_cmpint(w->applied, ==, FACT_XML);
    answer(CALL_QUICK, "");
    g_assert_true(refresher_is_idle(w->refresher));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/refresher/together", test_together);
    g_test_add_func("/refresher/busy", test_busy);
    g_test_add_func("/refresher/xml-hangs", test_xml_hangs);
    g_test_add_func("/refresher/xml-fails", test_xml_fails);
    g_test_add_func("/refresher/late-answer", test_late_answer);
    g_test_add_func("/refresher/fails-after-a-mark", test_fails_after_a_mark);
    g_test_add_func("/refresher/xml-does-not-wait", test_xml_does_not_wait);
    g_test_add_func("/refresher/connection-lost", test_connection_lost);
    g_test_add_func("/refresher/split", test_split);
    g_test_add_func("/refresher/late-answer-is-told", test_late_answer_is_told);
    g_test_add_func("/refresher/failure-ends-with-the-connection",
                    test_failure_ends_with_the_connection);
    g_test_add_func("/refresher/new-domain", test_new_domain);
    g_test_add_func("/refresher/gone-and-back", test_gone_and_back);
    return g_test_run();
}
