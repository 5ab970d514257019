/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vmsctl metrics: the state and the figures of all VMs as OpenMetrics text. It is whole, and says
 * what is known, whatever is not available.
 */
#include "command.h"
#include "describe.h"
#include "openmetrics.h"
#include "rows.h"

#include <math.h>
#include <stdio.h>

typedef struct Vm {
    const Inventory *inventory;
    const char *path;
    const char *name;
    const char *uuid;
    GVariantDict *stats; /* by libvirt's names; NULL: there are none, or it is off */
} Vm;

typedef struct Family Family;
struct Family {
    Metric metric;
    void (*add)(GString *out, const Family *family, const Vm *vm);
    const char
        *source;       /* a property, or the name of a figure; of a device, without its beginning */
    const char *group; /* of the devices */
};

#define LABELS(vm, ...)                                                                            \
    ((const char *const[]){"vm", (vm)->name, "uuid", (vm)->uuid, ##__VA_ARGS__, NULL})

static double
figure(const Vm *vm, const char *name)
{
    g_autoptr(GVariant) value =
        vm->stats ? g_variant_dict_lookup_value(vm->stats, name, NULL) : NULL;

    switch (value ? g_variant_classify(value) : G_VARIANT_CLASS_MAYBE) {
    case G_VARIANT_CLASS_UINT64:
        return (double)g_variant_get_uint64(value);
    case G_VARIANT_CLASS_INT64:
        return (double)g_variant_get_int64(value);
    case G_VARIANT_CLASS_UINT32:
        return g_variant_get_uint32(value);
    case G_VARIANT_CLASS_INT32:
        return g_variant_get_int32(value);
    default:
        return NAN;
    }
}

/* --- samples ------------------------------------------------------------------------------ */

static void
add_state(GString *out, const Family *family, const Vm *vm)
{
    const char *state = inventory_string(vm->inventory, vm->path, VMS_DOMAIN_INTERFACE, "State");

    openmetrics_sample(out, &family->metric, LABELS(vm, "state", state ? state : "nostate"), 1);
}

static void
add_flag(GString *out, const Family *family, const Vm *vm)
{
    bool is_set = inventory_bool(vm->inventory, vm->path, VMS_DOMAIN_INTERFACE, family->source);

    openmetrics_sample(out, &family->metric, LABELS(vm), is_set);
}

static void
add_problems(GString *out, const Family *family, const Vm *vm)
{
    GVariant *rows = describe_problem_rows(vm->inventory, vm->path);

    for (gsize i = 0; rows && i < g_variant_n_children(rows); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);

        openmetrics_sample(out, &family->metric,
                           LABELS(vm, "kind", row_text(row, "kind", "unknown"), "device",
                                  row_text(row, "device", "")),
                           1);
    }
}

static void
add_start_time(GString *out, const Family *family, const Vm *vm)
{
    guint64 usec = inventory_u64(vm->inventory, vm->path, VMS_DOMAIN_INTERFACE, family->source);

    if (usec > 0)
        openmetrics_sample(out, &family->metric, LABELS(vm), (double)usec / 1e6);
}

static void
add_config(GString *out, const Family *family, const Vm *vm)
{
    if (inventory_get(vm->inventory, vm->path, VMS_CONFIG_INTERFACE, family->source))
        openmetrics_sample(
            out, &family->metric, LABELS(vm),
            (double)inventory_u64(vm->inventory, vm->path, VMS_CONFIG_INTERFACE, family->source));
}

static void
add_kib(GString *out, const Family *family, const Vm *vm)
{
    double kib = figure(vm, family->source);

    if (!isnan(kib))
        openmetrics_sample(out, &family->metric, LABELS(vm), kib * 1024);
}

static void
add_nsec(GString *out, const Family *family, const Vm *vm)
{
    double nsec = figure(vm, family->source);

    if (!isnan(nsec))
        openmetrics_sample(out, &family->metric, LABELS(vm), nsec / 1e9);
}

/* As the signal Usage has it. */
static void
add_memory_used(GString *out, const Family *family, const Vm *vm)
{
    double kib = figure(vm, "balloon.available") - figure(vm, "balloon.unused");

    if (kib >= 0)
        openmetrics_sample(out, &family->metric, LABELS(vm), kib * 1024);
}

/* The name of the device on the host, else its place. */
static char *
device_name(const Vm *vm, const char *group, unsigned place)
{
    g_autofree char *key = g_strdup_printf("%s.%u.name", group, place);
    char *name;

    return g_variant_dict_lookup(vm->stats, key, "s", &name) ? name : g_strdup_printf("%u", place);
}

static void
add_devices(GString *out, const Family *family, const Vm *vm)
{
    g_autofree char *count_key = g_strconcat(family->group, ".count", NULL);
    double count = figure(vm, count_key);

    for (unsigned i = 0; i < count; i++) {
        g_autofree char *key = g_strdup_printf("%s.%u.%s", family->group, i, family->source);
        g_autofree char *device = device_name(vm, family->group, i);
        double value = figure(vm, key);

        if (!isnan(value))
            openmetrics_sample(out, &family->metric, LABELS(vm, "device", device), value);
    }
}

/* --- families ----------------------------------------------------------------------------- */

#define PREFIX "unraid_vms_"

static const Metric available = {PREFIX "available", METRIC_GAUGE, NULL,
                                 "Whether the hypervisor, and the service, answer"};
static const Metric info = {PREFIX "info", METRIC_GAUGE, NULL,
                            "Versions of the service and the hypervisor"};

#define DEVICES(name, unit, help, source, group)                                                   \
    {                                                                                              \
        {PREFIX "domain_" name, METRIC_COUNTER, unit, help}, add_devices, source, group            \
    }

static const Family families[] = {
    {{PREFIX "domain_state", METRIC_GAUGE, NULL, "1 for the state that the VM is in"},
     add_state,
     NULL,
     NULL},
    {{PREFIX "domain_available", METRIC_GAUGE, NULL,
      "Whether the hypervisor answers for the VM; else what is said of it is the last known"},
     add_flag,
     "Available",
     NULL},
    {{PREFIX "domain_autostart", METRIC_GAUGE, NULL, "Whether the VM starts with the host"},
     add_flag,
     "Autostart",
     NULL},
    {{PREFIX "domain_problem", METRIC_GAUGE, NULL,
      "1 for each problem that the VM has; unresponsive: the hypervisor hangs for it"},
     add_problems,
     NULL,
     NULL},
    {{PREFIX "domain_start_time_seconds", METRIC_GAUGE, "seconds",
      "When the VM began to run, since the epoch"},
     add_start_time,
     "StartedAt",
     NULL},
    {{PREFIX "domain_vcpus", METRIC_GAUGE, NULL, "Virtual processors"}, add_config, "VCpus", NULL},
    {{PREFIX "domain_memory_bytes", METRIC_GAUGE, "bytes", "Memory that the VM has been given"},
     add_config,
     "MemoryBytes",
     NULL},
    {{PREFIX "domain_memory_used_bytes", METRIC_GAUGE, "bytes", "Memory that the guest uses"},
     add_memory_used,
     NULL,
     NULL},
    {{PREFIX "domain_memory_rss_bytes", METRIC_GAUGE, "bytes",
      "Memory of the host that the VM's process has"},
     add_kib,
     "balloon.rss",
     NULL},
    {{PREFIX "domain_cpu_seconds", METRIC_COUNTER, "seconds", "Processor time, of the host"},
     add_nsec,
     "cpu.time",
     NULL},
    DEVICES("disk_read_bytes", "bytes", "Bytes read from the disk", "rd.bytes", "block"),
    DEVICES("disk_written_bytes", "bytes", "Bytes written to the disk", "wr.bytes", "block"),
    DEVICES("disk_reads", NULL, "Requests to read from the disk", "rd.reqs", "block"),
    DEVICES("disk_writes", NULL, "Requests to write to the disk", "wr.reqs", "block"),
    DEVICES("network_received_bytes", "bytes", "Bytes received by the guest", "rx.bytes", "net"),
    DEVICES("network_sent_bytes", "bytes", "Bytes sent by the guest", "tx.bytes", "net"),
    DEVICES("network_received_packets", "packets", "Packets received by the guest", "rx.pkts",
            "net"),
    DEVICES("network_sent_packets", "packets", "Packets sent by the guest", "tx.pkts", "net"),
};

static void
add_manager(GString *out, GVariant *manager)
{
    static const char *const words[][2] = {{"version", "Version"},
                                           {"host", "Hostname"},
                                           {"hypervisor", "HypervisorType"},
                                           {"hypervisor_version", "HypervisorVersion"},
                                           {"libvirt_version", "LibvirtVersion"}};
    const char *labels[2 * G_N_ELEMENTS(words) + 1] = {NULL};
    gboolean is_available = FALSE;

    if (manager)
        (void)g_variant_lookup(manager, "Available", "b", &is_available);
    openmetrics_begin(out, &available);
    openmetrics_sample(out, &available, labels, is_available);
    if (!manager)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        labels[2 * i] = words[i][0];
        labels[2 * i + 1] = row_text(manager, words[i][1], "");
    }
    openmetrics_begin(out, &info);
    openmetrics_sample(out, &info, labels, 1);
}

