/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor-storage.h"

#include "disk-chain.h"
#include "hypervisor-private.h"
#include "utf8.h"

#include <string.h>

typedef virStoragePoolPtr VirPool;
typedef virStorageVolPtr VirVolume;
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(VirPool, virStoragePoolFree, NULL)
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(VirVolume, virStorageVolFree, NULL)

/* --- capacities --------------------------------------------------------------------------- */

static uint64_t
get_figure(const virDomainStatsRecord *record, unsigned disk, const char *field)
{
    g_autofree char *key = g_strdup_printf("block.%u.%s", disk, field);
    unsigned long long figure = 0;

    virTypedParamsGetULLong(record->params, record->nparams, key, &figure);
    return figure;
}

/*
 * Whether QEMU tells how much of the image is allocated. libvirt puts the size of the image in its
 * place if not, and so the two look the same where the image is allocated whole.
 */
static bool
is_told(virDomainPtr dom, const char *name, uint64_t capacity, uint64_t physical,
        GHashTable *before, bool *ret_whole)
{
    virDomainBlockInfo info;

    *ret_whole = physical >= capacity;
    if (physical < capacity)
        return physical > 0;
    if (before)
        return g_hash_table_lookup(before, name) != NULL;
    return virDomainGetBlockInfo(dom, name, &info, 0) == 0 && info.allocation > 0;
}

static void
add_disk(const virDomainStatsRecord *record, unsigned disk, DiskCapacities *capacities,
         GHashTable *before)
{
    g_autofree char *key = g_strdup_printf("block.%u.name", disk);
    uint64_t capacity = get_figure(record, disk, "capacity");
    uint64_t physical = get_figure(record, disk, "physical");
    const char *name = NULL;
    bool whole;

    virTypedParamsGetString(record->params, record->nparams, key, &name);
    if (!name || !capacity)
        return;
    g_hash_table_replace(capacities->bytes, g_strdup(name), g_memdup2(&capacity, sizeof capacity));
    if (is_told(record->dom, name, capacity, physical, before, &whole))
        g_hash_table_insert(capacities->allocated, g_strdup(name), GINT_TO_POINTER(whole));
}

DiskCapacities *
hypervisor_disk_capacities(Hypervisor *h, const char *uuid, GHashTable *allocated_before,
                           Error **error)
{
    /* If the domain has stopped meanwhile, libvirt would open the images. */
    const unsigned flags = VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE;
    const unsigned groups = VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_BLOCK;
    virDomainPtr doms[] = {hypervisor_domain(h, uuid, error), NULL};
    virDomainStatsRecordPtr *records = NULL;
    unsigned n_disks = 0;
    int reason;

    if (!doms[0])
        return NULL;
    if (virDomainListGetStats(doms, groups, &records, flags) < 0) {
        hypervisor_fail(error);
        return NULL;
    }

    DiskCapacities *capacities = disk_capacities_new(DOMAIN_SHUTOFF);
    if (records[0]) {
        capacities->state = hypervisor_record_state(records[0], &reason);
        virTypedParamsGetUInt(records[0]->params, records[0]->nparams, "block.count", &n_disks);
        /* Each has a figure, whatever the daemon says. */
        for (unsigned i = 0; i < MIN(n_disks, (unsigned)records[0]->nparams); i++)
            add_disk(records[0], i, capacities, allocated_before);
    }
    virDomainStatsRecordListFree(records);
    return capacities;
}

bool
hypervisor_find_disk(Hypervisor *h, const char *uuid, const char *alias, char **ret_target,
                     Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);
    g_autofree char *xml = hypervisor_read_xml(dom, 0, error);

    if (xml)
        *ret_target = disk_chain_find_alias(xml, alias);
    return xml != NULL;
}

static void
free_disk_error(gpointer data)
{
    DiskError *found = data;

    g_free(found->target);
    g_free(found);
}

GPtrArray *
hypervisor_disk_errors(Hypervisor *h, const char *uuid, Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);
    int n_disks = dom ? virDomainGetDiskErrors(dom, NULL, 0, 0) : -1;
    g_autofree virDomainDiskErrorPtr told = g_new0(virDomainDiskError, (gsize)MAX(n_disks, 1));
    int n = n_disks > 0 ? virDomainGetDiskErrors(dom, told, (unsigned)n_disks, 0) : n_disks;

    if (dom && n < 0 && !hypervisor_is_unsupported())
        hypervisor_fail(error);
    if (!dom || *error)
        return NULL;
    GPtrArray *errors = g_ptr_array_new_with_free_func(free_disk_error);
    for (int i = 0; i < n; i++) {
        DiskError *found = g_new0(DiskError, 1);

        found->target = utf8_for_bus(told[i].disk);
        found->no_space = told[i].error == VIR_DOMAIN_DISK_ERROR_NO_SPACE;
        g_ptr_array_add(errors, found);
        free(told[i].disk);
    }
    return errors;
}

