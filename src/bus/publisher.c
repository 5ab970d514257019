/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publisher.h"

#include "deferred.h"
#include "log.h"
#include "names.h"

struct Publisher {
    PublisherParts parts;
    GHashTable *changed; /* set of Domain, with references */
    ConnectionChanges connection_changes;
    Deferred *turn_end;
};

static void
log_failure(const char *what, const char *path, int r)
{
    if (r < 0)
        log_message(LOG_ERR, "Signalling that %s %s failed: %s", path, what, g_strerror(-r));
}

/* --- at once ------------------------------------------------------------------------------ */

void
publisher_domain_added(Publisher *publisher, Domain *domain)
{
    ObjectPath path = object_path_of_domain(domain->uuid);

    log_failure("was added", path.text,
                object_server_emit_added(publisher->parts.domain, path.text, domain));
}

void
publisher_domain_removed(Publisher *publisher, Domain *domain)
{
    ObjectPath path = object_path_of_domain(domain->uuid);

    /* Its changes would be signalled for an object that is gone. */
    g_hash_table_remove(publisher->changed, domain);
    log_failure("was removed", path.text,
                object_server_emit_removed(publisher->parts.domain, path.text));
}

void
publisher_job_added(Publisher *publisher, Job *job)
{
    ObjectPath path = object_path_of_job(job->number);

    log_failure("was added", path.text,
                object_server_emit_added(publisher->parts.job, path.text, job));
}

void
publisher_job_removed(Publisher *publisher, Job *job, OperationResult result, const Error *error)
{
    ObjectPath path = object_path_of_job(job->number);
    ObjectPath domain = object_path_of_domain(job->domain->uuid);
    int r = object_server_emit_removed(publisher->parts.job, path.text);

    if (r >= 0)
        r = sd_bus_emit_signal(publisher->parts.bus, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE,
                               "JobRemoved", "oosss", path.text, domain.text,
                               job_operation_name(job), operation_result_name(result),
                               error ? error->message : "");
    log_failure("was removed", path.text, r);
}

void
publisher_job_progress(Publisher *publisher, Job *job)
{
    ObjectPath path = object_path_of_job(job->number);

    log_failure("changed", path.text,
                object_server_emit_changed(publisher->parts.job, path.text, job, UINT64_MAX));
}

/* --- at the next flush -------------------------------------------------------------------- */

void
publisher_domain_changed(Publisher *publisher, Domain *domain)
{
    if (!g_hash_table_contains(publisher->changed, domain))
        g_hash_table_add(publisher->changed, domain_ref(domain));
    deferred_schedule(publisher->turn_end);
}

void
publisher_connection_changed(Publisher *publisher, ConnectionChanges changes)
{
    publisher->connection_changes |= changes;
    deferred_schedule(publisher->turn_end);
}

static void
emit_domain_changed(Publisher *publisher, Domain *domain)
{
    ObjectPath path = object_path_of_domain(domain->uuid);
    uint64_t changes = domain->unsignaled;

    domain->unsignaled = 0;
    log_failure("changed", path.text,
                object_server_emit_changed(publisher->parts.domain, path.text, domain, changes));
}

void
publisher_flush(Publisher *publisher)
{
    GHashTableIter iter;
    gpointer domain;

    g_hash_table_iter_init(&iter, publisher->changed);
    while (g_hash_table_iter_next(&iter, &domain, NULL)) {
        emit_domain_changed(publisher, domain);
        g_hash_table_iter_remove(&iter);
    }
    /* Last, so that a client that sees libvirt available has seen the state of its domains. */
    if (publisher->connection_changes == 0)
        return;
    log_failure("changed", VMS_ROOT_PATH,
                object_server_emit_changed(publisher->parts.root, VMS_ROOT_PATH,
                                           publisher->parts.root_object,
                                           publisher->connection_changes));
    publisher->connection_changes = 0;
}

static void
on_turn_end(void *userdata)
{
    publisher_flush(userdata);
}

/* --- life --------------------------------------------------------------------------------- */

static void
release_domain(gpointer domain)
{
    domain_unref(domain);
}

Publisher *
publisher_new(struct sd_event *event, const PublisherParts *parts)
{
    Publisher *publisher = g_new0(Publisher, 1);

    publisher->parts = *parts;
    publisher->changed = g_hash_table_new_full(NULL, NULL, release_domain, NULL);
    publisher->turn_end = deferred_new(event, DEFERRED_TURN_END, on_turn_end, publisher);
    return publisher;
}

void
publisher_free(Publisher *publisher)
{
    if (!publisher)
        return;
    deferred_free(publisher->turn_end);
    g_hash_table_unref(publisher->changed);
    g_free(publisher);
}
