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
    {"iothread", STATS_IOTHREAD, VIR_DOMAIN_STATS_IOTHREAD},
    {"memory", STATS_MEMORY, VIR_DOMAIN_STATS_MEMORY},
#if LIBVIR_CHECK_VERSION(7, 2, 0)
    {"dirtyrate", STATS_DIRTYRATE, VIR_DOMAIN_STATS_DIRTYRATE},
#endif
#if LIBVIR_CHECK_VERSION(8, 9, 0)
    {"vm", STATS_VM, VIR_DOMAIN_STATS_VM},
#endif
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

void
stats_record_free(StatsRecord *record)
{
    if (!record)
        return;
    g_array_unref(record->fields);
    g_free(record);
}

void
stats_record_copy_fields(StatsRecord *record, const StatsRecord *from)
{
    for (unsigned i = 0; i < from->fields->len; i++) {
        StatsField field = g_array_index(from->fields, StatsField, i);

        field.name = g_strdup(field.name);
        if (field.type == 's')
            field.s = g_strdup(field.s);
        g_array_append_val(record->fields, field);
    }
}

static StatsRecord *
record_new(const char *uuid)
{
    StatsRecord *record = g_new0(StatsRecord, 1);

    g_strlcpy(record->uuid, uuid, sizeof record->uuid);
    record->fields = g_array_new(FALSE, FALSE, sizeof(StatsField));
    g_array_set_clear_func(record->fields, clear_field);
    return record;
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

static void
add_field(StatsRecord *record, const char *name, const virTypedParameter *param)
{
    StatsField field = {0};

    if (!convert_value(param, &field))
        return;
    field.name = g_strdup(name);
    g_array_append_val(record->fields, field);
}

/* --- many domains ------------------------------------------------------------------------- */

/* All that was asked; uuid -> its record, which belongs to `records`. */
typedef struct {
    GPtrArray *records;
    GHashTable *index;
} Answer;

static void
free_record(gpointer record)
{
    stats_record_free(record);
}

static Answer
answer_new(void)
{
    return (Answer){
        .records = g_ptr_array_new_with_free_func(free_record),
        .index = g_hash_table_new(g_str_hash, g_str_equal),
    };
}

/* The records where all was answered, else NULL. */
static GPtrArray *
answer_end(Answer *answer, bool answered)
{
    g_hash_table_unref(answer->index);
    if (answered)
        return answer->records;
    g_ptr_array_unref(answer->records);
    return NULL;
}

static void
take_records(Answer *answer, virDomainStatsRecordPtr *from)
{
    for (int i = 0; from[i]; i++) {
        char uuid[VIR_UUID_STRING_BUFLEN];

        hypervisor_uuid(from[i]->dom, uuid);
        StatsRecord *record = g_hash_table_lookup(answer->index, uuid);
        if (!record) {
            record = record_new(uuid);
            g_ptr_array_add(answer->records, record);
            g_hash_table_insert(answer->index, record->uuid, record);
        }
        for (int j = 0; j < from[i]->nparams; j++)
            add_field(record, from[i]->params[j].field, &from[i]->params[j]);
    }
}

/* NULL-terminated. */
static bool
ask_list(Hypervisor *h, virDomainPtr *doms, unsigned groups, Answer *answer, Error **error)
{
    unsigned active =
        groups & VIR_DOMAIN_STATS_BLOCK ? VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE : 0U;
    virDomainStatsRecordPtr *found = NULL;

    if (!*doms)
        return true;
    if (virDomainListGetStats(doms, groups, &found,
                              active | VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT) < 0)
        return hypervisor_fail(error);
    take_records(answer, found);
    virDomainStatsRecordListFree(found);
    return true;
}

/* Of the domains that were found and are in the set: their handles need no look-up. */
static bool
ask_blocks(Hypervisor *h, virDomainStatsRecordPtr *found, GHashTable *block_of, Answer *answer,
           Error **error)
{
    g_autoptr(GPtrArray) doms = g_ptr_array_new();

    for (; *found; found++) {
        char uuid[VIR_UUID_STRING_BUFLEN];

        hypervisor_uuid((*found)->dom, uuid);
        if (g_hash_table_contains(block_of, uuid))
            g_ptr_array_add(doms, (*found)->dom);
    }
    g_ptr_array_add(doms, NULL);
    return ask_list(h, (virDomainPtr *)doms->pdata, VIR_DOMAIN_STATS_BLOCK, answer, error);
}

/* libvirt takes 0 for all groups; "perf" is empty for a domain that is off. */
static unsigned
some_groups(unsigned groups)
{
    return groups ? groups : VIR_DOMAIN_STATS_PERF;
}

GPtrArray *
hypervisor_all_stats(Hypervisor *h, StatsGroups wanted, GHashTable *block_of, Error **error)
{
    unsigned groups = libvirt_groups(wanted & ~(unsigned)STATS_BLOCK);
    virDomainStatsRecordPtr *found = NULL;

    if (virConnectGetAllDomainStats(h->conn, some_groups(groups), &found,
                                    VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT) < 0) {
        hypervisor_fail(error);
        return NULL;
    }
    Answer answer = answer_new();
    take_records(&answer, found);
    bool answered = !(wanted & STATS_BLOCK) || ask_blocks(h, found, block_of, &answer, error);
    virDomainStatsRecordListFree(found);
    return answer_end(&answer, answered);
}

GPtrArray *
hypervisor_stats(Hypervisor *h, const char *const *uuids, StatsGroups wanted, Error **error)
{
    g_autoptr(GPtrArray) doms = hypervisor_domains(h, uuids, error);

    if (!doms)
        return NULL;
    Answer answer = answer_new();
    return answer_end(&answer, ask_list(h, (virDomainPtr *)doms->pdata,
                                        some_groups(libvirt_groups(wanted)), &answer, error));
}

/* --- the disks of one domain -------------------------------------------------------------- */

/* The names that libvirt gives the same figures in its two calls. */
static const struct {
    const char *param;
    const char *field;
} block_fields[] = {
    {VIR_DOMAIN_BLOCK_STATS_READ_REQ, "rd.reqs"},
    {VIR_DOMAIN_BLOCK_STATS_READ_BYTES, "rd.bytes"},
    {VIR_DOMAIN_BLOCK_STATS_READ_TOTAL_TIMES, "rd.times"},
    {VIR_DOMAIN_BLOCK_STATS_WRITE_REQ, "wr.reqs"},
    {VIR_DOMAIN_BLOCK_STATS_WRITE_BYTES, "wr.bytes"},
    {VIR_DOMAIN_BLOCK_STATS_WRITE_TOTAL_TIMES, "wr.times"},
    {VIR_DOMAIN_BLOCK_STATS_FLUSH_REQ, "fl.reqs"},
    {VIR_DOMAIN_BLOCK_STATS_FLUSH_TOTAL_TIMES, "fl.times"},
    {VIR_DOMAIN_BLOCK_STATS_ERRS, "errors"},
};

/* libvirt's protocol allows no more. */
#define BLOCK_PARAMS_MAX 16

/* The figures of one disk, or of all for ""; how many there are, or -1. */
static int
read_block_params(virDomainPtr dom, const char *target, virTypedParameter *params)
{
    int n = BLOCK_PARAMS_MAX;

    return virDomainBlockStatsFlags(dom, target, params, &n, 0) < 0 ? -1 : n;
}

static void
add_block_field(StatsRecord *record, unsigned disk, const virTypedParameter *param)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(block_fields); i++) {
        if (!g_str_equal(param->field, block_fields[i].param))
            continue;
        g_autofree char *name = g_strdup_printf("block.%u.%s", disk, block_fields[i].field);
        virTypedParameter value = *param;

        /* The bulk call has unsigned values. */
        if (value.type == VIR_TYPED_PARAM_LLONG) {
            value.type = VIR_TYPED_PARAM_ULLONG;
            value.value.ul = (unsigned long long)MAX(param->value.l, 0);
        }
        add_field(record, name, &value);
    }
}

