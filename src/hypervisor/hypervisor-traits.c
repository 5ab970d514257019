/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor-traits.h"

#include "libvirt-uri.h"

#include <glib.h>

static const struct {
    const char *driver;
    HypervisorTraits traits;
} drivers[] = {
    {"test", TRAIT_SEPARATE_WORLDS | TRAIT_REBOOT_IN_CALL | TRAIT_SETS_MEMORY_ONCE},
    {"qemu", TRAIT_WAYS_TO_ASK},
};

HypervisorTraits
hypervisor_traits_of_type(const char *type)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(drivers); i++)
        if (g_ascii_strcasecmp(drivers[i].driver, type) == 0)
            return drivers[i].traits;
    return 0;
}

HypervisorTraits
hypervisor_traits_of_uri(const char *uri)
{
    g_autofree char *driver = libvirt_uri_driver(uri);

    return hypervisor_traits_of_type(driver);
}
