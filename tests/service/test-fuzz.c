/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Calls of anything on anything with anything: every method and property that introspection names,
 * on any path, with arguments that fit its signature or another one, on the embedded hypervisor:
 * all of them once, a job's too, then any. The service survives, answers every call, serves another
 * client meanwhile, and what it signals stays equal to what it says. Another service takes its
 * place now and then, because what has been undone stays so.
 *
 * A run is given by its seed, which GLib's test framework prints and takes (--seed=); the number of
 * calls is $VMS_FUZZ_CALLS.
 */

#include "interface.h"
#include "service.h"

#include <stdlib.h>
#include <string.h>

#define PROPERTIES "org.freedesktop.DBus.Properties"
#define AT_ONCE    32
#define ROUNDS     20 /* of one service */
#define OTHERS_MS  15000
#define MAX_DEPTH  4
#define NEW_DOMAIN                                                                                 \
    "<domain type='test'><name>new</name><memory>4096</memory>"                                    \
    "<os><type>hvm</type></os></domain>"

static const char *const signatures[] = {
    "",    "s",   "b",  "u",     "t",  "x",  "d",  "i",         "y",      "n",    "q",
    "o",   "g",   "v",  "a{sv}", "as", "au", "av", "a{oa{sv}}", "(sub)",  "aaas", "sa{sv}",
    "sss", "tas", "ss", "sau",   "ay", "ao", "h",  "a(su)",     "ta{sv}", "bb",   "ssa{sv}",
};

static const char *const words[] = {
    "",
    "one",
    "two",
    "new",
    "/",
    "-",
    "%s%n%x",
    "..",
    "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7",
    "line\nline",
    "state",
    "cpu",
    "block",
    "timeout",
    "force",
    "paused",
    "inactive",
    "secure",
    "live",
    "config",
    "description",
    "disk_only",
    "linux",
    "lease",
    "agent",
    "memory",
    "disk",
    "qemu+tls://elsewhere/system",
    "qemu+ext://elsewhere/system?command=/bin/true",
    "test:///default",
    "<domain",
    "<domain/>",
    NEW_DOMAIN,
    "<!DOCTYPE d [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;&a;'>]><domain><name>&b;</name></domain>",
    "<disk type='file'><source file='/x'/><target dev='vda'/></disk>",
    VMS_DOMAIN_INTERFACE,
    VMS_MANAGER_INTERFACE,
    VMS_CONFIG_INTERFACE,
    VMS_DISPLAY_INTERFACE,
    VMS_GUEST_INTERFACE,
    VMS_SNAPSHOTS_INTERFACE,
    VMS_SAVED_INTERFACE,
    VMS_STORAGE_INTERFACE,
    VMS_MIGRATION_INTERFACE,
    VMS_JOB_INTERFACE,
    PROPERTIES,
    "State",
    "Name",
    "Disks",
    "Progress",
};

static guint
below(guint n)
{
    return (guint)g_test_rand_int_range(0, (gint32)n);
}

static guint64
any_number(void)
{
    static const guint64 edges[] = {0,          1,          2,          10,         1024,
                                    0x7fffffff, 0x80000000, 0xffffffff, G_MAXINT64, G_MAXUINT64};

    if (below(2))
        return edges[below(G_N_ELEMENTS(edges))];
    return ((guint64)(guint32)g_test_rand_int() << 32) | (guint32)g_test_rand_int();
}

static void append(sd_bus_message *m, const char *types, guint depth);

/* The length of one complete type. */
static size_t
type_length(const char *types)
{
    size_t length = 1;
    int open = 0;

    if (*types == 'a')
        return 1 + type_length(types + 1);
    if (*types != '(' && *types != '{')
        return 1;
    for (open = 1; open > 0; length++)
        open += strchr("({", types[length]) ? 1 : strchr(")}", types[length]) ? -1 : 0;
    return length;
}

