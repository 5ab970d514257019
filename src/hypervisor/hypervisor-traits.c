/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor-traits.h"

#include "libvirt-uri.h"

#include <glib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *name;
    HypervisorTraits traits;
    HypervisorTraits newer; /* with a newer libvirt: see is_newer() */
} Driver;

static const Driver drivers[] = {
    {"test", TRAIT_SEPARATE_WORLDS | TRAIT_REBOOT_IN_CALL | TRAIT_SETS_MEMORY_ONCE, 0},
    {"qemu", TRAIT_WAYS_TO_ASK, TRAIT_XML_WAITS},
};

static const Driver *
find_driver(const char *name)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(drivers); i++)
        if (g_ascii_strcasecmp(drivers[i].name, name) == 0)
            return &drivers[i];
    return NULL;
}

/* XML does not wait in libvirt 9.0, and does in 11.3. Which version began it is not known: the care
 * that is taken costs little where it is not needed. */
static bool
is_newer(const char *libvirt_version)
{
    const char *dot = strchr(libvirt_version, '.');
    unsigned long major = strtoul(libvirt_version, NULL, 10);

    return major > 9 || (major == 9 && dot && strtoul(dot + 1, NULL, 10) > 0);
}

HypervisorTraits
hypervisor_traits_of_type(const char *type)
{
    const Driver *driver = find_driver(type);

    return driver ? driver->traits : 0;
}

HypervisorTraits
hypervisor_traits_of_daemon(const char *type, const char *libvirt_version)
{
    const Driver *driver = find_driver(type);

    if (!driver)
        return 0;
    return driver->traits | (is_newer(libvirt_version) ? driver->newer : 0);
}

HypervisorTraits
hypervisor_traits_of_uri(const char *uri)
{
    g_autofree char *driver = libvirt_uri_driver(uri);

    return hypervisor_traits_of_type(driver);
}
