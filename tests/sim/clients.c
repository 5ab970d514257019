/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "clients.h"

#include "checks.h"
#include "disk-checks.h"
#include "guests.h"
#include "lanes.h"
#include "world.h"

#define CLIENTS_MAX 128
/* An attempt that is left behind, and all of the next one. */
#define PATIENCE    (12 * SEC + 10 * MSEC)
/* A list that is under way, and the next one, where nothing goes wrong. */
#define LIST_MAX    (30 * SEC)

typedef enum {
    CLIENT_LISTS,
    CLIENT_RECONNECTS,
    CLIENT_OPERATES,
    CLIENT_CANCELS,
    CLIENT_REFRESHES,
    CLIENT_WORKS_ON_DISK,
} ClientKind;

typedef struct {
    unsigned number;
    ClientKind kind;
    uint64_t since;
    bool connecting; /* waits for the connection */
    bool gone;
    unsigned answers;
    Pending pending;
    unsigned guest;
    uint64_t asked_at; /* for a refresh of it */
    OperationSpec spec;
    DiskOperationSpec *disk_spec;
    uint64_t job; /* it cancels or waits for */
} Client;

static struct {
    Core *core;
    unsigned n;
    Client all[CLIENTS_MAX];
} clients;

static const OperationPayload save_payload;

void
clients_begin(Core *core)
{
    clients.core = core;
    clients.n = 0;
}

static Client *
new_client(ClientKind kind)
{
    Client *client = &clients.all[clients.n];

    if (clients.n == CLIENTS_MAX)
        return NULL;
    *client = (Client){.number = clients.n++, .kind = kind, .since = world_now()};
    return client;
}

/* --- answers ------------------------------------------------------------------------------ */

static void
answer(Client *client, const char *how)
{
    client->answers++;
    say("  client%u is answered: %s", client->number, how);
    REQUIRE(client->answers == 1, "client%u has two answers", client->number);
    REQUIRE(!client->gone, "client%u is answered after it went away", client->number);
    REQUIRE(!pending_is_set(&client->pending), "client%u is answered, and still waits",
            client->number);
}

static void
on_answer(void *userdata, CallOutcome outcome, void *value, const Error *error)
{
    Client *client = userdata;

    answer(client, error ? error->message : "ok");
    if (client->kind == CLIENT_CANCELS && !disk_checks_canceled(client->job, outcome == OUTCOME_OK))
        checks_canceled(client->job, outcome == OUTCOME_OK);
    if (client->kind == CLIENT_REFRESHES)
        REQUIRE(guests_get(client->guest)->read_at >= client->asked_at,
                "client%u is told that a domain was refreshed, and it was not", client->number);
}

/* --- once there is a connection ----------------------------------------------------------- */

static void
operate(Client *client, Domain *domain)
{
    g_autoptr(Error) error = NULL;
    Job *running = jobs_find(clients.core->jobs, domain->uuid);
    Job *job = job_begin(clients.core->jobs, domain, &client->spec,
                         &(JobCaller){.uid = 0, .name = ":1.1"}, &error);

    REQUIRE((job == NULL) == (error != NULL), "A job and an error");
    REQUIRE(!running || job == running || error || client->spec.kind == OPERATION_FORCE_STOP,
            "An operation begins beside another one");
    if (!job)
        answer(client, error->message);
    else if (job->object.ended)
        answer(client, "has ended already");
    else
        job_object_wait(&job->object, &client->pending, on_answer, client);
}

static void
work_on_disk(Client *client, Domain *domain)
{
    StorageJobs *jobs = clients.core->storage_jobs;
    g_autoptr(Error) error = NULL;

    if (!storage_jobs_has_disk(domain, DISK_TARGET)) {
        answer(client, "no such disk");
        return;
    }
    JobObject *job = storage_job_begin(jobs, domain, DISK_TARGET, client->disk_spec,
                                       &(JobCaller){.uid = 0, .name = ":1.1"}, &error);
    REQUIRE((job == NULL) == (error != NULL), "A job and an error");
    if (!job) {
        answer(client, error->message);
        return;
    }
    disk_checks_asked(job, client->disk_spec);
    job_object_wait(job, &client->pending, on_answer, client);
}

