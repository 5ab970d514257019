/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor-reason.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#define REASONS_MAX 16

/* Of libvirt 12; the daemon may be newer than the headers. */
#if !LIBVIR_CHECK_VERSION(8, 5, 0)
#define VIR_DOMAIN_RUNNING_POSTCOPY_FAILED 11
#endif
#if !LIBVIR_CHECK_VERSION(9, 2, 0)
#define VIR_DOMAIN_PAUSED_API_ERROR 14
#endif
#if !LIBVIR_CHECK_VERSION(11, 2, 0)
#define VIR_ERR_AGENT_COMMAND_TIMEOUT 112
#endif

static const char *const reasons[_DOMAIN_STATE_MAX][REASONS_MAX] = {
    [DOMAIN_RUNNING] =
        {
            [VIR_DOMAIN_RUNNING_BOOTED] = "booted",
            [VIR_DOMAIN_RUNNING_MIGRATED] = "migrated",
            [VIR_DOMAIN_RUNNING_RESTORED] = "restored",
            [VIR_DOMAIN_RUNNING_FROM_SNAPSHOT] = "from-snapshot",
            [VIR_DOMAIN_RUNNING_UNPAUSED] = "unpaused",
            [VIR_DOMAIN_RUNNING_MIGRATION_CANCELED] = "migration-canceled",
            [VIR_DOMAIN_RUNNING_SAVE_CANCELED] = "save-canceled",
            [VIR_DOMAIN_RUNNING_WAKEUP] = "wakeup",
            [VIR_DOMAIN_RUNNING_CRASHED] = "crashed",
            [VIR_DOMAIN_RUNNING_POSTCOPY] = "post-copy",
            [VIR_DOMAIN_RUNNING_POSTCOPY_FAILED] = "post-copy-failed",
        },
    [DOMAIN_PAUSED] =
        {
            [VIR_DOMAIN_PAUSED_USER] = "user",
            [VIR_DOMAIN_PAUSED_MIGRATION] = "migration",
            [VIR_DOMAIN_PAUSED_SAVE] = "save",
            [VIR_DOMAIN_PAUSED_DUMP] = "dump",
            [VIR_DOMAIN_PAUSED_IOERROR] = "io-error",
            [VIR_DOMAIN_PAUSED_WATCHDOG] = "watchdog",
            [VIR_DOMAIN_PAUSED_FROM_SNAPSHOT] = "from-snapshot",
            [VIR_DOMAIN_PAUSED_SHUTTING_DOWN] = "shutting-down",
            [VIR_DOMAIN_PAUSED_SNAPSHOT] = "snapshot",
            [VIR_DOMAIN_PAUSED_CRASHED] = "crashed",
            [VIR_DOMAIN_PAUSED_STARTING_UP] = "starting-up",
            [VIR_DOMAIN_PAUSED_POSTCOPY] = "post-copy",
            [VIR_DOMAIN_PAUSED_POSTCOPY_FAILED] = "post-copy-failed",
            [VIR_DOMAIN_PAUSED_API_ERROR] = "api-error",
        },
    [DOMAIN_SHUTDOWN] =
        {
            [VIR_DOMAIN_SHUTDOWN_USER] = "user",
        },
    [DOMAIN_SHUTOFF] =
        {
            [VIR_DOMAIN_SHUTOFF_SHUTDOWN] = "shut-down",
            [VIR_DOMAIN_SHUTOFF_DESTROYED] = "destroyed",
            [VIR_DOMAIN_SHUTOFF_CRASHED] = "crashed",
            [VIR_DOMAIN_SHUTOFF_MIGRATED] = "migrated",
            [VIR_DOMAIN_SHUTOFF_SAVED] = "saved",
            [VIR_DOMAIN_SHUTOFF_FAILED] = "failed",
            [VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT] = "from-snapshot",
            [VIR_DOMAIN_SHUTOFF_DAEMON] = "daemon",
        },
    [DOMAIN_CRASHED] =
        {
            [VIR_DOMAIN_CRASHED_PANICKED] = "panicked",
        },
};

const char *
hypervisor_reason_name(DomainState state, int reason)
{
    if ((unsigned)state >= _DOMAIN_STATE_MAX || (unsigned)reason >= REASONS_MAX)
        return "unknown";
    return reasons[state][reason] ? reasons[state][reason] : "unknown";
}

/*
 * VIR_ERR_AGENT_UNRESPONSIVE is not here: it also tells that there is no agent.
 * hypervisor_agent_fail() knows which of the two it is.
 */
static const struct {
    int code;
    ErrorKind kind;
} error_kinds[] = {
    {VIR_ERR_NO_DOMAIN, ERROR_NO_SUCH_DOMAIN},
    {VIR_ERR_OPERATION_INVALID, ERROR_INVALID_STATE},
    {VIR_ERR_BLOCK_COPY_ACTIVE, ERROR_INVALID_STATE},
    {VIR_ERR_OPERATION_ABORTED, ERROR_CANCELED},
    {VIR_ERR_OPERATION_TIMEOUT, ERROR_TIMEOUT},
    {VIR_ERR_AGENT_UNSYNCED, ERROR_TIMEOUT},
    {VIR_ERR_AGENT_COMMAND_TIMEOUT, ERROR_TIMEOUT},
};

ErrorKind
hypervisor_error_kind(int code)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(error_kinds); i++)
        if (error_kinds[i].code == code)
            return error_kinds[i].kind;
    return ERROR_OPERATION_FAILED;
}
