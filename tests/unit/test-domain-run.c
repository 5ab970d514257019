/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Facts that only a running domain has: its start, its problems, what its guest tells, its disks'
 * jobs.
 */

#include "domain-xml.h"
#include "domain.h"
#include "rows-text.h"

#include <string.h>

#define UUID "6695eb01-f6a4-8304-79aa-97f2502e193f"

static DomainChanges
apply_state(Domain *domain, DomainState state, int id)
{
    g_autoptr(DomainUpdate) update = domain_update_new(UUID);

    update->known = FACT_STATE;
    update->state = state;
    update->id = id;
    domain->unsignaled = 0;
    return domain_apply(domain, update);
}

static Domain *
running_domain(void)
{
    Domain *domain = domain_new(UUID);

    apply_state(domain, DOMAIN_RUNNING, 1);
    domain->unsignaled = 0;
    return domain;
}

static void
apply_disks(Domain *domain, const char *disks)
{
    g_autofree char *xml = g_strconcat("<domain><devices>", disks, "</devices></domain>", NULL);
    g_autoptr(DomainUpdate) update = domain_update_new(UUID);

    g_assert_true(domain_xml_read(xml, update));
    domain_apply(domain, update);
}

/* --- the start ---------------------------------------------------------------------------- */

static bool
apply_start(Domain *domain, int id, uint64_t usec)
{
    g_autoptr(DomainUpdate) update = domain_update_new(UUID);

    update->known = FACT_STATE;
    update->state = id < 0 ? DOMAIN_SHUTOFF : DOMAIN_RUNNING;
    update->id = id;
    update->started_at = usec;
    return domain_apply(domain, update) & DOMAIN_CHANGED(STARTED_AT);
}

static void
test_started_at(void)
{
    g_autoptr(Domain) domain = domain_new(UUID);

    g_assert_false(apply_start(domain, -1, 5));
    g_assert_cmpuint(domain->started_at, ==, 0);
    g_assert_true(apply_start(domain, 1, 7));
    g_assert_cmpuint(domain->started_at, ==, 7);
    g_assert_false(apply_start(domain, 1, 7));
    g_assert_true(apply_start(domain, 1, 8));

    g_assert_cmphex(apply_state(domain, DOMAIN_PAUSED, 1) & DOMAIN_CHANGED(STARTED_AT), ==, 0);
    g_assert_cmphex(apply_state(domain, DOMAIN_RUNNING, 2) & DOMAIN_CHANGED(STARTED_AT), !=, 0);
    g_assert_cmpuint(domain->started_at, ==, 0);
    g_assert_true(apply_start(domain, 2, 9));
    g_assert_cmphex(apply_state(domain, DOMAIN_SHUTOFF, -1) & DOMAIN_CHANGED(STARTED_AT), !=, 0);
    g_assert_cmpuint(domain->started_at, ==, 0);
}

/* --- problems ----------------------------------------------------------------------------- */

static char *
kinds(const Domain *domain)
{
    g_auto(RowBuilder) builder = {NULL};
    g_autoptr(GString) text = g_string_new(NULL);

    problems_write(domain->problems, &builder);
    Rows rows = row_builder_rows(&builder);
    for (Row row; rows_take(&rows, &row);)
        g_string_append_printf(text, "%s%s", text->len ? " " : "", row_text(row, ROW_KIND));
    return g_string_free(g_steal_pointer(&text), FALSE);
}

#define assert_kinds(domain, expected)                                                             \
    do {                                                                                           \
        g_autofree char *seen = kinds(domain);                                                     \
        g_assert_cmpstr(seen, ==, expected);                                                       \
    } while (0)

static void
add(Domain *domain, ProblemKind kind, const char *device)
{
    domain_add_problem(domain, &(Problem){kind, false, device, "words", 5});
}

