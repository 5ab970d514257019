/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "disk-capacities.h"

DiskCapacities *
disk_capacities_new(DomainState state)
{
    DiskCapacities *capacities = g_new0(DiskCapacities, 1);

    capacities->state = state;
    capacities->bytes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    capacities->allocated = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return capacities;
}

void
disk_capacities_free(DiskCapacities *capacities)
{
    if (!capacities)
        return;
    g_hash_table_unref(capacities->bytes);
    g_hash_table_unref(capacities->allocated);
    g_free(capacities);
}