static void
add_disk(StatsRecord *record, unsigned disk, const char *target, const virTypedParameter *params,
         int n)
{
    g_autofree char *key = g_strdup_printf("block.%u.name", disk);
    const virTypedParameter name = {.type = VIR_TYPED_PARAM_STRING, .value.s = (char *)target};

    add_field(record, key, &name);
    for (int i = 0; i < n; i++)
        add_block_field(record, disk, &params[i]);
}

StatsRecord *
hypervisor_block_stats(Hypervisor *h, const char *uuid, const char *const *targets, Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);
    StatsRecord *record = dom ? record_new(uuid) : NULL;
    virTypedParameter params[BLOCK_PARAMS_MAX];
    unsigned n_disks = 0;

    for (; record && targets[n_disks]; n_disks++) {
        const char *target = targets[n_disks];
        int n = read_block_params(dom, target, params);

        if (n < 0 && !hypervisor_is_alive(h)) {
            hypervisor_fail(error);
            stats_record_free(record);
            return NULL;
        }
        add_disk(record, n_disks, target, params, n);
    }
    virTypedParameter count = {.type = VIR_TYPED_PARAM_UINT, .value.ui = n_disks};
    if (record)
        add_field(record, "block.count", &count);
    return record;
}

bool
hypervisor_block_totals(Hypervisor *h, const char *uuid, uint64_t *ret_read, uint64_t *ret_written,
                        Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);
    virTypedParameter params[BLOCK_PARAMS_MAX];
    int n = dom ? read_block_params(dom, "", params) : -1;
    long long read = 0;
    long long written = 0;

    if (dom && n < 0)
        hypervisor_fail(error);
    if (n < 0)
        return false;
    virTypedParamsGetLLong(params, n, VIR_DOMAIN_BLOCK_STATS_READ_BYTES, &read);
    virTypedParamsGetLLong(params, n, VIR_DOMAIN_BLOCK_STATS_WRITE_BYTES, &written);
    *ret_read = (uint64_t)MAX(read, 0);
    *ret_written = (uint64_t)MAX(written, 0);
    return true;
}
