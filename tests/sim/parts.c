/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "parts.h"

#include "consoles.h"
#include "daemon-watch.h"
#include "guest-info.h"
#include "host.h"
#include "hypervisor-events.h"
#include "log.h"
#include "stats.h"
#include "usage.h"
#include "world.h"

#include <malloc.h>

/* --- hints -------------------------------------------------------------------------------- */

struct DaemonWatch {
    DaemonHint hint;
    void *userdata;
};

static DaemonWatch *the_watch;

int
daemon_watch_new(sd_event *event, const char *const *pid_paths, const char *const *socket_paths,
                 DaemonHint hint, void *userdata, DaemonWatch **ret)
{
    the_watch = *ret = g_new0(DaemonWatch, 1);
    the_watch->hint = hint;
    the_watch->userdata = userdata;
    return 0;
}

void
daemon_watch_free(DaemonWatch *watch)
{
    the_watch = NULL;
    g_free(watch);
}

bool
daemon_watch_may_stop(const DaemonWatch *watch)
{
    return percent(50);
}

bool
daemon_watch_lives(const DaemonWatch *watch)
{
    return percent(50);
}

void
parts_hint(Hint hint)
{
    the_watch->hint(the_watch->userdata, hint);
}

/* --- nothing happens ---------------------------------------------------------------------- */

Consoles *
consoles_new(sd_event *event, const char *uri)
{
    return NULL;
}

void
consoles_stop(Consoles *consoles)
{
}

void
consoles_free(Consoles *consoles)
{
}

Stats *
stats_new(struct sd_event *event, LanePool *lane_pool, Cache *cache, const DiskSizes *disk_sizes)
{
    return NULL;
}

void
stats_free(Stats *stats)
{
}

Usage *
usage_new(struct sd_event *event, LanePool *lane_pool, Cache *cache, const DiskSizes *disk_sizes)
{
    return NULL;
}

void
usage_free(Usage *usage)
{
}

void
usage_set_connected(Usage *usage, bool connected)
{
}

Host *
host_new(struct sd_event *event, LanePool *lane_pool, HostChanged changed, void *userdata)
{
    return NULL;
}

void
host_free(Host *host)
{
}

void
host_set_connected(Host *host, bool connected)
{
}

GuestInfo *
guest_info_new(struct sd_event *event, LanePool *lane_pool, Cache *cache)
{
    return NULL;
}

void
guest_info_free(GuestInfo *info)
{
}

void
guest_info_set_connected(GuestInfo *info, bool connected)
{
}

void
guest_info_refreshed(GuestInfo *info, const Domain *domain)
{
}

void
guest_info_forget(GuestInfo *info, const Domain *domain)
{
}

bool
hypervisor_library_start(Error **error)
{
    return true;
}

void
hypervisor_library_stop(void)
{
}

void
hypervisor_identity_clear(HypervisorIdentity *identity)
{
    g_clear_pointer(&identity->hostname, g_free);
    g_clear_pointer(&identity->type, g_free);
    g_clear_pointer(&identity->version, g_free);
    g_clear_pointer(&identity->libvirt_version, g_free);
}

void
log_message(int level, const char *format, ...)
{
}

void
log_event(LogEvent event, const char *message, ...)
{
}

const char *
log_number(char buffer[static LOG_NUMBER_SIZE], gint64 number)
{
    return "";
}

/* libc's, which goes through the whole heap. */
int
malloc_trim(size_t pad)
{
    return 0;
}
