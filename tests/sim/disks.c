/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "disks.h"

#include "attempts.h"
#include "daemon.h"
#include "disk-checks.h"
#include "hypervisor-block-job.h"
#include "hypervisor-storage.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

#define LAYERS_MAX 8
#define MIB        (UINT64_C(1024) * 1024)

typedef struct {
    BlockJobType type;    /* BLOCK_JOB_NONE: there is none */
    unsigned serial;      /* of all that this disk ever had */
    uint64_t storage_job; /* the number of the job of the service that began it; 0: none did */
    uint64_t began;
    uint64_t takes;
    bool ready;
    bool pivots;
    unsigned destination; /* of a copy */
    unsigned from;        /* the layers that go: from this depth */
    unsigned to;          /* to before this one */
} QemuJob;

/* Images are named by numbers. */
typedef struct {
    bool exists;
    unsigned n_layers;
    unsigned layers[LAYERS_MAX]; /* from the one that is written to downwards */
    unsigned last_image;
    uint64_t capacity;
    QemuJob job;
} Disk;

static Disk disks[GUESTS_MAX];

static Disk *
disk_of(const SimDomain *guest)
{
    return &disks[guest->number];
}

void
disks_begin(bool there)
{
    memset(disks, 0, sizeof disks);
    for (unsigned i = 0; there && i < guests_count(); i++) {
        Disk *disk = &disks[i];

        *disk = (Disk){.exists = percent(80), .n_layers = 1 + below(4), .capacity = 64 * MIB};
        for (unsigned depth = 0; depth < disk->n_layers; depth++)
            disk->layers[depth] = disk->last_image++;
    }
}

/* --- how it is seen ----------------------------------------------------------------------- */

bool
disk_exists(const SimDomain *guest)
{
    return disk_of(guest)->exists;
}

const char *
disk_layer(const SimDomain *guest, unsigned depth)
{
    static char path[32];
    const Disk *disk = disk_of(guest);

    if (depth >= disk->n_layers)
        return NULL;
    snprintf(path, sizeof path, "/image%u", disk->layers[depth]);
    return path;
}

const char *
disk_source(const SimDomain *guest)
{
    return disk_layer(guest, 0);
}

uint64_t
disk_capacity(const SimDomain *guest)
{
    return disk_of(guest)->capacity;
}

void
disk_describe(const SimDomain *guest, DomainConfig *config)
{
    const Disk *disk = disk_of(guest);
    Rows parts[_HARDWARE_MAX] = {{NULL}};
    g_auto(RowBuilder) rows = {NULL};

    if (!disk->exists)
        return;
    row_builder_begin(&rows);
    row_builder_text(&rows, ROW_TARGET, DISK_TARGET);
    row_builder_text(&rows, ROW_SOURCE, disk_source(guest));
    row_builder_end(&rows);
    parts[HARDWARE_DISKS] = row_builder_rows(&rows);
    domain_config_set_hardware(config, parts);
    config->has_layered_disks =
        guest->id >= 0 && (disk->n_layers > 1 || disk->job.type == BLOCK_JOB_COPY);
}

static bool
needs_pivot(const QemuJob *job)
{
    return job->type == BLOCK_JOB_COPY || job->type == BLOCK_JOB_ACTIVE_COMMIT;
}

static DiskChain
chain_of(const SimDomain *guest)
{
    GPtrArray *layers = g_ptr_array_new();
    unsigned n = guest->id >= 0 ? LAYERS_MAX : 1;

    for (unsigned depth = 0; depth < n && disk_layer(guest, depth); depth++)
        g_ptr_array_add(layers, g_strdup(disk_layer(guest, depth)));
    g_ptr_array_add(layers, NULL);
    return (DiskChain){
        .layers = (char **)g_ptr_array_free(layers, FALSE),
        .is_active = guest->id >= 0,
        .has_job = disk_of(guest)->job.type != BLOCK_JOB_NONE,
    };
}

/* --- QEMU --------------------------------------------------------------------------------- */

static void
end_job(SimDomain *guest, DiskEffect effect)
{
    static const char *const names[] = {"none", "done", "kept", "given up", "failed"};
    QemuJob *job = &disk_of(guest)->job;

    say("   %s: the job of its disk ends: %s", guest->name, names[effect]);
    disk_checks_effect(job->storage_job, effect);
    job->type = BLOCK_JOB_NONE;
    job->serial++;
}