/* --- resizing ----------------------------------------------------------------------------- */

static bool
check_growth(const char *target, uint64_t capacity, uint64_t bytes, Error **error)
{
    if (bytes >= capacity)
        return true;
    *error = error_new(ERROR_INVALID_ARGS,
                       "The disk \"%s\" has %" G_GUINT64_FORMAT " bytes, and cannot become smaller",
                       target, capacity);
    return false;
}

static bool
get_capacity(virDomainPtr dom, const char *target, uint64_t *ret, Error **error)
{
    virDomainBlockInfo info;

    if (virDomainGetBlockInfo(dom, target, &info, 0) < 0)
        return hypervisor_fail(error);
    *ret = info.capacity;
    return true;
}

static bool
resize_running(Hypervisor *h, virDomainPtr dom, const char *target, uint64_t bytes, Error **error)
{
    uint64_t capacity = 0;

    if (!get_capacity(dom, target, &capacity, error) ||
        !check_growth(target, capacity, bytes, error) || !hypervisor_pass_gate(h, error))
        return false;
    return virDomainBlockResize(dom, target, bytes, VIR_DOMAIN_BLOCK_RESIZE_BYTES) == 0 ||
           hypervisor_fail(error);
}

/* By its path, or by "POOL/VOLUME". */
static virStorageVolPtr
find_volume(Hypervisor *h, const char *source)
{
    if (*source == '/')
        return virStorageVolLookupByPath(h->conn, source);

    const char *slash = strchr(source, '/');
    g_autofree char *name = g_strndup(source, slash ? (gsize)(slash - source) : 0);
    g_auto(VirPool) pool = slash ? virStoragePoolLookupByName(h->conn, name) : NULL;
    return pool ? virStorageVolLookupByName(pool, slash + 1) : NULL;
}

/* Beyond what libvirt needs for it, its size is asked for before and after. */
static bool
resize_volume(Hypervisor *h, const DiskChain *chain, const char *target, uint64_t bytes,
              uint64_t *ret_capacity, Error **error)
{
    g_auto(VirVolume) volume = *chain->layers ? find_volume(h, *chain->layers) : NULL;
    virStorageVolInfo info;

    if (!volume && !hypervisor_is_alive(h))
        return hypervisor_fail(error);
    if (!volume) {
        *error = error_new(ERROR_OPERATION_FAILED,
                           "The disk \"%s\" is no volume of an active pool: it can be resized only "
                           "while the domain runs",
                           target);
        return false;
    }
    if (virStorageVolGetInfo(volume, &info) < 0)
        return hypervisor_fail(error);
    if (!check_growth(target, info.capacity, bytes, error) || !hypervisor_pass_gate(h, error))
        return false;
    if (virStorageVolResize(volume, bytes, 0) < 0)
        return hypervisor_fail(error);
    if (virStorageVolGetInfo(volume, &info) == 0)
        *ret_capacity = info.capacity;
    return true;
}

/* The image of a domain that has been started meanwhile is not the pool's to change. */
static bool
resize_off(Hypervisor *h, virDomainPtr dom, const char *target, uint64_t bytes,
           uint64_t *ret_capacity, Error **error)
{
    g_autofree char *xml = hypervisor_read_xml(dom, 0, error);

    if (!xml)
        return false;
    g_auto(DiskChain) chain = disk_chain_read(xml, target);
    return chain.is_active ? resize_running(h, dom, target, bytes, error)
                           : resize_volume(h, &chain, target, bytes, ret_capacity, error);
}

bool
hypervisor_resize_disk(Hypervisor *h, const char *uuid, const char *target, uint64_t bytes,
                       bool is_active, uint64_t *ret_capacity, Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);
    g_autoptr(Error) ignored = NULL;

    *ret_capacity = 0;
    if (!dom)
        return false;
    if (!is_active)
        return resize_off(h, dom, target, bytes, ret_capacity, error);
    if (!resize_running(h, dom, target, bytes, error))
        return false;
    /* It may have been rounded. */
    (void)get_capacity(dom, target, ret_capacity, &ignored);
    return true;
}

bool
hypervisor_get_capacity(Hypervisor *h, const char *uuid, const char *target, uint64_t *ret,
                        Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);

    return dom && get_capacity(dom, target, ret, error);
}
