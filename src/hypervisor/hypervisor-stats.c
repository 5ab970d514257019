/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor-stats.h"

#include "hypervisor-private.h"
#include "utf8.h"

static const struct {
    const char *name;
    StatsGroups group;
    unsigned libvirt_group;
} groups_table[] = {
    {"state", STATS_STATE, VIR_DOMAIN_STATS_STATE},
    {"cpu", STATS_CPU, VIR_DOMAIN_STATS_CPU_TOTAL},
    {"balloon", STATS_BALLOON, VIR_DOMAIN_STATS_BALLOON},
    {"vcpu", STATS_VCPU, VIR_DOMAIN_STATS_VCPU},
    {"interface", STATS_INTERFACE, VIR_DOMAIN_STATS_INTERFACE},
    {"block", STATS_BLOCK, VIR_DOMAIN_STATS_BLOCK},
    {"perf", STATS_PERF, VIR_DOMAIN_STATS_PERF},
};

StatsGroups
hypervisor_stats_group(const char *name)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(groups_table); i++)
        if (g_str_equal(groups_table[i].name, name))
            return groups_table[i].group;
    return 0;
}

static unsigned
libvirt_groups(StatsGroups groups)
{
    unsigned mask = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(groups_table); i++)
        if (groups & groups_table[i].group)
            mask |= groups_table[i].libvirt_group;
    return mask;
}

static void
clear_field(gpointer data)
{
    StatsField *field = data;

    g_free(field->name);
    if (field->type == 's')
        g_free(field->s);
}

static void
free_record(gpointer data)
{
    StatsRecord *record = data;

    g_array_unref(record->fields);
    g_free(record);
}

static bool
convert_value(const virTypedParameter *param, StatsField *field)
{
    switch (param->type) {
    case VIR_TYPED_PARAM_INT:
        field->type = 'i';
        field->i = param->value.i;
        return true;
    case VIR_TYPED_PARAM_UINT:
        field->type = 'u';
        field->u = param->value.ui;
        return true;
    case VIR_TYPED_PARAM_LLONG:
        field->type = 'x';
        field->x = param->value.l;
        return true;
    case VIR_TYPED_PARAM_ULLONG:
        field->type = 't';
        field->t = param->value.ul;
        return true;
    case VIR_TYPED_PARAM_DOUBLE:
        field->type = 'd';
        field->d = param->value.d;
        return true;
    case VIR_TYPED_PARAM_BOOLEAN:
        field->type = 'b';
        field->b = param->value.b != 0;
        return true;
    case VIR_TYPED_PARAM_STRING:
        field->type = 's';
        field->s = utf8_for_bus(param->value.s); /* the path of a file may be any bytes */
        return true;
    default:
        return false;
    }
}

static StatsRecord *
convert_record(const virDomainStatsRecord *from)
{
    StatsRecord *record = g_new0(StatsRecord, 1);

    hypervisor_uuid(from->dom, record->uuid);
    record->fields = g_array_sized_new(FALSE, FALSE, sizeof(StatsField), (guint)from->nparams);
    g_array_set_clear_func(record->fields, clear_field);
    for (int i = 0; i < from->nparams; i++) {
        StatsField field = {0};

        if (!convert_value(&from->params[i], &field))
            continue;
        field.name = g_strdup(from->params[i].field);
        g_array_append_val(record->fields, field);
    }
    return record;
}

GPtrArray *
hypervisor_stats(Hypervisor *h, StatsGroups groups, Error **error)
{
    virDomainStatsRecordPtr *records = NULL;
    int n = virConnectGetAllDomainStats(h->conn, libvirt_groups(groups), &records,
                                        VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT);

    if (n < 0) {
        hypervisor_fail(error);
        return NULL;
    }
    GPtrArray *converted = g_ptr_array_new_full((guint)n, free_record);
    for (int i = 0; i < n; i++)
        g_ptr_array_add(converted, convert_record(records[i]));
    virDomainStatsRecordListFree(records);
    return converted;
}
