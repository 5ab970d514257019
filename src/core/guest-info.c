/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest-info.h"

#include "clock.h"
#include "hypervisor-guest.h"
#include "timer.h"
#include "units.h"

#define INTERVAL    (60 * SEC)
#define ACCURACY    (5 * SEC)
/* The delay before a guest that has just started, or whose agent has just connected, is read. */
#define SOON        (1 * SEC)
/* After its second failure in a row an agent is left out of 1 round, after each further one of
 * twice as many as before, but of no more than this. */
#define SKIPPED_MAX 16

struct GuestInfo {
    LanePool *lane_pool;
    Cache *cache;
    Timer *timer;
    uint64_t armed;      /* for this time */
    uint64_t next_round; /* when all are read */
    bool connected;
    GHashTable *guests; /* uuid -> Known, of domains that run */
    Call *leases;       /* the call under way, or NULL */
};

/* Knowledge about one run of a domain. */
typedef struct {
    int run; /* the domain's id */
    bool agent_connected;
    bool has_addresses; /* of its agent, the last time that it was asked */
    bool has_os;        /* read since the agent connected, also if it told none */
    unsigned skip;      /* how many rounds are skipped */
    unsigned skip_next; /* how many are after the next failure */
    bool is_new;        /* it, or its agent: not read since */
    uint64_t asked_at;  /* when its agent was asked last; 0: never */
    bool is_asked;      /* the domain, maybe in its last run */
} Known;

typedef struct {
    Call call;
    GuestInfo *info;
    int run;
    GuestFacts wanted;
    GuestUpdate update;
} AgentCall;

typedef struct {
    Call call;
    GuestInfo *info;
    GBytes *rows;
} LeasesCall;

/* --- the agent ---------------------------------------------------------------------------- */

static bool
work_agent(Call *call, Hypervisor *h, Error **error)
{
    AgentCall *asked = (AgentCall *)call;

    return hypervisor_guest_read(h, call->key, asked->wanted, &asked->update, error);
}

static void
free_agent_call(Call *call)
{
    AgentCall *asked = (AgentCall *)call;

    guest_clear(&asked->update.guest);
    g_free(asked);
}

static void
take_failure(Known *known)
{
    known->has_addresses = false;
    known->skip = known->skip_next;
    known->skip_next = MIN(MAX(1, 2 * known->skip_next), SKIPPED_MAX);
}

static void
take_answer(GuestInfo *info, Known *known, AgentCall *asked, Domain *domain)
{
    known->has_addresses = (asked->update.known & GUEST_ADDRESSES) != 0;
    known->skip_next = 0;
    known->has_os |= (asked->update.known & GUEST_OS_INFO) != 0;
    domain_apply_guest(domain, &asked->update);
    cache_changed(info->cache, domain);
}

static void
on_agent_done(Call *call, CallOutcome outcome, const Error *error)
{
    AgentCall *asked = (AgentCall *)call;
    GuestInfo *info = asked->info;
    Known *known = g_hash_table_lookup(info->guests, call->key);
    Domain *domain = cache_find(info->cache, call->key);

    if (known)
        known->is_asked = false;
    if (!known || !domain || known->run != asked->run || domain->id != asked->run)
        return;
    if (outcome == OUTCOME_OK)
        take_answer(info, known, asked, domain);
    else if (outcome == OUTCOME_FAILED)
        take_failure(known);
}

static void
ask_agent(GuestInfo *info, const Domain *domain, Known *known)
{
    if (!known->agent_connected || known->is_asked)
        return;
    if (known->skip > 0) {
        known->skip--;
        return;
    }
    AgentCall *asked = g_new0(AgentCall, 1);

    asked->info = info;
    asked->run = domain->id;
    asked->wanted = GUEST_HOSTNAME | GUEST_ADDRESSES | (known->has_os ? 0U : GUEST_OS_INFO);
    asked->call.class = CALL_GUEST;
    asked->call.name = "virDomainGetGuestInfo";
    g_strlcpy(asked->call.key, domain->uuid, sizeof asked->call.key);
    asked->call.work = work_agent;
    asked->call.done = on_agent_done;
    asked->call.free = free_agent_call;
    known->is_asked = true;
    known->asked_at = clock_now_usec();
    lane_pool_submit(info->lane_pool, &asked->call);
}

/* --- leases ------------------------------------------------------------------------------- */

static bool
work_leases(Call *call, Hypervisor *h, Error **error)
{
    return hypervisor_read_leases(h, &((LeasesCall *)call)->rows, error);
}

static void
free_leases_call(Call *call)
{
    LeasesCall *asked = (LeasesCall *)call;

    g_clear_pointer(&asked->rows, g_bytes_unref);
    g_free(asked);
}

static void
put_lease(RowBuilder *rows, Row nic, Row lease)
{
    row_builder_begin(rows);
    row_builder_text(rows, ROW_INTERFACE, row_text(nic, ROW_TARGET));
    row_builder_text(rows, ROW_MAC, row_text(nic, ROW_MAC));
    row_builder_text(rows, ROW_ADDRESS, row_text(lease, ROW_ADDRESS));
    row_builder_number(rows, ROW_PREFIX, row_number(lease, ROW_PREFIX));
    row_builder_text(rows, ROW_SOURCE, "lease");
    row_builder_end(rows);
}

