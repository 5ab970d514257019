/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Every name on the wire, once. */

#define VMS_BUS_NAME      "org.unraid.Vms"
#define VMS_ROOT_PATH     "/org/unraid/Vms"
#define VMS_DOMAIN_PREFIX VMS_ROOT_PATH "/domain"
#define VMS_JOB_PREFIX    VMS_ROOT_PATH "/job"

/* Every instance, org.unraid.Vms.NAME, is in the queue for this name. A bus applies its rules for a
 * name to all who are, so one rule permits calls to all instances. */
#define VMS_INSTANCES_NAME "org.unraid.VmsInstances"

#define VMS_MANAGER_INTERFACE   "org.unraid.Vms.Manager"
#define VMS_HOST_INTERFACE      "org.unraid.Vms.Host"
#define VMS_DEBUG_INTERFACE     "org.unraid.Vms.Debug"
#define VMS_DOMAIN_INTERFACE    "org.unraid.Vms.Domain"
#define VMS_JOB_INTERFACE       "org.unraid.Vms.Job"
#define VMS_CONFIG_INTERFACE    "org.unraid.Vms.Config"
#define VMS_DISPLAY_INTERFACE   "org.unraid.Vms.Display"
#define VMS_GUEST_INTERFACE     "org.unraid.Vms.Guest"
#define VMS_SNAPSHOTS_INTERFACE "org.unraid.Vms.Snapshots"
#define VMS_SAVED_INTERFACE     "org.unraid.Vms.Saved"
#define VMS_STORAGE_INTERFACE   "org.unraid.Vms.Storage"
#define VMS_MIGRATION_INTERFACE "org.unraid.Vms.Migration"

/* systemd's, for any service: org.freedesktop.LogControl1(5). */
#define LOG_CONTROL_PATH      "/org/freedesktop/LogControl1"
#define LOG_CONTROL_INTERFACE "org.freedesktop.LogControl1"

#define VMS_ERROR_PREFIX  "org.unraid.Vms.Error."
#define VMS_ACTION_PREFIX "org.unraid.vms."
