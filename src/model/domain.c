/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain.h"

#include <string.h>

static const char *const state_names[_DOMAIN_STATE_MAX] = {
    [DOMAIN_NOSTATE] = "nostate",   [DOMAIN_RUNNING] = "running",
    [DOMAIN_IDLE] = "idle",         [DOMAIN_PAUSED] = "paused",
    [DOMAIN_SHUTDOWN] = "shutdown", [DOMAIN_SHUTOFF] = "shutoff",
    [DOMAIN_CRASHED] = "crashed",   [DOMAIN_PMSUSPENDED] = "pmsuspended",
};

const char *
domain_state_name(DomainState state)
{
    return (unsigned)state < _DOMAIN_STATE_MAX ? state_names[state] : state_names[DOMAIN_NOSTATE];
}

bool
domain_state_is_down(DomainState state)
{
    return state == DOMAIN_SHUTOFF;
}

DomainUpdate *
domain_update_new(const char *uuid)
{
    DomainUpdate *snapshot = g_new0(DomainUpdate, 1);

    g_strlcpy(snapshot->uuid, uuid, sizeof snapshot->uuid);
    snapshot->id = -1;
    return snapshot;
}

void
domain_update_free(DomainUpdate *snapshot)
{
    if (!snapshot)
        return;
    g_free(snapshot->name);
    g_free(snapshot->title);
    g_free(snapshot->description);
    domain_config_clear(&snapshot->config);
    g_free(snapshot);
}

void
domain_update_take_xml(DomainUpdate *to, DomainUpdate *from)
{
    g_free(to->title);
    g_free(to->description);
    to->title = g_steal_pointer(&from->title);
    to->description = g_steal_pointer(&from->description);
    domain_config_apply(&to->config, &from->config);
}

Domain *
domain_new(const char *uuid)
{
    Domain *domain = g_new0(Domain, 1);

    domain->n_ref = 1;
    domain->uuid = g_strdup(uuid);
    domain->name = g_strdup("");
    domain->title = g_strdup("");
    domain->description = g_strdup("");
    domain->state_name = domain_state_name(DOMAIN_NOSTATE);
    domain->reason = "unknown";
    domain->id = -1;
    return domain;
}

Domain *
domain_ref(Domain *domain)
{
    domain->n_ref++;
    return domain;
}

void
domain_unref(Domain *domain)
{
    if (!domain || --domain->n_ref > 0)
        return;
    g_free(domain->uuid);
    g_free(domain->name);
    g_free(domain->title);
    g_free(domain->description);
    domain_config_clear(&domain->config);
    g_free(domain);
}

/* Move *from into *to; returns `bit` if that is another text. */
static uint64_t
take_string(char **to, char **from, uint64_t bit)
{
    const char *text = *from ? *from : "";

    if (g_str_equal(*to, text))
        return 0;
    g_free(*to);
    *to = *from ? g_steal_pointer(from) : g_strdup("");
    return bit;
}

static uint64_t
take_static_string(const char **to, const char *from, uint64_t bit)
{
    if (g_str_equal(*to, from))
        return 0;
    *to = from;
    return bit;
}

static uint64_t
take_int(int *to, int from, uint64_t bit)
{
    if (*to == from)
        return 0;
    *to = from;
    return bit;
}

static uint64_t
apply_state(Domain *domain, DomainUpdate *snapshot)
{
    uint64_t changed = 0;

    changed |= take_string(&domain->name, &snapshot->name, DOMAIN_CHANGED(NAME));
    changed |= take_static_string(&domain->state_name, domain_state_name(snapshot->state),
                                  DOMAIN_CHANGED(STATE));
    changed |= take_static_string(&domain->reason, snapshot->reason ? snapshot->reason : "unknown",
                                  DOMAIN_CHANGED(STATE_REASON));
    changed |= take_int(&domain->id, snapshot->id, DOMAIN_CHANGED(ID));
    domain->state = snapshot->state;
    return changed;
}