/* --- the VMs ------------------------------------------------------------------------------ */

/* path → GVariantDict, of the VMs that are active: of one that is off libvirt may have figures of
 * its last run. ALL is a{oa{sv}}, or NULL. */
static GHashTable *
index_stats(const Inventory *inventory, GVariant *all)
{
    GHashTable *by_path = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                                (GDestroyNotify)g_variant_dict_unref);
    GVariantIter iter;
    const char *path;
    GVariant *figures;

    if (!all)
        return by_path;
    g_variant_iter_init(&iter, all);
    while (g_variant_iter_next(&iter, "{&o@a{sv}}", &path, &figures)) {
        if (inventory_vm_id(inventory, path) >= 0)
            g_hash_table_insert(by_path, g_strdup(path), g_variant_dict_new(figures));
        g_variant_unref(figures);
    }
    return by_path;
}

static void
add_vms(GString *out, const Inventory *inventory, GVariant *all_stats)
{
    g_autoptr(GHashTable) by_path = index_stats(inventory, all_stats);
    g_autoptr(GPtrArray) paths = inventory_paths(inventory, VMS_DOMAIN_PREFIX);

    for (size_t i = 0; i < G_N_ELEMENTS(families); i++) {
        openmetrics_begin(out, &families[i].metric);
        for (unsigned j = 0; j < paths->len; j++) {
            const char *path = paths->pdata[j];
            const char *uuid = inventory_string(inventory, path, VMS_DOMAIN_INTERFACE, "Uuid");
            const Vm vm = {inventory, path, inventory_vm_name(inventory, path), uuid,
                           g_hash_table_lookup(by_path, path)};

            if (uuid)
                families[i].add(out, &families[i], &vm);
        }
    }
}

