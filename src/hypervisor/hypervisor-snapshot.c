/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor-snapshot.h"

#include "clock.h"
#include "disk-chain.h"
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

/* A snapshot as a row of its own, so that they can be sorted. */
typedef struct {
    uint64_t created;
    char *name;
    RowBuilder row;
} Info;

static void
free_info(gpointer data)
{
    Info *info = data;

    g_free(info->name);
    row_builder_clear(&info->row);
    g_free(info);
}

static gint
compare_infos(gconstpointer a, gconstpointer b)
{
    const Info *x = *(Info *const *)a;
    const Info *y = *(Info *const *)b;

    if (x->created != y->created)
        return x->created < y->created ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* NULL without an error: the snapshot was deleted meanwhile. */
static Info *
read_info(virDomainSnapshotPtr snapshot, const char *current, Error **error)
{
    g_autofree char *xml = virDomainSnapshotGetXMLDesc(snapshot, 0);

    if (!xml && hypervisor_failed_with(VIR_ERR_NO_DOMAIN_SNAPSHOT))
        return NULL;
    if (!xml) {
        hypervisor_fail(error);
        return NULL;
    }

    Info *info = g_new0(Info, 1);
    info->name = utf8_for_bus(virDomainSnapshotGetName(snapshot));
    row_builder_begin(&info->row);
    row_builder_text(&info->row, ROW_NAME, info->name);
    row_builder_number(&info->row, ROW_CURRENT, g_strcmp0(info->name, current) == 0);
    snapshot_xml_read(xml, &info->created, &info->row);
    row_builder_end(&info->row);
    return info;
}

static GPtrArray *
read_infos(virDomainSnapshotPtr *snapshots, int n, const char *current, Error **error)
{
    g_autoptr(GPtrArray) infos = g_ptr_array_new_full((guint)n, free_info);

    for (int i = 0; i < n; i++) {
        g_autoptr(Error) problem = NULL;
        Info *info = read_info(snapshots[i], current, &problem);

        if (problem) {
            *error = g_steal_pointer(&problem);
            return NULL;
        }
        if (info)
            g_ptr_array_add(infos, info);
    }
    g_ptr_array_sort(infos, compare_infos);
    return g_steal_pointer(&infos);
}

static GBytes *
rows_of_infos(const GPtrArray *infos)
{
    g_auto(RowBuilder) rows = {0};

    for (unsigned i = 0; i < infos->len; i++) {
        Rows one = row_builder_rows(&((const Info *)infos->pdata[i])->row);
        Row row;
        RowField field;

        row_builder_begin(&rows);
        if (rows_take(&one, &row))
            while (row_take(&row, &field))
                row_builder_field(&rows, &field);
        row_builder_end(&rows);
    }
    return row_builder_take(&rows);
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

/* Oldest first. */
static GPtrArray *
read_all(virDomainPtr dom, Error **error)
{
    g_autofree char *current = NULL;
    virDomainSnapshotPtr *snapshots = NULL;

    if (!read_current(dom, &current, error))
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

bool
hypervisor_list_snapshots(Hypervisor *h, const char *uuid, GBytes **ret, Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);
    g_autoptr(GPtrArray) infos = dom ? read_all(dom, error) : NULL;

    if (infos)
        *ret = rows_of_infos(infos);
    return infos != NULL;
}

char *
hypervisor_newest_snapshot(virDomainPtr dom)
{
    g_autoptr(Error) ignored = NULL;
    g_autoptr(GPtrArray) infos = read_all(dom, &ignored);

    if (!infos || infos->len == 0)
        return NULL;
    return g_strdup(((const Info *)infos->pdata[infos->len - 1])->name);
}

char *
hypervisor_get_snapshot_xml(Hypervisor *h, const char *uuid, const char *name, Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);
    g_auto(VirSnapshot) snapshot = dom ? find_snapshot(dom, name, error) : NULL;
    /* Secrets are left out: reading them needs a permission of its own. */
    g_autofree char *xml = snapshot ? virDomainSnapshotGetXMLDesc(snapshot, 0) : NULL;

    if (snapshot && !xml)
        hypervisor_fail(error);
    return xml ? utf8_for_bus(xml) : NULL;
}

/* --- changes ------------------------------------------------------------------------------ */

/* A disk that is not there would be left out without a word. */
static bool
check_wanted_disks(char *const *wanted, char *const *targets, Error **error)
{
    for (; *wanted; wanted++) {
        if (g_strv_contains((const char *const *)targets, *wanted))
            continue;
        *error =
            error_new(ERROR_OPERATION_FAILED,
                      "The domain has no disk \"%s\" of which a snapshot can be made", *wanted);
        return false;
    }
    return true;
}

/* The targets of the disks that are not to be part of it; NULL where all are. */
static bool
read_skipped_disks(virDomainPtr dom, char *const *wanted, char ***ret, Error **error)
{
    if (!wanted)
        return true;

    g_autofree char *xml = hypervisor_read_xml(dom, 0, error);
    if (!xml)
        return false;

    g_auto(GStrv) targets = disk_chain_targets(xml);
    g_autoptr(GPtrArray) skipped = g_ptr_array_new();
    if (!check_wanted_disks(wanted, targets, error))
        return false;
    for (char **target = targets; *target; target++)
        if (!g_strv_contains((const char *const *)wanted, *target))
            g_ptr_array_add(skipped, *target);
    g_ptr_array_add(skipped, NULL);
    *ret = g_strdupv((char **)skipped->pdata);
    return true;
}

/* A name that is new makes its existence the proof that a call that was lost was carried out. */
static bool
check_new(virDomainPtr dom, const char *name, Error **error)
{
    bool exists = false;

    if (!hypervisor_has_snapshot(dom, name, &exists, error))
        return false;
    if (exists)
        *error =
            error_new(ERROR_OPERATION_FAILED, "The domain already has a snapshot \"%s\"", name);
    return !exists;
}

bool
hypervisor_create_snapshot(Hypervisor *h, virDomainPtr dom, const OperationPayload *payload,
                           Error **error)
{
    unsigned flags =
        (payload->flags & PAYLOAD_DISK_ONLY ? VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY : 0U) |
        (payload->flags & PAYLOAD_QUIESCE ? VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE : 0U);
    g_auto(GStrv) skipped = NULL;

    if (!check_new(dom, payload->name, error) ||
        !read_skipped_disks(dom, payload->disks, &skipped, error) ||
        !hypervisor_pass_gate(h, error))
        return false;

    const SnapshotSpec spec = {
        .name = payload->name,
        .description = payload->description,
        .memory_file = payload->memory_file,
        .skipped_disks = (const char *const *)skipped,
    };
    g_autofree char *xml = snapshot_xml_new(&spec);
    uint64_t begun = clock_now_usec();
    g_auto(VirSnapshot) snapshot = virDomainSnapshotCreateXML(dom, xml, flags);
    return snapshot || hypervisor_agent_fail(dom, begun, error);
}

bool
hypervisor_revert_snapshot(Hypervisor *h, virDomainPtr dom, const OperationPayload *payload,
                           Error **error)
{
    g_auto(VirSnapshot) snapshot = find_snapshot(dom, payload->name, error);
    unsigned flags = (payload->flags & PAYLOAD_RUNNING ? VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING : 0) |
                     (payload->flags & PAYLOAD_PAUSED ? VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED : 0) |
                     (payload->flags & PAYLOAD_FORCE ? VIR_DOMAIN_SNAPSHOT_REVERT_FORCE : 0);

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