static void
tell(SimDomain *guest, BlockJobEvent event)
{
    attempts_post_block_job_event(guest, event);
}

static void
remove_layers(Disk *disk, unsigned from, unsigned to)
{
    memmove(&disk->layers[from], &disk->layers[to], (disk->n_layers - to) * sizeof disk->layers[0]);
    disk->n_layers -= to - from;
}

static void
complete(SimDomain *guest)
{
    Disk *disk = disk_of(guest);

    if (disk->job.type == BLOCK_JOB_COPY) {
        disk->layers[0] = disk->job.destination;
        disk->n_layers = 1;
    } else {
        remove_layers(disk, disk->job.from, disk->job.to);
    }
    end_job(guest, DISK_EFFECT_DONE);
    tell(guest, BLOCK_JOB_COMPLETED);
}

/* All is copied, or it asked to pivot. */
static void
work(void *data, unsigned serial)
{
    SimDomain *guest = data;
    QemuJob *job = &disk_of(guest)->job;

    if (job->type == BLOCK_JOB_NONE || job->serial != serial)
        return;
    if (guest->frozen) {
        world_after(SEC, work, guest, serial);
    } else if (!job->ready && trouble(10)) {
        end_job(guest, DISK_EFFECT_FAILED);
        tell(guest, BLOCK_JOB_FAILED);
    } else if (needs_pivot(job) && !job->pivots) {
        say("   %s: the job of its disk is ready", guest->name);
        job->ready = true;
        tell(guest, BLOCK_JOB_READY);
    } else {
        complete(guest);
    }
}

static void end_of_others(void *data, unsigned unused);

static void
begin_job(SimDomain *guest, const QemuJob *what)
{
    QemuJob *job = &disk_of(guest)->job;
    unsigned serial = job->serial;

    *job = *what;
    job->serial = serial;
    job->began = world_now();
    job->takes = percent(50) ? between(0, 2 * SEC) : between(0, 40 * SEC);
    world_after(job->takes, work, guest, serial);
    if (world_is_healed())
        world_after(5 * SEC, end_of_others, guest, 0);
}

/* A copy that is ready stays as it is; a commit leaves all layers. */
static void
give_up(SimDomain *guest)
{
    const QemuJob *job = &disk_of(guest)->job;

    end_job(guest,
            job->ready && job->type == BLOCK_JOB_COPY ? DISK_EFFECT_KEPT : DISK_EFFECT_GIVEN_UP);
    tell(guest, BLOCK_JOB_CANCELED);
}

void
disk_guest_ended(SimDomain *guest)
{
    const QemuJob *job = &disk_of(guest)->job;

    if (job->type == BLOCK_JOB_NONE)
        return;
    end_job(guest,
            job->ready && job->type == BLOCK_JOB_COPY ? DISK_EFFECT_KEPT : DISK_EFFECT_FAILED);
    if (percent(50))
        tell(guest, BLOCK_JOB_FAILED);
}

/* --- libvirt: reads ----------------------------------------------------------------------- */

static bool
refuse(Error **error, ErrorKind kind, const char *words)
{
    *error = error_new(kind, "%s", words);
    (*error)->libvirt_code = 1;
    return false;
}

static bool
check_active(const SimDomain *guest, Error **error)
{
    if (!guest->exists)
        return refuse(error, ERROR_NO_SUCH_DOMAIN, "Domain not found");
    if (guest->id < 0)
        return refuse(error, ERROR_INVALID_STATE, "domain is not running");
    return true;
}

static BlockJobInfo
info_of(const QemuJob *job)
{
    uint64_t passed = world_now() - job->began;

    return (BlockJobInfo){
        .type = job->type,
        .progress = job->ready || job->takes == 0
                        ? 1
                        : (double)MIN(passed, job->takes) / (double)job->takes,
        .ready = job->ready,
    };
}

bool
hypervisor_get_block_job(Hypervisor *h, const char *uuid, const char *target, BlockJobInfo *ret,
                         Error **error)
{
    const SimDomain *guest = guests_find(uuid);

    if (!check_active(guest, error))
        return false;
    if (trouble(2))
        return refuse(error, ERROR_OPERATION_FAILED, "libvirt's words");
    *ret = info_of(&disk_of(guest)->job);
    return true;
}