static void
append_word(sd_bus_message *m)
{
    if (below(40) == 0) {
        g_autofree char *big = g_strnfill(below(100000), 'x');
        g_assert_cmpint(sd_bus_message_append_basic(m, 's', big), >=, 0);
        return;
    }
    g_assert_cmpint(sd_bus_message_append_basic(m, 's', words[below(G_N_ELEMENTS(words))]), >=, 0);
}

static void
append_basic(sd_bus_message *m, char type)
{
    guint64 number = any_number();
    guint8 byte = (guint8)number;
    guint16 two = (guint16)number;
    guint32 four = (guint32)number;
    int truth = (int)(number & 1), fd = 0;
    double real = below(4) ? (double)(gint64)number : (below(2) ? G_MAXDOUBLE : 0.0 / 0.0);
    const void *value = type == 'b'          ? (const void *)&truth
                        : type == 'y'        ? (const void *)&byte
                        : strchr("nq", type) ? (const void *)&two
                        : strchr("iu", type) ? (const void *)&four
                        : type == 'd'        ? (const void *)&real
                        : type == 'h'        ? (const void *)&fd
                        : type == 'o'        ? (const void *)VMS_ROOT_PATH
                        : type == 'g'        ? (const void *)"a{sv}"
                                             : (const void *)&number;

    if (type == 's')
        append_word(m);
    else
        g_assert_cmpint(sd_bus_message_append_basic(m, type, value), >=, 0);
}

static void
append_container(sd_bus_message *m, char kind, const char *contents, guint depth)
{
    guint times = kind == SD_BUS_TYPE_ARRAY ? (depth < MAX_DEPTH ? below(4) : 0) : 1;

    g_assert_cmpint(sd_bus_message_open_container(m, kind, contents), >=, 0);
    while (times--)
        append(m, contents, depth + 1);
    g_assert_cmpint(sd_bus_message_close_container(m), >=, 0);
}

static void
append_one(sd_bus_message *m, const char *type, guint depth)
{
    size_t length = strlen(type);

    if (*type == 'a') {
        append_container(m, SD_BUS_TYPE_ARRAY, type + 1, depth);
    } else if (*type == 'v') {
        static const char *const inside[] = {"s", "b", "t", "u", "as", "a{sv}", "v", "i", "(sb)"};
        append_container(m, SD_BUS_TYPE_VARIANT, inside[below(depth < MAX_DEPTH ? 9 : 4)], depth);
    } else if (*type == '(' || *type == '{') {
        g_autofree char *contents = g_strndup(type + 1, length - 2);
        append_container(m, *type == '(' ? SD_BUS_TYPE_STRUCT : SD_BUS_TYPE_DICT_ENTRY, contents,
                         depth);
    } else {
        append_basic(m, *type);
    }
}

static void
append(sd_bus_message *m, const char *types, guint depth)
{
    while (*types) {
        size_t length = type_length(types);
        g_autofree char *type = g_strndup(types, length);
        append_one(m, type, depth);
        types += length;
    }
}

static Call *
send_property(Client *c, const Member *member, const char *path, const char *types, bool set)
{
    sd_bus_message *m = client_message(c, path, PROPERTIES, set ? "Set" : "Get");

    g_assert_cmpint(sd_bus_message_append(m, "ss", member->interface, member->name), >=, 0);
    if (set)
        append_container(m, SD_BUS_TYPE_VARIANT,
                         *types && strlen(types) == type_length(types) ? types : "s", 0);
    return client_send_message(c, m);
}

static Call *
send_method(Client *c, const Member *member, const char *path, const char *interface,
            const char *types)
{
    sd_bus_message *m = client_message(c, path, interface, member->name);

    append(m, types, 0);
    return client_send_message(c, m);
}

/* Mostly as the interface wants it. */
static Call *
send_any(Client *c, GPtrArray *members)
{
    const Member *member = g_ptr_array_index(members, below(members->len));
    const Member *other = g_ptr_array_index(members, below(members->len));
    const char *path = below(10) ? member->path : other->path;
    const char *types = below(6) ? member->arguments : signatures[below(G_N_ELEMENTS(signatures))];

    if (member->is_property)
        return send_property(c, member, path, types, below(2));
    return send_method(c, member, path, below(30) ? member->interface : NULL, types);
}

