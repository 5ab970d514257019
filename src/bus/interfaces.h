/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The interfaces of the objects: one file each, listed once in service.c. */

#include "object-server.h"

/* Of a Service. */
extern const Interface bus_manager_interface;
extern const Interface bus_host_interface;
extern const Interface bus_debug_interface;
/* Of a Service, at LOG_CONTROL_PATH. */
extern const Interface bus_log_control_interface;
/* Of a Domain. */
extern const Interface bus_domain_interface;
extern const Interface bus_config_interface;
extern const Interface bus_display_interface;
extern const Interface bus_guest_interface;
extern const Interface bus_saved_interface;
extern const Interface bus_snapshots_interface;
extern const Interface bus_storage_interface;
extern const Interface bus_migration_interface;
/* Of a Job. */
extern const Interface bus_job_interface;