static GBytes *
addresses_of(const Domain *domain, GBytes *leases)
{
    g_auto(RowBuilder) rows = {0};
    Rows nics = domain_config_rows(&domain->config, HARDWARE_NICS);
    Row nic, lease;

    while (rows_take(&nics, &nic)) {
        Rows left = rows_of_bytes(leases);

        while (rows_take(&left, &lease))
            if (g_ascii_strcasecmp(row_text(nic, ROW_MAC), row_text(lease, ROW_MAC)) == 0)
                put_lease(&rows, nic, lease);
    }
    return row_builder_take(&rows);
}

static bool
needs_leases(const GuestInfo *info, const Domain *domain)
{
    const Known *known = g_hash_table_lookup(info->guests, domain->uuid);

    return known && known->run == domain->id && !(known->agent_connected && known->has_addresses);
}

static void
take_leases(GuestInfo *info, GBytes *leases)
{
    GHashTableIter iter;
    gpointer value;

    cache_iter_init(&iter, info->cache);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Domain *domain = value;

        if (!needs_leases(info, domain))
            continue;
        GuestUpdate update = {
            .known = GUEST_ADDRESSES,
            .guest.addresses = addresses_of(domain, leases),
        };
        domain_apply_guest(domain, &update);
        guest_clear(&update.guest);
        cache_changed(info->cache, domain);
    }
}

static void
on_leases_done(Call *call, CallOutcome outcome, const Error *error)
{
    LeasesCall *asked = (LeasesCall *)call;

    asked->info->leases = NULL;
    if (outcome == OUTCOME_OK)
        take_leases(asked->info, asked->rows);
}

static void
ask_leases(GuestInfo *info)
{
    LeasesCall *asked = g_new0(LeasesCall, 1);

    asked->info = info;
    asked->call.class = CALL_GUEST;
    asked->call.name = "virNetworkGetDHCPLeases";
    asked->call.work = work_leases;
    asked->call.done = on_leases_done;
    asked->call.free = free_leases_call;
    info->leases = &asked->call;
    lane_pool_submit(info->lane_pool, &asked->call);
}

/* --- when --------------------------------------------------------------------------------- */

/* Have the timer come at `when`, or at an earlier time that it is armed for already. */
static void
arm(GuestInfo *info, uint64_t when)
{
    if (when >= info->armed)
        return;
    info->armed = when;
    timer_arm(info->timer, when);
}

/* Between two rounds an agent is asked once, however often it comes and goes. */
static bool
is_due(const Known *known, bool is_round, uint64_t now)
{
    return is_round ||
           (known->is_new && (known->asked_at == 0 || now >= known->asked_at + INTERVAL));
}

static void
on_timer(void *userdata)
{
    GuestInfo *info = userdata;
    uint64_t now = clock_now_usec();
    bool is_round = now >= info->next_round;
    bool wants_leases = false;
    GHashTableIter iter;
    gpointer value;

    cache_iter_init(&iter, info->cache);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Domain *domain = value;
        Known *known = g_hash_table_lookup(info->guests, domain->uuid);

        if (!known || domain->id != known->run || !is_due(known, is_round, now))
            continue;
        known->is_new = false;
        ask_agent(info, domain, known);
        wants_leases = wants_leases || needs_leases(info, domain);
    }
    if (wants_leases && !info->leases)
        ask_leases(info);
    if (is_round)
        info->next_round = now + INTERVAL;
    info->armed = TIMER_NEVER;
    if (g_hash_table_size(info->guests) > 0)
        arm(info, info->next_round);
}

static void
begin_run(GuestInfo *info, const Domain *domain)
{
    const Known *last = g_hash_table_lookup(info->guests, domain->uuid);
    Known *known = g_new0(Known, 1);

    known->run = domain->id;
    known->agent_connected = domain->config.agent_connected;
    known->is_new = true;
    known->is_asked = last && last->is_asked;
    g_hash_table_replace(info->guests, g_strdup(domain->uuid), known);
}

static void
change_agent(Known *known, bool connected)
{
    known->agent_connected = connected;
    known->has_addresses = false;
    known->has_os = false;
    known->skip = 0;
    known->is_new = true;
}

void
guest_info_refreshed(GuestInfo *info, const Domain *domain)
{
    bool agent_connected = domain->config.agent_connected;
    Known *known;

    if (!info)
        return;
    known = g_hash_table_lookup(info->guests, domain->uuid);
    if (domain->id < 0) {
        g_hash_table_remove(info->guests, domain->uuid);
        return;
    }
    if (!known || known->run != domain->id)
        begin_run(info, domain);
    else if (known->agent_connected != agent_connected)
        change_agent(known, agent_connected);
    else
        return;
    if (info->connected)
        arm(info, clock_now_usec() + SOON);
}

void
guest_info_forget(GuestInfo *info, const Domain *domain)
{
    if (info)
        g_hash_table_remove(info->guests, domain->uuid);
}

void
guest_info_set_connected(GuestInfo *info, bool connected)
{
    if (!info)
        return;
    info->connected = connected;
    info->armed = TIMER_NEVER;
    info->next_round = 0;
    timer_disarm(info->timer);
    if (connected && g_hash_table_size(info->guests) > 0)
        arm(info, clock_now_usec() + SOON);
}

/* --- life --------------------------------------------------------------------------------- */

GuestInfo *
guest_info_new(struct sd_event *event, LanePool *lane_pool, Cache *cache)
{
    GuestInfo *info = g_new0(GuestInfo, 1);

    info->lane_pool = lane_pool;
    info->cache = cache;
    info->timer = timer_new(event, ACCURACY, on_timer, info);
    info->armed = TIMER_NEVER;
    info->guests = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return info;
}

void
guest_info_free(GuestInfo *info)
{
    if (!info)
        return;
    timer_free(info->timer);
    g_hash_table_unref(info->guests);
    g_free(info);
}