static uint64_t
apply_xml(Domain *domain, DomainUpdate *snapshot)
{
    uint64_t changed = 0;

    changed |= take_string(&domain->title, &snapshot->title, DOMAIN_CHANGED(TITLE));
    changed |=
        take_string(&domain->description, &snapshot->description, DOMAIN_CHANGED(DESCRIPTION));
    changed |= domain_config_apply(&domain->config, &snapshot->config);
    return changed;
}

static uint64_t
apply_snapshot_count(Domain *domain, const DomainUpdate *snapshot)
{
    if (domain->snapshot_count == snapshot->snapshot_count)
        return 0;
    domain->snapshot_count = snapshot->snapshot_count;
    return DOMAIN_CHANGED(SNAPSHOT_COUNT);
}

uint64_t
domain_apply(Domain *domain, DomainUpdate *snapshot)
{
    uint64_t changed = 0;

    if (snapshot->known & FACT_STATE)
        changed |= apply_state(domain, snapshot);
    if (snapshot->known & FACT_PERSISTENT)
        changed |= take_int(&domain->persistent, snapshot->persistent, DOMAIN_CHANGED(PERSISTENT));
    if (snapshot->known & FACT_AUTOSTART)
        changed |= take_int(&domain->autostart, snapshot->autostart, DOMAIN_CHANGED(AUTOSTART));
    if (snapshot->known & FACT_MANAGED_SAVE)
        changed |= take_int(&domain->has_managed_save, snapshot->has_managed_save,
                            DOMAIN_CHANGED(HAS_MANAGED_SAVE));
    if (snapshot->known & FACT_SNAPSHOTS)
        changed |= apply_snapshot_count(domain, snapshot);
    if (snapshot->known & FACT_XML)
        changed |= apply_xml(domain, snapshot);
    domain->known |= snapshot->known;
    domain->unsignaled |= changed;
    return changed;
}

DomainFacts
domain_compare(const Domain *domain, const DomainUpdate *snapshot)
{
    DomainFacts differ = 0;

    if (domain->state != snapshot->state || domain->id != snapshot->id ||
        g_strcmp0(domain->reason, snapshot->reason) != 0 ||
        g_strcmp0(domain->name, snapshot->name) != 0)
        differ |= FACT_STATE;
    if (domain->persistent != snapshot->persistent)
        differ |= FACT_PERSISTENT;
    if (domain->autostart != snapshot->autostart)
        differ |= FACT_AUTOSTART;
    if (domain->has_managed_save != snapshot->has_managed_save)
        differ |= FACT_MANAGED_SAVE;
    if (domain->snapshot_count != snapshot->snapshot_count)
        differ |= FACT_SNAPSHOTS;
    differ &= snapshot->known;
    if (snapshot->has_snapshots && domain->snapshot_count == 0)
        differ |= FACT_SNAPSHOTS;
    return differ;
}

void
domain_set_available(Domain *domain, bool available)
{
    domain->unsignaled |= take_int(&domain->available, available, DOMAIN_CHANGED(AVAILABLE));
}

void
domain_set_job(Domain *domain, uint64_t number)
{
    if (domain->job == number)
        return;
    domain->job = number;
    domain->unsignaled |= DOMAIN_CHANGED(JOB);
}

bool
domain_uuid_parse(const char *text, char uuid[static UUID_LENGTH + 1])
{
    unsigned n = 0; /* of uuid */
    unsigned digits = 0;

    while (g_ascii_isspace(*text))
        text++;
    for (; digits < 32 && *text; text++) {
        /* Between two bytes, but not within one. */
        if (*text == '-' && digits % 2 == 0)
            continue;
        if (!g_ascii_isxdigit(*text))
            return false;
        if (digits == 8 || digits == 12 || digits == 16 || digits == 20)
            uuid[n++] = '-';
        uuid[n++] = g_ascii_tolower(*text);
        digits++;
    }
    uuid[n] = '\0';
    while (g_ascii_isspace(*text))
        text++;
    return digits == 32 && *text == '\0';
}