static Call *
send_fitting(Client *c, const Member *member)
{
    if (member->is_property)
        return send_property(c, member, member->path, member->arguments, below(2));
    return send_method(c, member, member->path, member->interface, member->arguments);
}

/* Make sure that there are domains to work on: earlier calls may have removed them. */
static void
provide_domain(Service *s)
{
    g_autoptr(Call) define = manager_call(s, "DefineDomain", "s", NEW_DOMAIN);
    call_wait(define);
}

/* It waits for a machine that never goes down. */
static void
provide_job(Service *s)
{
    g_autofree char *stuck = client_domain(s->client, "stuck");
    g_autoptr(Call) stop = domain_call(s, stuck, "StopWithOptions", "a{sv}", 1, "timeout", "t",
                                       G_GUINT64_CONSTANT(600000000));
    assert_ok(stop);
}

static void
wait_for_all(Service *s, GPtrArray *calls)
{
    g_autoptr(Call) other = client_call(s->client, VMS_ROOT_PATH, PROPERTIES, "Get", "ss",
                                        VMS_MANAGER_INTERFACE, "Available");

    assert_ok(other);
    g_assert_cmpint(call_duration_ms(other), <, OTHERS_MS);
    for (guint i = 0; i < calls->len; i++)
        call_wait(g_ptr_array_index(calls, i));
    g_ptr_array_set_size(calls, 0);
}

static void
round_of_calls(Service *s, Client *fuzzer)
{
    g_autoptr(GPtrArray) members = interface_members(s->client);
    g_autoptr(GPtrArray) calls = g_ptr_array_new_with_free_func((GDestroyNotify)call_free);

    for (guint i = 0; i < AT_ONCE; i++)
        g_ptr_array_add(calls, send_any(fuzzer, members));
    wait_for_all(s, calls);
}

/* Everything of every object once, in any order; how many that was. */
static guint
call_all(Service *s, Client *fuzzer)
{
    g_autoptr(GPtrArray) members = interface_members(s->client);
    g_autoptr(GPtrArray) calls = g_ptr_array_new_with_free_func((GDestroyNotify)call_free);
    bool is_job_there = false;

    for (guint i = members->len; i > 1; i--) {
        guint j = below(i);
        gpointer last = members->pdata[i - 1];
        members->pdata[i - 1] = members->pdata[j];
        members->pdata[j] = last;
    }
    for (guint i = 0; i < members->len; i++) {
        const Member *member = g_ptr_array_index(members, i);
        is_job_there |= g_str_equal(member->interface, VMS_JOB_INTERFACE);
        g_ptr_array_add(calls, send_fitting(fuzzer, member));
        if (calls->len == AT_ONCE)
            wait_for_all(s, calls);
    }
    wait_for_all(s, calls);
    g_assert_true(is_job_there);
    return members->len;
}

/* How many calls there were. */
static guint
fuzz_service(guint rounds)
{
    g_autoptr(Node) node = node_new();

    node_add(node, "one", "running");
    node_add(node, "two", "shutoff");
    node_add(node, "three", "paused");
    node_add(node, "stuck", "shutdown");
    g_autoptr(Service) s = service_on_node(node, "--stop-timeout=1", "--log-level=error", NULL);
    g_autoptr(Client) fuzzer = client_new(s->world);
    provide_job(s);
    guint all = call_all(s, fuzzer);
    for (guint i = 0; i < rounds; i++) {
        provide_domain(s);
        round_of_calls(s, fuzzer);
        mirror_check(s->mirror);
    }
    return all + rounds * AT_ONCE;
}

static void
test_any(void)
{
    const char *wanted = g_getenv("VMS_FUZZ_CALLS");
    guint64 most = wanted ? g_ascii_strtoull(wanted, NULL, 10) : 1500;
    guint64 calls = 0;

    while (calls < most)
        calls += fuzz_service(ROUNDS);
    g_test_message("%" G_GUINT64_FORMAT " calls", calls);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fuzz/any", test_any);
    return g_test_run();
}
