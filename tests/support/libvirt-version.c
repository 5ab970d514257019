/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libvirt-version.h"

#include <glib.h>
#include <libvirt/libvirt.h>

bool
libvirt_is_at_least(unsigned major, unsigned minor)
{
    unsigned long version;

    g_assert_cmpint(virGetVersion(&version, NULL, NULL), ==, 0);
    return version >= major * 1000000UL + minor * 1000UL;
}

bool
embedded_has_stats(void)
{
    return libvirt_is_at_least(7, 8);
}

bool
can_read_embedded_stats(void)
{
    if (embedded_has_stats())
        return true;
    g_test_skip("the embedded hypervisor has no statistics before libvirt 7.8");
    return false;
}
