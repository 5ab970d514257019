/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "disk-sizes.h"

#include "clock.h"
#include "hypervisor-storage.h"

/* libvirt gives up waiting after 30 s. */
#define GAVE_UP_USEC (25 * UINT64_C(1000000))
/* Each may hang on a QEMU, and takes one of libvirtd's workers then. */
#define RUNNING_MAX  2

struct DiskSizes {
    LanePool *lane_pool;
    Cache *cache;
    Refresher *refresher;
    GQueue waiting;     /* UUIDs, each once */
    GPtrArray *running; /* SizesCall */
};

typedef struct {
    Call call;
    DiskSizes *sizes;
    char uuid[UUID_LENGTH + 1];
    uint64_t asked_at;
    GHashTable *found;
    DomainState state; /* when it was found */
} SizesCall;

static void pump(DiskSizes *sizes);

DiskSizes *
disk_sizes_new(LanePool *lane_pool, Cache *cache, Refresher *refresher)
{
    DiskSizes *sizes = g_new0(DiskSizes, 1);

    sizes->lane_pool = lane_pool;
    sizes->cache = cache;
    sizes->refresher = refresher;
    g_queue_init(&sizes->waiting);
    sizes->running = g_ptr_array_new();
    return sizes;
}

void
disk_sizes_free(DiskSizes *sizes)
{
    if (!sizes)
        return;
    g_queue_clear_full(&sizes->waiting, g_free);
    g_ptr_array_unref(sizes->running);
    g_free(sizes);
}

static void
free_call(Call *call)
{
    SizesCall *read = (SizesCall *)call;

    if (read->found)
        g_hash_table_unref(read->found);
    g_free(read);
}

static bool
work(Call *call, Hypervisor *h, Error **error)
{
    SizesCall *read = (SizesCall *)call;

    read->found = hypervisor_disk_capacities(h, read->uuid, &read->state, NULL, error);
    return read->found != NULL;
}

/* While libvirtd connects to its guests again, it tells nobody which of them it finds dead. */
static void
compare_state(DiskSizes *sizes, const SizesCall *read, const Domain *domain)
{
    if (domain->state != read->state)
        refresher_mark(sizes->refresher, domain->uuid, FACT_STATE);
    if (clock_now_usec() - read->asked_at >= GAVE_UP_USEC)
        disk_sizes_want(sizes, domain);
}

static void
on_done(Call *call, CallOutcome outcome, const Error *error)
{
    SizesCall *read = (SizesCall *)call;
    DiskSizes *sizes = read->sizes;
    Domain *domain = cache_find(sizes->cache, read->uuid);

    g_ptr_array_remove_fast(sizes->running, read);
    if (domain && outcome == OUTCOME_OK) {
        domain_set_capacities(domain, read->found);
        cache_changed(sizes->cache, domain);
        compare_state(sizes, read, domain);
    } else if (domain && outcome == OUTCOME_FAILED && error->kind == ERROR_NO_SUCH_DOMAIN) {
        refresher_mark(sizes->refresher, domain->uuid, FACT_STATE);
    }
    pump(sizes);
}

static void
submit(DiskSizes *sizes, const char *uuid)
{
    SizesCall *read = g_new0(SizesCall, 1);

    read->call.class = CALL_SIZES;
    read->call.name = "virDomainListGetStats";
    g_strlcpy(read->call.key, uuid, sizeof read->call.key);
    read->call.work = work;
    read->call.done = on_done;
    read->call.free = free_call;
    read->sizes = sizes;
    read->asked_at = clock_now_usec();
    g_strlcpy(read->uuid, uuid, sizeof read->uuid);
    g_ptr_array_add(sizes->running, read);
    lane_pool_submit(sizes->lane_pool, &read->call);
}

static bool
is_running(const DiskSizes *sizes, const char *uuid)
{
    for (unsigned i = 0; i < sizes->running->len; i++)
        if (g_str_equal(((SizesCall *)sizes->running->pdata[i])->uuid, uuid))
            return true;
    return false;
}

static void
pump(DiskSizes *sizes)
{
    GList *link = sizes->waiting.head;

    while (link && sizes->running->len < RUNNING_MAX) {
        GList *next = link->next;

        if (!is_running(sizes, link->data)) {
            g_autofree char *uuid = link->data;

            g_queue_delete_link(&sizes->waiting, link);
            submit(sizes, uuid);
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
disk_sizes_want(DiskSizes *sizes, const Domain *domain)
{
    if (domain->id < 0 || g_queue_find_custom(&sizes->waiting, domain->uuid, compare_uuids))
        return;
    g_queue_push_tail(&sizes->waiting, g_strdup(domain->uuid));
    pump(sizes);
}
