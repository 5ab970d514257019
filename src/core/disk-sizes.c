/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "disk-sizes.h"

#include "hypervisor-storage.h"
#include "manager.h"

#include <time.h>

/* libvirt gives up waiting after 30 s. */
#define GAVE_UP_USEC (25 * UINT64_C(1000000))
/* Each may hang on a QEMU, and takes one of libvirtd's workers then. */
#define RUNNING_MAX  2

struct DiskSizes {
    Manager *manager;
    GQueue waiting;     /* UUIDs, each once */
    GPtrArray *running; /* SizesCall */
};

typedef struct {
    Call call;
    DiskSizes *capacities;
    char uuid[UUID_LENGTH + 1];
    uint64_t asked_at;
    GHashTable *found;
    DomainState state; /* when it was found */
} SizesCall;

static void pump(DiskSizes *capacities);

DiskSizes *
disk_sizes_new(Manager *m)
{
    DiskSizes *capacities = g_new0(DiskSizes, 1);

    capacities->manager = m;
    g_queue_init(&capacities->waiting);
    capacities->running = g_ptr_array_new();
    return capacities;
}

void
disk_sizes_free(DiskSizes *capacities)
{
    if (!capacities)
        return;
    g_queue_clear_full(&capacities->waiting, g_free);
    g_ptr_array_unref(capacities->running);
    g_free(capacities);
}

static void
free_call(Call *call)
{
    SizesCall *capacity = (SizesCall *)call;

    if (capacity->found)
        g_hash_table_unref(capacity->found);
    g_free(capacity);
}

static bool
work(Call *call, Hypervisor *h, Error **error)
{
    SizesCall *capacity = (SizesCall *)call;

    capacity->found = hypervisor_disk_capacities(h, capacity->uuid, &capacity->state, error);
    return capacity->found != NULL;
}

/* While libvirtd connects to its guests again, it tells nobody which of them it finds dead. */
static void
compare_state(DiskSizes *capacities, const SizesCall *capacity, const Domain *domain)
{
    if (domain->state != capacity->state)
        refresher_mark(capacities->manager->refresher, domain->uuid, FACT_STATE);
    if (manager_now(capacities->manager) - capacity->asked_at >= GAVE_UP_USEC)
        disk_sizes_want(capacities, domain);
}

static void
on_done(Call *call, CallOutcome outcome, const Error *error)
{
    SizesCall *capacity = (SizesCall *)call;
    DiskSizes *capacities = capacity->capacities;
    Domain *domain = manager_find_domain(capacities->manager, capacity->uuid);

    g_ptr_array_remove_fast(capacities->running, capacity);
    if (domain && outcome == OUTCOME_OK) {
        domain_set_capacities(domain, capacity->found);
        manager_domain_changed(capacities->manager, domain);
        compare_state(capacities, capacity, domain);
    } else if (domain && outcome == OUTCOME_FAILED && error->kind == ERROR_NO_SUCH_DOMAIN) {
        refresher_mark(capacities->manager->refresher, domain->uuid, FACT_STATE);
    }
    pump(capacities);
}

static void
submit(DiskSizes *capacities, const char *uuid)
{
    SizesCall *capacity = g_new0(SizesCall, 1);

    capacity->call.class = CALL_SIZES;
    capacity->call.name = "virDomainListGetStats";
    g_strlcpy(capacity->call.key, uuid, sizeof capacity->call.key);
    capacity->call.work = work;
    capacity->call.done = on_done;
    capacity->call.free = free_call;
    capacity->capacities = capacities;
    capacity->asked_at = manager_now(capacities->manager);
    g_strlcpy(capacity->uuid, uuid, sizeof capacity->uuid);
    g_ptr_array_add(capacities->running, capacity);
    lane_pool_submit(capacities->manager->lane_pool, &capacity->call);
}

static bool
is_running(const DiskSizes *capacities, const char *uuid)
{
    for (unsigned i = 0; i < capacities->running->len; i++)
        if (g_str_equal(((SizesCall *)capacities->running->pdata[i])->uuid, uuid))
            return true;
    return false;
}

static void
pump(DiskSizes *capacities)
{
    GList *link = capacities->waiting.head;

    while (link && capacities->running->len < RUNNING_MAX) {
        GList *next = link->next;

        if (!is_running(capacities, link->data)) {
            g_autofree char *uuid = link->data;

            g_queue_delete_link(&capacities->waiting, link);
            submit(capacities, uuid);
        }
        link = next;
    }
}

static int
compare_uuids(const void *a, const void *b)
{
    return g_strcmp0(a, b);
}

void
disk_sizes_want(DiskSizes *capacities, const Domain *domain)
{
    if (domain->id < 0 || g_queue_find_custom(&capacities->waiting, domain->uuid, compare_uuids))
        return;
    g_queue_push_tail(&capacities->waiting, g_strdup(domain->uuid));
    pump(capacities);
}
