/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest.h"

#include "utf8.h"

void
guest_clear(Guest *guest)
{
    g_clear_pointer(&guest->hostname, g_free);
    g_clear_pointer(&guest->os_info, g_bytes_unref);
    g_clear_pointer(&guest->addresses, g_bytes_unref);
}

static DomainChanges
take_rows(GBytes **to, GBytes **from, DomainChanges bit)
{
    bool changed = !rows_equal(rows_of_bytes(*to), rows_of_bytes(*from));

    if (changed) {
        g_clear_pointer(to, g_bytes_unref);
        *to = g_steal_pointer(from);
    }
    return changed ? bit : 0;
}

static DomainChanges
take_hostname(char **to, char **from)
{
    if (*from)
        (*from)[utf8_prefix(*from, ROW_TEXT_MAX)] = '\0';
    if (g_strcmp0(*to ? *to : "", *from ? *from : "") == 0)
        return 0;
    g_free(*to);
    *to = g_steal_pointer(from);
    return DOMAIN_CHANGED(HOSTNAME);
}

DomainChanges
guest_apply(Guest *guest, GuestUpdate *update)
{
    DomainChanges changed = 0;

    if (update->known & GUEST_HOSTNAME)
        changed |= take_hostname(&guest->hostname, &update->guest.hostname);
    if (update->known & GUEST_OS_INFO)
        changed |= take_rows(&guest->os_info, &update->guest.os_info, DOMAIN_CHANGED(OS_INFO));
    if (update->known & GUEST_ADDRESSES)
        changed |=
            take_rows(&guest->addresses, &update->guest.addresses, DOMAIN_CHANGED(ADDRESSES));
    guest_clear(&update->guest);
    return changed;
}
