/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "disk-operation-spec.h"

const char *
disk_operation_name(DiskOperationKind kind)
{
    static const char *const names[_DISK_OPERATION_MAX] = {
        [DISK_RESIZE] = "Resize",
        [DISK_COMMIT] = "Commit",
        [DISK_PULL] = "Pull",
        [DISK_COPY] = "Copy",
    };

    return names[kind];
}

DiskOperationSpec *
disk_operation_spec_new(const DiskOperationSpec *from)
{
    DiskOperationSpec *spec = g_atomic_rc_box_new0(DiskOperationSpec);

    *spec = *from;
    spec->base = g_strdup(from->base);
    spec->top = g_strdup(from->top);
    spec->destination = g_strdup(from->destination);
    spec->format = g_strdup(from->format);
    return spec;
}

DiskOperationSpec *
disk_operation_spec_ref(const DiskOperationSpec *spec)
{
    return spec ? g_atomic_rc_box_acquire((DiskOperationSpec *)spec) : NULL;
}

static void
clear_spec(gpointer data)
{
    DiskOperationSpec *spec = data;

    g_free(spec->base);
    g_free(spec->top);
    g_free(spec->destination);
    g_free(spec->format);
}

void
disk_operation_spec_unref(DiskOperationSpec *spec)
{
    if (spec)
        g_atomic_rc_box_release_full(spec, clear_spec);
}

bool
disk_operation_spec_is_same(const DiskOperationSpec *a, const DiskOperationSpec *b)
{
    return a->kind == b->kind && a->bytes == b->bytes && a->delete_merged == b->delete_merged &&
           a->pivot == b->pivot && a->bandwidth == b->bandwidth &&
           g_strcmp0(a->base, b->base) == 0 && g_strcmp0(a->top, b->top) == 0 &&
           g_strcmp0(a->destination, b->destination) == 0 && g_strcmp0(a->format, b->format) == 0;
}
