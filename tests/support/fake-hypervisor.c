/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-hypervisor.h"

#include "hypervisor-domain.h"
#include "hypervisor-events.h"
#include "hypervisor-list.h"
#include "hypervisor-traits.h"

struct Hypervisor {
    gint *gate;
    unsigned epoch;
};

static struct {
    GMutex mutex;
    GCond changed;
    bool hold_opens;
    bool hold_lists;
    bool hold_versions;
    bool hold_locks;
    bool fail_opens;
    bool run_child;
    unsigned epoch; /* connections of an earlier one are dead */
    unsigned n_open;
    unsigned n_opened;
} fake;

void
fake_hypervisor_reset(void)
{
    g_mutex_lock(&fake.mutex);
    g_assert_cmpuint(fake.n_open, ==, 0);
    fake.hold_opens = fake.hold_lists = fake.hold_locks = false;
    fake.hold_versions = fake.fail_opens = fake.run_child = false;
    fake.n_opened = 0;
    g_mutex_unlock(&fake.mutex);
}

static void
set(bool *flag, bool value)
{
    g_mutex_lock(&fake.mutex);
    *flag = value;
    g_cond_broadcast(&fake.changed);
    g_mutex_unlock(&fake.mutex);
}

void
fake_hypervisor_hold_opens(bool hold)
{
    set(&fake.hold_opens, hold);
}

void
fake_hypervisor_fail_opens(bool fail)
{
    set(&fake.fail_opens, fail);
}

void
fake_hypervisor_hold_lists(bool hold)
{
    set(&fake.hold_lists, hold);
}

void
fake_hypervisor_hold_versions(bool hold)
{
    set(&fake.hold_versions, hold);
}

void
fake_hypervisor_hold_locks(bool hold)
{
    set(&fake.hold_locks, hold);
}

void
fake_hypervisor_run_child(bool run)
{
    set(&fake.run_child, run);
}

void
fake_hypervisor_kill(void)
{
    g_mutex_lock(&fake.mutex);
    fake.epoch++;
    g_mutex_unlock(&fake.mutex);
}

unsigned
fake_hypervisor_open_count(void)
{
    g_mutex_lock(&fake.mutex);
    unsigned n = fake.n_open;
    g_mutex_unlock(&fake.mutex);
    return n;
}

unsigned
fake_hypervisor_opened_count(void)
{
    g_mutex_lock(&fake.mutex);
    unsigned n = fake.n_opened;
    g_mutex_unlock(&fake.mutex);
    return n;
}

/* --- the interface ------------------------------------------------------------------------ */

void
hypervisor_identity_clear(HypervisorIdentity *identity)
{
    g_clear_pointer(&identity->version, g_free);
}

HypervisorTraits
hypervisor_traits_of_uri(const char *uri)
{
    return g_str_has_prefix(uri, "test") ? TRAIT_SEPARATE_WORLDS : 0;
}

static void
run_child(void)
{
    const char *argv[] = {"sleep", "1000", NULL};

    g_mutex_lock(&fake.mutex);
    bool run = fake.run_child;
    g_mutex_unlock(&fake.mutex);
    if (run)
        g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                                   NULL, NULL, NULL));
}

Hypervisor *
hypervisor_open(const char *uri, Status *why, Error **error)
{
    Hypervisor *h = NULL;

    run_child();
    g_mutex_lock(&fake.mutex);
    while (fake.hold_opens)
        g_cond_wait(&fake.changed, &fake.mutex);
    if (fake.fail_opens) {
        *why = STATUS_STOPPED;
        *error = error_new(ERROR_OPERATION_FAILED, "refused");
    } else {
        h = g_new0(Hypervisor, 1);
        h->epoch = fake.epoch;
        fake.n_open++;
        fake.n_opened++;
    }
    g_mutex_unlock(&fake.mutex);
    return h;
}

bool
hypervisor_watch(Hypervisor *h, const HypervisorWatcher *watcher, void *userdata,
                 unsigned generation, Error **error)
{
    return true;
}

void
hypervisor_unwatch(Hypervisor *h)
{
}

void
hypervisor_close(Hypervisor *h)
{
    if (!h)
        return;
    g_mutex_lock(&fake.mutex);
    fake.n_open--;
    g_mutex_unlock(&fake.mutex);
    g_free(h);
}

void
hypervisor_free_deferred(Hypervisor *h)
{
}

bool
hypervisor_await_lock(Hypervisor *h, const char *uuid)
{
    g_mutex_lock(&fake.mutex);
    while (fake.hold_locks)
        g_cond_wait(&fake.changed, &fake.mutex);
    g_mutex_unlock(&fake.mutex);
    return true;
}

bool
hypervisor_is_alive(Hypervisor *h)
{
    g_mutex_lock(&fake.mutex);
    bool alive = h->epoch == fake.epoch;
    g_mutex_unlock(&fake.mutex);
    return alive;
}

void
hypervisor_set_gate(Hypervisor *h, gint *gate)
{
    h->gate = gate;
}

bool
hypervisor_identify(Hypervisor *h, HypervisorIdentity *ret, Error **error)
{
    return true;
}

GPtrArray *
hypervisor_list(Hypervisor *h, Error **error)
{
    g_mutex_lock(&fake.mutex);
    bool fails = fake.hold_lists;
    while (fake.hold_lists)
        g_cond_wait(&fake.changed, &fake.mutex);
    g_mutex_unlock(&fake.mutex);
    if (!fails)
        return g_ptr_array_new();
    *error = error_new(ERROR_OPERATION_FAILED, "a domain could not be read");
    return NULL;
}

char *
hypervisor_read_version(Hypervisor *h)
{
    g_mutex_lock(&fake.mutex);
    while (fake.hold_versions)
        g_cond_wait(&fake.changed, &fake.mutex);
    g_mutex_unlock(&fake.mutex);
    return g_strdup("7.2.0");
}
