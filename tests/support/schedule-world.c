/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "schedule-world.h"

void
world_init(World *w)
{
    w->schedule = call_schedule_new();
    w->calls = g_ptr_array_new_with_free_func(g_free);
}

void
world_clear(World *w)
{
    for (unsigned i = 0; i < w->calls->len; i++) {
        Call *call = w->calls->pdata[i];

        if (call->state == CALL_WAITING)
            call_schedule_remove(w->schedule, call);
        else if (call->state != CALL_NEW)
            call_schedule_end(w->schedule, call);
    }
    for (unsigned class = 0; class < _CALL_CLASS_MAX; class ++) {
        g_assert_cmpuint(call_schedule_waiting(w->schedule, class), ==, 0);
        g_assert_cmpuint(call_schedule_running(w->schedule, class), ==, 0);
    }
    call_schedule_free(w->schedule);
    g_ptr_array_unref(w->calls);
}

Call *
add(World *w, CallClass class, uid_t uid, const char *key)
{
    Call *call = g_new0(Call, 1);

    call->class = class;
    call->uid = uid;
    g_strlcpy(call->key, key, sizeof call->key);
    g_ptr_array_add(w->calls, call);
    call_schedule_add(w->schedule, call);
    return call;
}

Call *
add_nth(World *w, CallClass class, uid_t uid, unsigned n)
{
    g_autofree char *key = g_strdup_printf("domain-%u", n);

    return add(w, class, uid, key);
}

void
expect(World *w, CallClass class, Call *expected)
{
    Call *call = call_schedule_next(w->schedule, class);

    g_assert_true(call == expected);
    if (call)
        call_schedule_start(w->schedule, call);
}

void
hang(World *w, Call *call)
{
    g_assert_cmpint(call->state, ==, CALL_RUNNING);
    call_schedule_hang(w->schedule, call);
}

void
start_and_hang(World *w, Call *call)
{
    expect(w, call->class, call);
    hang(w, call);
}

void
start_and_hang_in_xml(World *w, Call *call)
{
    expect(w, call->class, call);
    call->had_lock = 1;
    hang(w, call);
}

void
end(World *w, Call *call)
{
    call_schedule_end(w->schedule, call);
}
