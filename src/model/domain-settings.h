/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Our own element in a domain's metadata, which others may write, too:
 * <vms:settings xmlns:vms='http://unraid.org/vms/1' stop-timeout-usec='…'/>
 */

#define DOMAIN_SETTINGS_NAMESPACE    "http://unraid.org/vms/1"
#define DOMAIN_SETTINGS_PREFIX       "vms"
#define DOMAIN_SETTINGS_STOP_TIMEOUT "stop-timeout-usec"
