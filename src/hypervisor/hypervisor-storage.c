/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor-storage.h"

#include "hypervisor-private.h"

/* --- capacities --------------------------------------------------------------------------- */

static void
add_capacity(GHashTable *capacities, const virDomainStatsRecord *record, unsigned disk)
{
    g_autofree char *name_key = g_strdup_printf("block.%u.name", disk);
    g_autofree char *capacity_key = g_strdup_printf("block.%u.capacity", disk);
    const char *name = NULL;
    unsigned long long capacity = 0;

    virTypedParamsGetString(record->params, record->nparams, name_key, &name);
    virTypedParamsGetULLong(record->params, record->nparams, capacity_key, &capacity);
    if (name && capacity)
        g_hash_table_replace(capacities, g_strdup(name),
                             g_memdup2(&(uint64_t){capacity}, sizeof(uint64_t)));
}

static GHashTable *
capacities_of_records(virDomainStatsRecordPtr *records)
{
    GHashTable *capacities = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    for (; *records; records++) {
        unsigned n = 0;

        virTypedParamsGetUInt((*records)->params, (*records)->nparams, "block.count", &n);
        for (unsigned i = 0; i < n; i++)
            add_capacity(capacities, *records, i);
    }
    return capacities;
}

GHashTable *
hypervisor_disk_capacities(Hypervisor *h, const char *uuid, DomainState *ret_state, Error **error)
{
    /* Of one that has stopped meanwhile libvirt would read the images itself. */
    const unsigned flags = VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE;
    const unsigned groups = VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_BLOCK;
    virDomainPtr doms[] = {hypervisor_domain(h, uuid, error), NULL};
    virDomainStatsRecordPtr *records = NULL;
    int reason;

    if (!doms[0])
        return NULL;
    if (virDomainListGetStats(doms, groups, &records, flags) < 0) {
        hypervisor_fail(error);
        return NULL;
    }
    *ret_state = records[0] ? hypervisor_record_state(records[0], &reason) : DOMAIN_SHUTOFF;
    GHashTable *capacities = capacities_of_records(records);
    virDomainStatsRecordListFree(records);
    return capacities;
}
