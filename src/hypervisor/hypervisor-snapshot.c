/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor-snapshot.h"

#include "hypervisor-private.h"
#include "snapshot-xml.h"
#include "utf8.h"

#include <string.h>

typedef virDomainSnapshotPtr VirSnapshot;
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(VirSnapshot, virDomainSnapshotFree, NULL)

static virDomainSnapshotPtr
find_snapshot(virDomainPtr dom, const char *name, Error **error)
{
    virDomainSnapshotPtr snapshot = virDomainSnapshotLookupByName(dom, name, 0);

    if (!snapshot)
        hypervisor_fail(error);
    return snapshot;
}

bool
hypervisor_has_snapshot(virDomainPtr dom, const char *name, bool *ret, Error **error)
{
    g_auto(VirSnapshot) snapshot = virDomainSnapshotLookupByName(dom, name, 0);

    *ret = snapshot != NULL;
    return snapshot || hypervisor_failed_with(VIR_ERR_NO_DOMAIN_SNAPSHOT) || hypervisor_fail(error);
}

/* --- reading ------------------------------------------------------------------------------ */

static void
free_info(gpointer data)
{
    SnapshotInfo *info = data;

    g_free(info->name);
    g_free(info->state);
    g_free(info);
}

static gint
compare_infos(gconstpointer a, gconstpointer b)
{
    const SnapshotInfo *x = *(SnapshotInfo *const *)a;
    const SnapshotInfo *y = *(SnapshotInfo *const *)b;

    if (x->created != y->created)
        return x->created < y->created ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* NULL: it was deleted meanwhile, which is no error, or `error` is set. */
static SnapshotInfo *
read_info(virDomainSnapshotPtr snapshot, Error **error)
{
    g_autofree char *xml = virDomainSnapshotGetXMLDesc(snapshot, 0);

    if (!xml && hypervisor_failed_with(VIR_ERR_NO_DOMAIN_SNAPSHOT))
        return NULL;
    if (!xml) {
        hypervisor_fail(error);
        return NULL;
    }

    SnapshotInfo *info = g_new0(SnapshotInfo, 1);
    info->name = utf8_for_bus(virDomainSnapshotGetName(snapshot));
    if (!snapshot_xml_read(xml, &info->created, &info->state))
        info->state = g_strdup("");
    return info;
}

static GPtrArray *
read_infos(virDomainSnapshotPtr *snapshots, int n, const char *current, Error **error)
{
    g_autoptr(GPtrArray) infos = g_ptr_array_new_full((guint)n, free_info);

    for (int i = 0; i < n; i++) {
        g_autoptr(Error) problem = NULL;
        SnapshotInfo *info = read_info(snapshots[i], &problem);

        if (problem) {
            *error = g_steal_pointer(&problem);
            return NULL;
        }
        if (!info)
            continue;
        info->current = g_strcmp0(info->name, current) == 0;
        g_ptr_array_add(infos, info);
    }
    g_ptr_array_sort(infos, compare_infos);
    return g_steal_pointer(&infos);
}

/* False where libvirt did not say; `*ret` is NULL where there is no current one. */
static bool
read_current(virDomainPtr dom, char **ret, Error **error)
{
    g_auto(VirSnapshot) current = virDomainSnapshotCurrent(dom, 0);

    if (!current && !hypervisor_failed_with(VIR_ERR_NO_DOMAIN_SNAPSHOT))
        return hypervisor_fail(error);
    *ret = current ? utf8_for_bus(virDomainSnapshotGetName(current)) : NULL;
    return true;
}

GPtrArray *
hypervisor_list_snapshots(Hypervisor *h, const char *uuid, Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);
    g_autofree char *current = NULL;
    virDomainSnapshotPtr *snapshots = NULL;

    if (!dom || !read_current(dom, &current, error))
        return NULL;
    int n = virDomainListAllSnapshots(dom, &snapshots, 0);
    if (n < 0) {
        hypervisor_fail(error);
        return NULL;
    }

    n = hypervisor_count((void **)snapshots);
    GPtrArray *infos = read_infos(snapshots, n, current, error);
    for (int i = 0; i < n; i++)
        virDomainSnapshotFree(snapshots[i]);
    free(snapshots);
    return infos;
}

char *
hypervisor_get_snapshot_xml(Hypervisor *h, const char *uuid, const char *name, Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);
    g_auto(VirSnapshot) snapshot = dom ? find_snapshot(dom, name, error) : NULL;
    /* Without secrets: those of the domain's own XML are a permission of their own. */
    g_autofree char *xml = snapshot ? virDomainSnapshotGetXMLDesc(snapshot, 0) : NULL;

    if (snapshot && !xml)
        hypervisor_fail(error);
    return xml ? utf8_for_bus(xml) : NULL;
}

/* --- changes ------------------------------------------------------------------------------ */

bool
hypervisor_create_snapshot(Hypervisor *h, virDomainPtr dom, const OperationPayload *payload,
                           Error **error)
{
    g_autofree char *xml = snapshot_xml_new(payload->name, payload->description);
    unsigned flags = payload->flags & PAYLOAD_DISK_ONLY ? VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY : 0;
    bool exists = false;

    /* Then its existence tells afterwards whether a call that was lost has been carried out. */
    if (!hypervisor_has_snapshot(dom, payload->name, &exists, error))
        return false;
    if (exists) {
        *error = error_new(ERROR_OPERATION_FAILED, "The domain already has a snapshot \"%s\"",
                           payload->name);
        return false;
    }
    if (!hypervisor_pass_gate(h, error))
        return false;
    g_auto(VirSnapshot) snapshot = virDomainSnapshotCreateXML(dom, xml, flags);
    return snapshot || hypervisor_fail(error);
}

bool
hypervisor_revert_snapshot(Hypervisor *h, virDomainPtr dom, const OperationPayload *payload,
                           Error **error)
{
    g_auto(VirSnapshot) snapshot = find_snapshot(dom, payload->name, error);
    unsigned flags = (payload->flags & PAYLOAD_RUNNING ? VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING : 0) |
                     (payload->flags & PAYLOAD_PAUSED ? VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED : 0);

    if (!snapshot || !hypervisor_pass_gate(h, error))
        return false;
    return virDomainRevertToSnapshot(snapshot, flags) == 0 || hypervisor_fail(error);
}

bool
hypervisor_delete_snapshot(Hypervisor *h, virDomainPtr dom, const OperationPayload *payload,
                           Error **error)
{
    g_auto(VirSnapshot) snapshot = find_snapshot(dom, payload->name, error);
    unsigned flags =
        (payload->flags & PAYLOAD_CHILDREN ? VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN : 0) |
        (payload->flags & PAYLOAD_METADATA_ONLY ? VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY : 0);

    if (!snapshot || !hypervisor_pass_gate(h, error))
        return false;
    return virDomainSnapshotDelete(snapshot, flags) == 0 || hypervisor_fail(error);
}
