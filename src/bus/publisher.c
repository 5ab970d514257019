/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publisher.h"

#include "deferred.h"
#include "log.h"
#include "names.h"
#include "timer.h"
#include "units.h"

#include <errno.h>

#define RETRY_USEC          SEC
#define RETRY_ACCURACY_USEC (100 * MSEC)

struct Publisher {
    PublisherParts parts;
    GHashTable *changed;   /* set of Domain, with references */
    uint64_t root_changes; /* of the properties of the root object */
    Deferred *turn_end;
    /* Objects of which a signal could not be sent, so that clients' copies are wrong until it is
     * corrected: path -> ObjectKind. */
    GHashTable *missed;
    uint64_t missed_changes; /* of the root object, which is never removed */
    unsigned n_missed;       /* so far */
    Timer *retry;
};

/* A signal that is too long can never be sent. */
static bool
may_retry(int r)
{
    return r < 0 && r != -EMSGSIZE;
}

static void
check(Publisher *publisher, ObjectKind *kind, const char *path, const char *what, int r)
{
    if (r >= 0)
        return;
    log_message(LOG_ERR, "Signalling that %s %s failed: %s", path, what, g_strerror(-r));
    if (!may_retry(r))
        return;
    publisher->n_missed++;
    g_hash_table_insert(publisher->missed, g_strdup(path), kind);
    timer_arm_relative(publisher->retry, RETRY_USEC);
}

/* --- at once ------------------------------------------------------------------------------ */

void
publisher_domain_added(Publisher *publisher, Domain *domain)
{
    ObjectPath path = object_path_of_domain(domain->uuid);

    check(publisher, publisher->parts.domain, path.text, "was added",
          object_server_emit_added(publisher->parts.domain, path.text, domain));
}

void
publisher_domain_removed(Publisher *publisher, Domain *domain)
{
    ObjectPath path = object_path_of_domain(domain->uuid);

    /* The object is gone: no change of it may be signalled. */
    g_hash_table_remove(publisher->changed, domain);
    check(publisher, publisher->parts.domain, path.text, "was removed",
          object_server_emit_removed(publisher->parts.domain, path.text));
}

void
publisher_job_added(Publisher *publisher, JobObject *job)
{
    ObjectPath path = object_path_of_job(job->number);

    check(publisher, publisher->parts.job, path.text, "was added",
          object_server_emit_added(publisher->parts.job, path.text, job));
}

void
publisher_job_removed(Publisher *publisher, JobObject *job, OperationResult result,
                      const Error *error)
{
    ObjectPath path = object_path_of_job(job->number);
    ObjectPath domain = object_path_of_domain(job->domain->uuid);
    int r = object_server_emit_removed(publisher->parts.job, path.text);

    if (r >= 0)
        r = sd_bus_emit_signal(publisher->parts.bus, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE,
                               "JobRemoved", "oosss", path.text, domain.text, job->operation,
                               operation_result_name(result), error ? error->message : "");
    check(publisher, publisher->parts.job, path.text, "was removed", r);
}

void
publisher_job_changed(Publisher *publisher, JobObject *job, JobChange change)
{
    ObjectPath path = object_path_of_job(job->number);

    check(publisher, publisher->parts.job, path.text, "changed",
          object_server_emit_changed(publisher->parts.job, path.text, job, UINT64_C(1) << change));
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
publisher_root_changed(Publisher *publisher, uint64_t changes)
{
    publisher->root_changes |= changes;
    deferred_schedule(publisher->turn_end);
}

static void
emit_domain_changed(Publisher *publisher, Domain *domain)
{
    ObjectPath path = object_path_of_domain(domain->uuid);
    uint64_t changes = domain->unsignaled;

    domain->unsignaled = 0;
    check(publisher, publisher->parts.domain, path.text, "changed",
          object_server_emit_changed(publisher->parts.domain, path.text, domain, changes));
}

static void
emit_root_changed(Publisher *publisher)
{
    uint64_t changes = publisher->root_changes;
    int r = object_server_emit_changed(publisher->parts.root, VMS_ROOT_PATH,
                                       publisher->parts.root_object, changes);

    publisher->root_changes = 0;
    if (r >= 0)
        return;
    log_message(LOG_ERR, "Signalling that the root object changed failed: %s", g_strerror(-r));
    if (may_retry(r)) {
        publisher->n_missed++;
        publisher->missed_changes |= changes;
        timer_arm_relative(publisher->retry, RETRY_USEC);
    }
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
    if (publisher->root_changes != 0)
        emit_root_changed(publisher);
}

unsigned
publisher_missed(const Publisher *publisher)
{
    return publisher->n_missed;
}

static void
on_retry(void *userdata)
{
    Publisher *publisher = userdata;
    GHashTableIter iter;
    gpointer path, kind;

    g_hash_table_iter_init(&iter, publisher->missed);
    while (g_hash_table_iter_next(&iter, &path, &kind)) {
        if (may_retry(object_server_emit_again(kind, path)))
            timer_arm_relative(publisher->retry, RETRY_USEC);
        else
            g_hash_table_iter_remove(&iter);
    }
    publisher->root_changes |= publisher->missed_changes;
    publisher->missed_changes = 0;
    publisher_flush(publisher);
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
    publisher->missed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    publisher->retry = timer_new(event, RETRY_ACCURACY_USEC, on_retry, publisher);
    return publisher;
}

void
publisher_free(Publisher *publisher)
{
    if (!publisher)
        return;
    deferred_free(publisher->turn_end);
    g_hash_table_unref(publisher->changed);
    timer_free(publisher->retry);
    g_hash_table_unref(publisher->missed);
    g_free(publisher);
}
