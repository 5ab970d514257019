/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation-spec.h"

static const char *const operation_names[_OPERATION_MAX] = {
    [OPERATION_START] = "Start",
    [OPERATION_STOP] = "Stop",
    [OPERATION_PAUSE] = "Pause",
    [OPERATION_RESUME] = "Resume",
    [OPERATION_REBOOT] = "Reboot",
    [OPERATION_FORCE_STOP] = "ForceStop",
    [OPERATION_RESET] = "Reset",
    [OPERATION_SAVE] = "Save",
    [OPERATION_CREATE_SNAPSHOT] = "CreateSnapshot",
    [OPERATION_REVERT_SNAPSHOT] = "RevertSnapshot",
    [OPERATION_DELETE_SNAPSHOT] = "DeleteSnapshot",
    [OPERATION_MIGRATE] = "Migrate",
};

const char *
operation_name(OperationKind kind)
{
    return operation_names[kind];
}

OperationPayload *
operation_payload_new(const OperationPayload *from)
{
    OperationPayload *payload = g_atomic_rc_box_new0(OperationPayload);

    *payload = *from;
    payload->name = g_strdup(from->name);
    payload->description = g_strdup(from->description);
    payload->memory_file = g_strdup(from->memory_file);
    payload->disks = g_strdupv(from->disks);
    return payload;
}

OperationPayload *
operation_payload_ref(const OperationPayload *payload)
{
    return payload ? g_atomic_rc_box_acquire((OperationPayload *)payload) : NULL;
}

static void
clear_payload(gpointer data)
{
    OperationPayload *payload = data;

    g_free(payload->name);
    g_free(payload->description);
    g_free(payload->memory_file);
    g_strfreev(payload->disks);
}

void
operation_payload_unref(OperationPayload *payload)
{
    if (payload)
        g_atomic_rc_box_release_full(payload, clear_payload);
}

static bool
disks_are_same(char *const *a, char *const *b)
{
    return a && b ? g_strv_equal((const char *const *)a, (const char *const *)b) : a == b;
}

static bool
payload_is_same(const OperationPayload *a, const OperationPayload *b)
{
    if (!a || !b)
        return a == b;

    bool same_name =
        a->generated == b->generated && (a->generated || g_strcmp0(a->name, b->name) == 0);
    return same_name && a->flags == b->flags && a->bandwidth == b->bandwidth &&
           g_strcmp0(a->description, b->description) == 0 &&
           g_strcmp0(a->memory_file, b->memory_file) == 0 && disks_are_same(a->disks, b->disks);
}

bool
operation_spec_is_same(const OperationSpec *a, const OperationSpec *b)
{
    return a->kind == b->kind && a->timeout == b->timeout && a->timeout_given == b->timeout_given &&
           a->force == b->force && a->paused == b->paused &&
           payload_is_same(a->payload, b->payload);
}