/* --- the command -------------------------------------------------------------------------- */

static GVariant *
get_stats(Client *client, GError **error)
{
    static const char *const groups[] = {"cpu", "balloon", "interface", "block", NULL};
    g_autoptr(GVariant) reply =
        client_read(client, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "GetStats",
                    g_variant_new("(^asa{sv})", groups, NULL), error);

    if (!reply)
        return NULL;
    if (!g_variant_is_of_type(reply, G_VARIANT_TYPE("(a{oa{sv}})"))) {
        failure_set(error, EXIT_FAILED, "The reply has an unknown format");
        return NULL;
    }
    return g_variant_get_child_value(reply, 0);
}

/* Adds as much as can be read; an error tells what could not. */
static void
add_all(GString *out, Client *client, GError **error)
{
    g_autoptr(Inventory) inventory = inventory_new();
    g_autoptr(GVariant) manager =
        client_get_all(client, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, error);
    gboolean is_available = FALSE;

    add_manager(out, manager);
    if (!manager || !inventory_load(inventory, client, error))
        return;
    (void)g_variant_lookup(manager, "Available", "b", &is_available);
    g_autoptr(GVariant) stats = is_available ? get_stats(client, error) : NULL;
    add_vms(out, inventory, stats);
}

static ExitStatus
run(Client *client, const Command *command, char **unused)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GError) error = NULL;

    if (client->options->json) {
        failure_set(&error, EXIT_USAGE, "Metrics are OpenMetrics text, and never JSON");
        return failure_report(NULL, error);
    }
    add_all(out, client, &error);
    openmetrics_end(out);
    (void)fputs(out->str, stdout);
    return error ? failure_report(NULL, error) : EXIT_OK;
}

const Command command_metrics = {.run = run};