bool
hypervisor_read_disk_chain(Hypervisor *h, const char *uuid, const char *target, DiskChain *ret,
                           Error **error)
{
    const SimDomain *guest = guests_find(uuid);

    if (!guest->exists)
        return refuse(error, ERROR_NO_SUCH_DOMAIN, "Domain not found");
    *ret = chain_of(guest);
    return true;
}

GPtrArray *
hypervisor_find_block_jobs(Hypervisor *h, const char *uuid, Error **error)
{
    const SimDomain *guest = guests_find(uuid);
    const QemuJob *job = &disk_of(guest)->job;

    if (!check_active(guest, error))
        return NULL;
    GPtrArray *found =
        g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))found_block_job_free);
    if (job->type == BLOCK_JOB_NONE)
        return found;
    FoundBlockJob *one = g_new0(FoundBlockJob, 1);
    one->target = g_strdup(DISK_TARGET);
    one->info = info_of(job);
    one->chain = chain_of(guest);
    g_ptr_array_add(found, one);
    return found;
}

void
found_block_job_free(FoundBlockJob *found)
{
    g_free(found->target);
    disk_chain_clear(&found->chain);
    g_free(found);
}

DiskCapacities *
hypervisor_disk_capacities(Hypervisor *h, const char *uuid, GHashTable *allocated_before,
                           Error **error)
{
    const SimDomain *guest = guests_find(uuid);
    const Disk *disk = disk_of(guest);

    h->read |= 1U << guest->number;
    if (!guest->exists) {
        refuse(error, ERROR_NO_SUCH_DOMAIN, "Domain not found");
        return NULL;
    }
    DiskCapacities *capacities = disk_capacities_new(guest->state);
    if (disk->exists && guest->id >= 0)
        g_hash_table_insert(capacities->bytes, g_strdup(DISK_TARGET),
                            g_memdup2(&disk->capacity, sizeof disk->capacity));
    return capacities;
}

/* No guest is paused by an error of a disk. */
GPtrArray *
hypervisor_disk_errors(Hypervisor *h, const char *uuid, Error **error)
{
    return g_ptr_array_new();
}

/* No event is about a disk that is named by its alias. */
bool
hypervisor_find_disk(Hypervisor *h, const char *uuid, const char *alias, char **ret_target,
                     Error **error)
{
    *ret_target = NULL;
    return true;
}

bool
hypervisor_get_capacity(Hypervisor *h, const char *uuid, const char *target, uint64_t *ret,
                        Error **error)
{
    const SimDomain *guest = guests_find(uuid);

    if (!guest->exists)
        return refuse(error, ERROR_NO_SUCH_DOMAIN, "Domain not found");
    *ret = disk_capacity(guest);
    return true;
}

/* --- libvirt: changes --------------------------------------------------------------------- */

/* The depth of the image; `otherwise` for NULL; LAYERS_MAX where there is none. */
static unsigned
depth_of(const SimDomain *guest, const char *path, unsigned otherwise)
{
    if (!path)
        return otherwise;
    for (unsigned depth = 0; disk_layer(guest, depth); depth++)
        if (g_str_equal(disk_layer(guest, depth), path))
            return depth;
    return LAYERS_MAX;
}

static QemuJob
job_of_spec(SimDomain *guest, BlockJobType type, const DiskOperationSpec *spec)
{
    Disk *disk = disk_of(guest);
    QemuJob job = {.type = type};

    if (type == BLOCK_JOB_COPY) {
        job.destination = disk->last_image++;
    } else if (type == BLOCK_JOB_PULL) {
        job.from = 1;
        job.to = depth_of(guest, spec->base, disk->n_layers);
    } else {
        job.from = depth_of(guest, spec->top, 0);
        job.to = depth_of(guest, spec->base, job.from + 1);
    }
    return job;
}

static bool
is_possible(const Disk *disk, const QemuJob *job)
{
    unsigned last = job->type == BLOCK_JOB_PULL ? disk->n_layers : disk->n_layers - 1;

    return job->type == BLOCK_JOB_COPY || (job->from < job->to && job->to <= last);
}

