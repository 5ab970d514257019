/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain-watch.h"

struct DomainWatches {
    GQueue all; /* DomainWatch, in the order in which they came */
};

struct DomainWatch {
    DomainWatches *watches;
    GList link;
    char uuid[UUID_LENGTH + 1];
    const DomainWatchFuncs *funcs;
    void *userdata;
};

DomainWatches *
domain_watches_new(void)
{
    DomainWatches *watches = g_new0(DomainWatches, 1);

    g_queue_init(&watches->all);
    return watches;
}

void
domain_watches_free(DomainWatches *watches)
{
    g_free(watches);
}

DomainWatch *
domain_watch_new(DomainWatches *watches, const char *uuid, const DomainWatchFuncs *funcs,
                 void *userdata)
{
    DomainWatch *watch = g_new0(DomainWatch, 1);

    watch->watches = watches;
    watch->link.data = watch;
    g_strlcpy(watch->uuid, uuid, sizeof watch->uuid);
    watch->funcs = funcs;
    watch->userdata = userdata;
    g_queue_push_tail_link(&watches->all, &watch->link);
    return watch;
}

void
domain_watch_free(DomainWatch *watch)
{
    if (!watch)
        return;
    g_queue_unlink(&watch->watches->all, &watch->link);
    g_free(watch);
}

/* Those that watch this domain, NULL: any. A copy, as each that is told may end others. */
static GPtrArray *
watches_of(const DomainWatches *watches, const char *uuid)
{
    GPtrArray *found = g_ptr_array_new();

    for (GList *link = watches->all.head; link; link = link->next)
        if (!uuid || g_str_equal(((DomainWatch *)link->data)->uuid, uuid))
            g_ptr_array_add(found, link->data);
    return found;
}

static bool
is_watching(DomainWatches *watches, const DomainWatch *watch)
{
    return g_queue_find(&watches->all, watch) != NULL;
}

void
domain_watches_refreshed(DomainWatches *watches, const char *uuid)
{
    g_autoptr(GPtrArray) found = watches_of(watches, uuid);

    for (unsigned i = 0; i < found->len; i++) {
        const DomainWatch *watch = found->pdata[i];

        if (is_watching(watches, watch) && watch->funcs->refreshed)
            watch->funcs->refreshed(watch->userdata);
    }
}

void
domain_watches_device(DomainWatches *watches, const HypervisorEvent *event)
{
    g_autoptr(GPtrArray) found = watches_of(watches, event->uuid);

    for (unsigned i = 0; i < found->len; i++) {
        const DomainWatch *watch = found->pdata[i];

        if (is_watching(watches, watch) && watch->funcs->device)
            watch->funcs->device(watch->userdata, event->device, event->kind);
    }
}

void
domain_watches_connection_lost(DomainWatches *watches)
{
    g_autoptr(GPtrArray) found = watches_of(watches, NULL);

    for (unsigned i = 0; i < found->len; i++) {
        const DomainWatch *watch = found->pdata[i];

        if (is_watching(watches, watch) && watch->funcs->connection_lost)
            watch->funcs->connection_lost(watch->userdata);
    }
}
