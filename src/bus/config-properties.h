/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The properties of org.unraid.Vms.Config. Next has the same ones of another configuration: each is
 * written out of a DomainConfig, in one table.
 */

#include "property.h"

/* Of a Domain. */
extern const Property config_properties[];
