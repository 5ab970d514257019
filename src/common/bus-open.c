/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus-open.h"

#include "host-address.h"

#include <errno.h>
#include <glib.h>

static int
open_address(const char *address, const char *description, bool has_descriptors, sd_bus **ret)
{
    sd_bus *bus = NULL;
    int r = sd_bus_new(&bus);

    if (r >= 0)
        r = sd_bus_set_description(bus, description);
    if (r >= 0)
        r = sd_bus_set_address(bus, address);
    if (r >= 0)
        r = sd_bus_set_bus_client(bus, true);
    if (r >= 0)
        r = sd_bus_negotiate_fds(bus, has_descriptors);
    if (r >= 0)
        r = sd_bus_start(bus);
    if (r < 0) {
        sd_bus_unref(bus);
        return r;
    }
    *ret = bus;
    return 0;
}

static int
open_host(const char *host, const char *description, sd_bus **ret)
{
    g_autofree char *address = host_address(host);

    return address ? open_address(address, description, false, ret) : -EINVAL;
}

int
bus_open(const BusTarget *target, const char *description, sd_bus **ret)
{
    if (target->address)
        return open_address(target->address, description, true, ret);
    if (target->host)
        return open_host(target->host, description, ret);
    if (target->session)
        return sd_bus_open_user_with_description(ret, description);
    return sd_bus_open_system_with_description(ret, description);
}