static void
add_all(Domain *domain)
{
    for (ProblemKind kind = 0; kind < _PROBLEM_KIND_MAX; kind++)
        add(domain, kind, "");
    domain_add_problem(domain, &(Problem){PROBLEM_IO_ERROR, true, "vda", "words", 5});
}

#define ALL "io-error no-space watchdog panicked memory-failure control-error unresponsive io-error"

/* A disk's error is told of only once libvirt has said more; others may have come since. */
static void
test_problems_by_time(void)
{
    static const uint64_t times[] = {5, 9, 7, 5, 3};
    g_autoptr(Domain) domain = running_domain();

    for (ProblemKind kind = 0; kind < G_N_ELEMENTS(times); kind++)
        domain_add_problem(domain, &(Problem){kind, false, "", "words", times[kind]});
    assert_kinds(domain, "memory-failure io-error panicked watchdog no-space");
}

/* The first of a kind and device stays as it is. */
static void
test_problem_rows(void)
{
    g_autoptr(Domain) domain = running_domain();
    g_auto(RowBuilder) rows = {NULL};

    add(domain, PROBLEM_NO_SPACE, "vda");
    g_assert_cmphex(domain->unsignaled, ==, DOMAIN_CHANGED(PROBLEMS));
    domain->unsignaled = 0;
    domain_add_problem(domain, &(Problem){PROBLEM_NO_SPACE, false, "vda", "others", 9});
    g_assert_cmphex(domain->unsignaled, ==, 0);
    add(domain, PROBLEM_NO_SPACE, "vdb");
    add(domain, PROBLEM_WATCHDOG, "");
    problems_write(domain->problems, &rows);
    g_autofree char *text = rows_text(row_builder_rows(&rows));
    g_assert_cmpstr(text, ==,
                    "kind=no-space, device=vda, message=words, since=5; "
                    "kind=no-space, device=vdb, message=words, since=5; "
                    "kind=watchdog, message=words, since=5");

    domain->unsignaled = 0;
    domain_remove_problem(domain, PROBLEM_IO_ERROR, NULL);
    domain_remove_problem(domain, PROBLEM_NO_SPACE, "vdc");
    g_assert_cmphex(domain->unsignaled, ==, 0);
    domain_remove_problem(domain, PROBLEM_NO_SPACE, "vda");
    g_assert_cmphex(domain->unsignaled, ==, DOMAIN_CHANGED(PROBLEMS));
    assert_kinds(domain, "no-space watchdog");
    add(domain, PROBLEM_NO_SPACE, "vda");
    domain_remove_problem(domain, PROBLEM_NO_SPACE, NULL);
    assert_kinds(domain, "watchdog");
    domain_remove_problem(domain, PROBLEM_WATCHDOG, "");
    g_assert_null(domain->problems);
}

static void
test_problems_end(void)
{
    static const struct {
        ProblemsEnd end;
        const char *left;
    } rows[] = {
        {PROBLEMS_END_RESUMED, "control-error unresponsive io-error"},
        {PROBLEMS_END_RESET, "control-error unresponsive"},
        {PROBLEMS_END_OFF, "unresponsive"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Domain) domain = running_domain();

        add_all(domain);
        assert_kinds(domain, ALL);
        domain->unsignaled = 0;
        domain_end_problems(domain, rows[i].end);
        assert_kinds(domain, rows[i].left);
        g_assert_cmphex(domain->unsignaled, ==, DOMAIN_CHANGED(PROBLEMS));
        domain->unsignaled = 0;
        domain_end_problems(domain, rows[i].end);
        g_assert_cmphex(domain->unsignaled, ==, 0);
    }
}