static void
refresh(Client *client, const char *uuid)
{
    client->asked_at = world_now();
    refresher_refresh(clients.core->refresher, uuid, &client->pending, on_answer, client);
}

static void
on_connected(void *userdata, const Error *error)
{
    Client *client = userdata;
    const char *uuid = guests_get(client->guest)->uuid;
    Domain *domain = cache_find(clients.core->cache, uuid);

    client->connecting = false;
    REQUIRE((error == NULL) == (lanes_generation() != 0), "client%u is told what is not so",
            client->number);
    if (error)
        answer(client, error->message);
    else if (client->kind == CLIENT_LISTS)
        lister_list(clients.core->lister, &client->pending, on_answer, client);
    else if (client->kind == CLIENT_REFRESHES)
        refresh(client, uuid);
    else if (client->kind == CLIENT_RECONNECTS)
        answer(client, "available");
    else if (domain && client->kind == CLIENT_WORKS_ON_DISK)
        work_on_disk(client, domain);
    else if (domain)
        operate(client, domain);
    else
        answer(client, "no such domain");
}

static void
want_connection(Client *client)
{
    client->connecting = true;
    connection_wait(clients.core->connection, &client->pending, on_connected, client);
}

/* --- what they do ------------------------------------------------------------------------- */

static void
choose_spec(OperationSpec *spec)
{
    static const uint64_t timeouts[] = {10 * SEC, 10 * SEC, 10 * SEC, 2 * SEC, 0, 40 * SEC, NEVER};

    *spec = (OperationSpec){
        .kind = (OperationKind)below(_OPERATION_LIFECYCLE_MAX + 1), /* and Save */
        .timeout = timeouts[below(G_N_ELEMENTS(timeouts))],
        .force = percent(75),
        .reboot_in_call = guests_reboot_in_call(),
    };
    if (percent(40))
        spec->kind = OPERATION_STOP;
    spec->paused = spec->kind == OPERATION_START && percent(20);
    spec->timeout_given = spec->kind == OPERATION_START && percent(30);
    if (spec->kind == OPERATION_SAVE) {
        spec->timeout = OPERATION_NO_TIMEOUT;
        spec->payload = operation_payload_new(&save_payload);
    }
}

static void
ask_for_operation(void)
{
    Client *client = new_client(CLIENT_OPERATES);

    if (!client)
        return;
    client->guest = below(guests_count());
    choose_spec(&client->spec);
    say("client%u: %s of vm%u", client->number, operation_name(client->spec.kind), client->guest);
    want_connection(client);
}

static DiskOperationSpec *
choose_disk_spec(const SimDomain *guest)
{
    DiskOperationSpec spec = {
        .kind = (DiskOperationKind)below(_DISK_OPERATION_MAX),
        .bytes = disk_capacity(guest) + below(3) * UINT64_C(1048576),
        .destination = (char *)"/copy",
        .pivot = percent(50),
    };
    g_autofree char *top = percent(30) ? g_strdup(disk_layer(guest, below(3))) : NULL;
    g_autofree char *base = percent(30) ? g_strdup(disk_layer(guest, 1 + below(3))) : NULL;

    spec.top = top;
    spec.base = base;
    return disk_operation_spec_new(&spec);
}

static void
ask_for_work_on_disk(unsigned guest)
{
    Client *client = new_client(CLIENT_WORKS_ON_DISK);

    if (!client)
        return;
    client->guest = guest;
    client->disk_spec = choose_disk_spec(guests_get(guest));
    say("client%u: %s of the disk of vm%u", client->number,
        disk_operation_name(client->disk_spec->kind), client->guest);
    want_connection(client);
}

static void
ask_for_refresh(void)
{
    Client *client = new_client(CLIENT_REFRESHES);

    if (!client)
        return;
    client->guest = below(guests_count());
    say("client%u: refresh of vm%u", client->number, client->guest);
    want_connection(client);
}