bool
hypervisor_start_block_job(Hypervisor *h, const char *uuid, const char *target, BlockJobType type,
                           const DiskOperationSpec *spec, Error **error)
{
    SimDomain *guest = guests_find(uuid);
    Disk *disk = disk_of(guest);

    if (!check_active(guest, error))
        return false;
    if (disk->job.type != BLOCK_JOB_NONE)
        return refuse(error, ERROR_OPERATION_FAILED, "disk 'vda' is in use by another job");
    QemuJob job = job_of_spec(guest, type, spec);
    if (trouble(5) || !is_possible(disk, &job))
        return refuse(error, ERROR_OPERATION_FAILED, "libvirt's words");
    job.storage_job = disk_checks_started(h->call);
    say("   %s: the job of its disk begins", guest->name);
    begin_job(guest, &job);
    return true;
}

bool
hypervisor_end_block_job(Hypervisor *h, const char *uuid, const char *target, bool pivot,
                         Error **error)
{
    SimDomain *guest = guests_find(uuid);
    QemuJob *job = &disk_of(guest)->job;

    if (!check_active(guest, error))
        return false;
    /* libvirt carries out the calls about a domain in their order: a job that began after this call
     * was made is not ended by it. */
    if (job->type == BLOCK_JOB_NONE || disk_checks_is_late(h->call))
        return refuse(error, ERROR_INVALID_ARGS, "no block job");
    if (trouble(5) || (pivot && !job->ready) || job->pivots)
        return refuse(error, ERROR_OPERATION_FAILED, "libvirt's words");
    disk_checks_ends(h->call, job->storage_job,
                     pivot || (job->ready && job->type == BLOCK_JOB_COPY));
    if (pivot) {
        job->pivots = true;
        world_after(between(0, 100 * MSEC), work, guest, job->serial);
    } else {
        give_up(guest);
    }
    return true;
}

bool
hypervisor_resize_disk(Hypervisor *h, const char *uuid, const char *target, uint64_t bytes,
                       bool is_active, uint64_t *ret_capacity, Error **error)
{
    SimDomain *guest = guests_find(uuid);
    Disk *disk = disk_of(guest);

    *ret_capacity = 0;
    if (!guest->exists)
        return refuse(error, ERROR_NO_SUCH_DOMAIN, "Domain not found");
    if (bytes < disk->capacity)
        return refuse(error, ERROR_INVALID_ARGS, "cannot become smaller");
    if (trouble(10))
        return refuse(error, ERROR_OPERATION_FAILED, "libvirt's words");
    disk_checks_effect(disk_checks_started(h->call), DISK_EFFECT_DONE);
    disk->capacity = *ret_capacity = bytes;
    return true;
}

/* --- what others do ----------------------------------------------------------------------- */

void
disk_meddle(SimDomain *guest)
{
    static const BlockJobType types[] = {BLOCK_JOB_PULL, BLOCK_JOB_COMMIT, BLOCK_JOB_ACTIVE_COMMIT,
                                         BLOCK_JOB_COPY};
    Disk *disk = disk_of(guest);
    BlockJobType type = types[below(G_N_ELEMENTS(types))];

    if (guest->id < 0)
        return;
    say("somebody else:");
    if (disk->job.type != BLOCK_JOB_NONE) {
        disk_checks_ended_by_others(disk->job.storage_job);
        if (disk->job.ready && percent(50))
            complete(guest);
        else
            give_up(guest);
        return;
    }
    /* libvirt's jobs have no names: one that takes the place of ours unseen looks like ours. */
    if (disk_checks_is_occupied(guest))
        return;
    g_autofree char *below_top = g_strdup(disk_layer(guest, 1));
    const DiskOperationSpec spec = {.top = type == BLOCK_JOB_COMMIT ? below_top : NULL};
    QemuJob job = job_of_spec(guest, type, &spec);
    if ((type == BLOCK_JOB_COMMIT && !below_top) || !is_possible(disk, &job))
        return;
    say("   %s: a job of its disk begins", guest->name);
    begin_job(guest, &job);
    attempts_post_event(guest, EVENT_CHANGED);
}

/* A job that no job of the service will end. */
static void
end_of_others(void *data, unsigned unused)
{
    SimDomain *guest = data;
    const QemuJob *job = &disk_of(guest)->job;

    if (job->type != BLOCK_JOB_NONE && !disk_checks_is_under_way(job->storage_job)) {
        say("somebody else:");
        give_up(guest);
    }
    if (job->type != BLOCK_JOB_NONE)
        world_after(5 * SEC, end_of_others, guest, 0);
}

void
disks_heal(void)
{
    for (unsigned i = 0; i < guests_count(); i++)
        if (disks[i].exists)
            world_after(5 * SEC, end_of_others, guests_get(i), 0);
}