/* A change of the state ends some of them. */
static void
test_problems_and_state(void)
{
    static const struct {
        DomainState before;
        DomainState after;
        int id;
        const char *left;
    } rows[] = {
        {DOMAIN_RUNNING, DOMAIN_PAUSED, 1, ALL},
        {DOMAIN_RUNNING, DOMAIN_RUNNING, 1, ALL},
        {DOMAIN_PAUSED, DOMAIN_PAUSED, 1, ALL},
        {DOMAIN_PAUSED, DOMAIN_RUNNING, 1, "control-error unresponsive io-error"},
        {DOMAIN_CRASHED, DOMAIN_RUNNING, 1, "control-error unresponsive io-error"},
        {DOMAIN_RUNNING, DOMAIN_RUNNING, 2, "unresponsive"},
        {DOMAIN_PAUSED, DOMAIN_SHUTOFF, -1, "unresponsive"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Domain) domain = running_domain();

        apply_state(domain, rows[i].before, 1);
        add_all(domain);
        DomainChanges changed = apply_state(domain, rows[i].after, rows[i].id);
        assert_kinds(domain, rows[i].left);
        g_assert_true(((changed & DOMAIN_CHANGED(PROBLEMS)) == 0) ==
                      g_str_equal(rows[i].left, ALL));
    }
}

static void
test_problems_of_devices(void)
{
    g_autoptr(Domain) domain = running_domain();

    apply_disks(domain, "<disk><target dev='vda'/></disk><disk><target dev='vdb'/></disk>");
    add(domain, PROBLEM_IO_ERROR, "vda");
    add(domain, PROBLEM_NO_SPACE, "vdb");
    add(domain, PROBLEM_WATCHDOG, "");
    apply_disks(domain, "<disk><target dev='vda'/></disk><disk><target dev='vdb'/></disk>");
    assert_kinds(domain, "io-error no-space watchdog");
    apply_disks(domain, "<disk><target dev='vdb'/></disk>");
    assert_kinds(domain, "no-space watchdog");
}

/* --- disks -------------------------------------------------------------------------------- */

static char *
disks_text(const Domain *domain)
{
    return rows_text(domain_config_rows(&domain->config, HARDWARE_DISKS));
}

#define assert_disks(domain, expected)                                                             \
    do {                                                                                           \
        g_autofree char *seen = disks_text(domain);                                                \
        g_assert_cmpstr(seen, ==, expected);                                                       \
    } while (0)

#define VDA(file) "<disk><target dev='vda'/><source file='" file "'/></disk>"
#define VDB       "<disk><target dev='vdb'/></disk>"
#define A(file)   "target=vda, source=" file ", readonly=0, shareable=0"
#define B         "target=vdb, readonly=0, shareable=0"

static void
set_capacity(Domain *domain, const char *target, uint64_t capacity)
{
    g_autoptr(GHashTable) capacities = g_hash_table_new(g_str_hash, g_str_equal);

    g_hash_table_insert(capacities, (gpointer)target, &capacity);
    domain->unsignaled = 0;
    domain_set_capacities(domain, capacities);
}

/* A capacity belongs to the target and its source, a job to the target. */
static void
test_disk_facts(void)
{
    g_autoptr(Domain) domain = running_domain();

    apply_disks(domain, VDA("/a") VDB);
    set_capacity(domain, "vda", 10);
    g_assert_cmphex(domain->unsignaled, ==, DOMAIN_CHANGED(DISKS));
    set_capacity(domain, "vda", 10);
    g_assert_cmphex(domain->unsignaled, ==, 0);
    set_capacity(domain, "vdb", 10); /* no medium */
    set_capacity(domain, "vdc", 10);
    g_assert_cmphex(domain->unsignaled, ==, 0);
    domain_set_disk_job(domain, "vda", 3);
    g_assert_cmphex(domain->unsignaled, ==, DOMAIN_CHANGED(DISKS));
    domain->unsignaled = 0;
    domain_set_disk_job(domain, "vda", 3);
    domain_set_disk_job(domain, "vdc", 3);
    g_assert_cmphex(domain->unsignaled, ==, 0);
    assert_disks(domain, A("/a") ", capacity=10, job=3; " B);

    apply_disks(domain, VDA("/a") VDB);
    g_assert_cmphex(domain->unsignaled, ==, 0);
    apply_disks(domain, VDA("/b"));
    assert_disks(domain, A("/b") ", job=3");
    domain_set_disk_job(domain, "vda", 0);
    assert_disks(domain, A("/b"));
}