void
clients_list(void)
{
    Client *client = new_client(CLIENT_LISTS);

    if (!client)
        return;
    say("client%u: list", client->number);
    want_connection(client);
}

static void
reconnect(void)
{
    Client *client = new_client(CLIENT_RECONNECTS);

    if (!client)
        return;
    say("client%u: reconnect", client->number);
    client->connecting = true;
    connection_reconnect(clients.core->connection, &client->pending, on_connected, client);
}

static void
cancel(JobObject *job)
{
    Client *client = new_client(CLIENT_CANCELS);
    bool may;

    if (!client)
        return;
    say("client%u: cancel", client->number);
    client->job = job->number;
    may = disk_checks_cancel(job->number) || checks_may_cancel(job_of_object(job));
    job_object_ref(job);
    job_object_cancel(job, &client->pending, on_answer, client);
    REQUIRE(may || !job->ended, "A job is canceled while it does what was asked for");
    job_object_unref(job);
}

static void
cancel_any(void)
{
    g_autoptr(GPtrArray) jobs = job_objects_all(clients.core->job_objects, NULL);

    if (jobs->len > 0)
        cancel(jobs->pdata[below(jobs->len)]);
}

static void
leave(void)
{
    Client *client;

    if (clients.n == 0)
        return;
    client = &clients.all[below(clients.n)];
    if (!pending_is_set(&client->pending) || client->kind == CLIENT_CANCELS)
        return;
    say("client%u goes away", client->number);
    client->connecting = false;
    client->gone = true;
    pending_cancel(&client->pending);
}

void
clients_act(void)
{
    unsigned what = below(100);
    unsigned guest = what % guests_count();

    if (disk_exists(guests_get(guest)) && percent(30))
        ask_for_work_on_disk(guest);
    else if (what < 8)
        cancel_any();
    else if (what < 12)
        reconnect();
    else if (what < 17)
        leave();
    else if (what < 27)
        clients_list();
    else if (what < 32)
        ask_for_refresh();
    else
        ask_for_operation();
}

void
clients_end_unbounded(void)
{
    g_autoptr(GPtrArray) jobs = job_objects_all(clients.core->job_objects, NULL);

    for (unsigned i = 0; i < jobs->len; i++) {
        JobObject *object = jobs->pdata[i];
        const Job *job = job_of_object(object);

        if (job && !object->ended && operation_spec(job->operation)->timeout == NEVER)
            cancel(object);
    }
}

/* --- laws --------------------------------------------------------------------------------- */

bool
clients_wait(void)
{
    for (unsigned i = 0; i < clients.n; i++)
        if (pending_is_set(&clients.all[i].pending))
            return true;
    return false;
}

static bool
waits_for_list(const Client *client)
{
    return client->kind == CLIENT_LISTS && !client->connecting && pending_is_set(&client->pending);
}

void
clients_check_always(void)
{
    uint64_t well_since = world_is_healed() && lanes_generation() != 0
                              ? MAX(world_healed_at(), lanes_connected_since())
                              : world_now();

    for (unsigned i = 0; i < clients.n; i++) {
        const Client *client = &clients.all[i];

        REQUIRE(!client->connecting || world_now() <= client->since + PATIENCE,
                "client%u waits for too long", i);
        REQUIRE(!waits_for_list(client) || world_now() <= MAX(client->since, well_since) + LIST_MAX,
                "client%u waits for the list for too long", i);
    }
}

void
clients_check_at_rest(void)
{
    for (unsigned i = 0; i < clients.n; i++) {
        const Client *client = &clients.all[i];

        REQUIRE(client->answers == (client->gone ? 0 : 1), "client%u has %u answers", i,
                client->answers);
    }
}

void
clients_end(void)
{
    for (unsigned i = 0; i < clients.n; i++) {
        operation_payload_unref((OperationPayload *)clients.all[i].spec.payload);
        disk_operation_spec_unref(clients.all[i].disk_spec);
    }
}