/* --- the guest ---------------------------------------------------------------------------- */

static GBytes *
one_row(RowKey key, const char *text)
{
    RowBuilder rows = {NULL};

    row_builder_begin(&rows);
    row_builder_text(&rows, key, text);
    row_builder_end(&rows);
    return row_builder_take(&rows);
}

static DomainChanges
apply_guest(Domain *domain, GuestFacts known, const char *hostname, const char *os,
            const char *address)
{
    GuestUpdate update = {
        known,
        {g_strdup(hostname), os ? one_row(ROW_ID, os) : NULL,
         address ? one_row(ROW_ADDRESS, address) : NULL},
    };

    domain->unsignaled = 0;
    domain_apply_guest(domain, &update);
    return domain->unsignaled;
}

static void
test_guest(void)
{
    const GuestFacts all = GUEST_HOSTNAME | GUEST_OS_INFO | GUEST_ADDRESSES;
    g_autoptr(Domain) domain = running_domain();

    g_assert_cmphex(apply_guest(domain, all, NULL, NULL, NULL), ==, 0);
    g_assert_cmphex(apply_guest(domain, all, "", NULL, NULL), ==, 0);
    g_assert_cmphex(apply_guest(domain, all, "web", "debian", "10.0.0.1"), ==,
                    DOMAIN_CHANGED(HOSTNAME) | DOMAIN_CHANGED(OS_INFO) | DOMAIN_CHANGED(ADDRESSES));
    g_assert_cmphex(apply_guest(domain, all, "web", "debian", "10.0.0.1"), ==, 0);
    g_assert_cmphex(apply_guest(domain, all, "web", "debian", "10.0.0.2"), ==,
                    DOMAIN_CHANGED(ADDRESSES));
    g_assert_cmphex(apply_guest(domain, GUEST_HOSTNAME, "db", NULL, NULL), ==,
                    DOMAIN_CHANGED(HOSTNAME));
    g_assert_cmpstr(domain->guest.hostname, ==, "db");
    g_autofree char *os = rows_text(rows_of_bytes(domain->guest.os_info));
    g_assert_cmpstr(os, ==, "id=debian");

    g_autofree char *longer = g_strnfill(3 * ROW_TEXT_MAX, 'x');
    apply_guest(domain, GUEST_HOSTNAME, longer, NULL, NULL);
    g_assert_cmpuint(strlen(domain->guest.hostname), ==, ROW_TEXT_MAX);

    g_assert_cmphex(
        apply_state(domain, DOMAIN_SHUTOFF, -1) &
            (DOMAIN_CHANGED(HOSTNAME) | DOMAIN_CHANGED(OS_INFO) | DOMAIN_CHANGED(ADDRESSES)),
        ==, DOMAIN_CHANGED(HOSTNAME) | DOMAIN_CHANGED(OS_INFO) | DOMAIN_CHANGED(ADDRESSES));
    g_assert_null(domain->guest.hostname);
    g_assert_cmphex(apply_guest(domain, all, "late", "late", "late"), ==, 0);
    g_assert_null(domain->guest.addresses);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/domain-run/started-at", test_started_at);
    g_test_add_func("/domain-run/problems-by-time", test_problems_by_time);
    g_test_add_func("/domain-run/problem-rows", test_problem_rows);
    g_test_add_func("/domain-run/problems-end", test_problems_end);
    g_test_add_func("/domain-run/problems-and-state", test_problems_and_state);
    g_test_add_func("/domain-run/problems-of-devices", test_problems_of_devices);
    g_test_add_func("/domain-run/disk-facts", test_disk_facts);
    g_test_add_func("/domain-run/guest", test_guest);
    return g_test_run();
}
