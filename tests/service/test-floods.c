/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Clients that call by the thousand at once, come and vanish by the thousand, or send what is
 * huge or strange, on a bus with the limits of a system bus. Others go on being served, and memory
 * stays within the bound that unraid-vmsd(8) names.
 */

#include "hostile.h"
#include "rounds.h"

#include <string.h>

#define PROPERTIES      "org.freedesktop.DBus.Properties"
#define OBJECT_MANAGER  "org.freedesktop.DBus.ObjectManager"
#define LIMITS_EXCEEDED "org.freedesktop.DBus.Error.LimitsExceeded"
#define GREEDY          40
#define CLIENTS         3000
#define MIB             (1024 * 1024)

typedef struct Outcome {
    guint done, limited, refused;
} Outcome;

static void
count(Outcome *outcome, Call *call)
{
    call_wait(call);
    g_assert_cmpint(call_duration_ms(call), <=, 25000);
    if (!call->error_name)
        outcome->done++;
    else if (g_str_equal(call->error_name, LIMITS_EXCEEDED))
        outcome->limited++;
    else if (g_str_has_prefix(call->error_name, VMS_ERROR_PREFIX))
        outcome->refused++;
    else
        g_error("%s: %s: %s", call->what, call->error_name, call->error_message);
}

/* A bus lets a connection wait for 128 replies; a sanitizer makes each several times slower. */
static guint
calls_of_each(void)
{
    return memory_counts() ? 125 : 30;
}

static Call *
ask(Client *c, const char *path, guint i)
{
    switch (i % 5) {
    case 0:
        return client_send(c, path, VMS_DOMAIN_INTERFACE, "GetXml", "a{sv}", 0);
    case 1:
        return client_send(c, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "ListDomains", NULL);
    case 2:
        return client_send(c, path, VMS_DOMAIN_INTERFACE, "SetAutostart", "b", (int)(i & 1));
    case 3:
        return client_send(c, path, VMS_DOMAIN_INTERFACE, i & 1 ? "Pause" : "Resume", NULL);
    default:
        return client_send(c, path, PROPERTIES, "GetAll", "s", VMS_DOMAIN_INTERFACE);
    }
}

static void
test_calls_at_once(void)
{
    g_autoptr(Service) s = hostile_service(world_new_with_limits());
    g_autofree char *path = client_domain(s->client, "domain7");
    g_autoptr(Others) others = others_new(s->world);
    Client *greedy[GREEDY];
    g_autoptr(GPtrArray) calls =
        g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))call_free);
    Outcome outcome = {0};
    const guint n_calls = GREEDY * calls_of_each();

    for (guint i = 0; i < GREEDY; i++)
        greedy[i] = client_new(s->world);
    for (guint i = 0; i < n_calls; i++)
        g_ptr_array_add(calls, ask(greedy[i % GREEDY], path, i));
    others_check(others);
    for (guint i = 0; i < n_calls; i++)
        count(&outcome, calls->pdata[i]);
    g_test_message("%u done, %u over the limit, %u refused", outcome.done, outcome.limited,
                   outcome.refused);
    g_assert_cmpuint(outcome.done + outcome.limited + outcome.refused, ==, n_calls);
    g_assert_cmpuint(outcome.done, >, 0);
    g_ptr_array_set_size(calls, 0);
    for (guint i = 0; i < GREEDY; i++)
        client_free(greedy[i]);
    others_check_change(others, path);
    others_check_memory(others);
}

static void
test_clients_that_vanish(void)
{
    g_autoptr(Service) s = hostile_service(world_new_with_limits());
    g_autofree char *path = client_domain(s->client, "domain7");
    g_autoptr(Others) others = others_new(s->world);
    Holdings before = {0};

    for (guint i = 0; i < CLIENTS; i++) {
        g_autoptr(Client) c = client_new(s->world);
        g_autoptr(Call) call G_GNUC_UNUSED = ask(c, path, i);

        /* Gone before there is an answer. */
        if (i == CLIENTS / 10)
            before = holdings_of(s->world);
        if (i % 250 == 0)
            others_check(others);
    }
    others_check(others);
    assert_no_more(s->world, &before, 16 * 1024);
    others_check_memory(others);
}

static char *
repeat(const char *text, guint n)
{
    g_autoptr(GString) all = g_string_sized_new(strlen(text) * n);

    while (n--)
        g_string_append(all, text);
    return g_string_free(g_steal_pointer(&all), FALSE);
}

static char *
machine(const char *name, const char *inside)
{
    return g_strdup_printf("<domain type='test'><name>%s</name><memory>1024</memory>"
                           "<os><type>hvm</type></os>%s</domain>",
                           name, inside);
}

/* Refused or done, with an error of the interface, and nobody else notices. */
static void
define(Service *s, Others *others, const char *xml)
{
    g_autoptr(Call) call = manager_send(s, "DefineDomain", "s", xml);

    others_check(others);
    call_wait(call);
    if (call->error_name)
        g_assert_true(g_str_has_prefix(call->error_name, VMS_ERROR_PREFIX) ||
                      g_str_equal(call->error_name, SD_BUS_ERROR_INVALID_ARGS) ||
                      g_str_equal(call->error_name, LIMITS_EXCEEDED));
    g_test_message("%" G_GSIZE_FORMAT " bytes, %" G_GINT64_FORMAT " ms: %s %.100s", strlen(xml),
                   call_duration_ms(call), call->error_name ? call->error_name : "defined",
                   call->error_message ? call->error_message : "");
}

static void
test_huge_xml(void)
{
    g_autoptr(Service) s = hostile_service(world_new_with_limits());
    g_autoptr(Others) others = others_new(s->world);
    g_autofree char *words = repeat("x", 8 * MIB);
    g_autofree char *title = g_strdup_printf("<title>%s</title>", words);
    g_autofree char *long_title = machine("title", title);
    g_autofree char *long_name = machine(words, "");
    g_autofree char *devices = repeat("<disk type='file' device='disk'><source file='/d'/>"
                                      "<target dev='vda' bus='virtio'/></disk>",
                                      100000);
    g_autofree char *in_devices = g_strdup_printf("<devices>%s</devices>", devices);
    g_autofree char *many_devices = machine("devices", in_devices);
    g_autofree char *deep = repeat("<a>", 1000000);
    g_autofree char *deeper = machine("deep", deep);
    g_autofree char *comment = g_strdup_printf("<!--%s-->", words);
    g_autofree char *commented = machine("comment", comment);
    g_autofree char *metadata =
        g_strdup_printf("<metadata><m:a xmlns:m='http://m'>%s</m:a></metadata>", words);
    g_autofree char *annotated = machine("metadata", metadata);
    g_autofree char *fewer = repeat("<disk type='file' device='disk'><source file='/d'/>"
                                    "<target dev='vda' bus='virtio'/></disk>",
                                    5000);
    g_autofree char *in_fewer = g_strdup_printf("<devices>%s</devices>", fewer);
    g_autofree char *some_devices = machine("fewer", in_fewer);
    g_autofree char *elements = repeat("<a/>", 200000);
    g_autofree char *in_metadata = g_strdup_printf("<metadata>%s</metadata>", elements);
    g_autofree char *many_elements = machine("elements", in_metadata);
    const char *const all[] = {some_devices, many_elements, words,     long_title, long_name,
                               many_devices, deeper,        commented, annotated};

    for (guint i = 0; i < G_N_ELEMENTS(all); i++)
        define(s, others, all[i]);
    others_check_memory(others);
}

static void
test_entities(void)
{
    g_autoptr(Service) s = hostile_service(world_new_with_limits());
    g_autoptr(Others) others = others_new(s->world);
    g_autoptr(GString) laughs = g_string_new("<!DOCTYPE domain [<!ENTITY a0 'ha'>");
    static const char *const outside[] = {
        "<!DOCTYPE domain [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>",
        "<!DOCTYPE domain [<!ENTITY % p SYSTEM 'file:///dev/zero'> %p;<!ENTITY e 'x'>]>",
        "<!DOCTYPE domain SYSTEM 'file:///dev/zero' [<!ENTITY e 'x'>]>",
    };

    for (guint i = 1; i < 12; i++) {
        g_string_append_printf(laughs, "<!ENTITY a%u '", i);
        for (guint j = 0; j < 10; j++)
            g_string_append_printf(laughs, "&a%u;", i - 1);
        g_string_append(laughs, "'>");
    }
    g_string_append(laughs, "]>");
    g_autofree char *body = machine("laughs", "<title>&a11;</title>");
    g_string_append(laughs, body);
    define(s, others, laughs->str);
    for (guint i = 0; i < G_N_ELEMENTS(outside); i++) {
        g_autofree char *of_outside = machine("outside", "<title>&e;</title>");
        g_autofree char *xml = g_strconcat(outside[i], of_outside, NULL);
        define(s, others, xml);
    }
    g_autoptr(Call) objects =
        client_call(s->client, VMS_ROOT_PATH, OBJECT_MANAGER, "GetManagedObjects", NULL);
    assert_ok(objects);
    g_assert_null(strstr(objects->body, "root:"));
    others_check_memory(others);
}

/* A name of one strange character, written so that XML has it, in each of the places for text. */
static void
try_character(Service *s, gunichar c, guint *taken)
{
    g_autofree char *name = g_strdup_printf("n&#x%x;m", c);
    g_autofree char *texts =
        g_strdup_printf("<title>&#x%x;</title><description>&#x%x;</description>", c, c);
    g_autofree char *xml = machine(name, texts);
    g_autoptr(Call) defined = manager_call(s, "DefineDomain", "s", xml);

    if (defined->error_name) {
        g_assert_true(g_str_has_prefix(defined->error_name, VMS_ERROR_PREFIX) ||
                      g_str_equal(defined->error_name, SD_BUS_ERROR_INVALID_ARGS));
        return;
    }
    (*taken)++;
    g_autofree char *path = g_strdup(call_path(defined));
    g_assert_nonnull(mirror_get(s->mirror, path, VMS_DOMAIN_INTERFACE, "Name"));
    g_autoptr(Call) start = domain_call(s, path, "Start", NULL);
    /* libvirt defines a name with a newline, and does not start it. */
    if (start->error_name)
        assert_error(start, VMS_ERROR_PREFIX "OperationFailed");
    g_autoptr(Call) force = domain_call(s, path, "ForceStop", NULL);
    if (!start->error_name)
        assert_ok(force);
    g_autoptr(Call) text = domain_call(s, path, "GetXml", "a{sv}", 0);
    /* XML may have characters that D-Bus refuses. */
    if (text->error_name)
        assert_error(text, VMS_ERROR_PREFIX "OperationFailed");
    g_autoptr(Call) undefine = domain_call(s, path, "Undefine", "a{sv}", 0);
    assert_ok(undefine);
}

static void
test_characters(void)
{
    g_autoptr(Service) s = hostile_service(world_new_with_limits());
    static const gunichar others[] = {0xa0,    0xad,     0x200b,  0x200d, 0x202e,  0x2028,
                                      0x2029,  0xd7ff,   0xd800,  0xdfff, 0xe000,  0xfdd0,
                                      0xfeff,  0xfffd,   0xfffe,  0xffff, 0x1f4a9, 0x10000,
                                      0x1fffe, 0x10ffff, 0x110000};
    guint taken = 0;

    for (gunichar c = 1; c < 256; c++)
        try_character(s, c, &taken);
    for (guint i = 0; i < G_N_ELEMENTS(others); i++)
        try_character(s, others[i], &taken);
    g_test_message("%u characters may be in a name", taken);
    g_assert_cmpuint(taken, >, 200);
    mirror_check(s->mirror);
}

static void
huge_string(Service *s, Others *others, const char *text)
{
    g_autofree char *path = client_domain(s->client, "domain7");
    g_autoptr(Call) get = manager_call(s, "GetDomain", "s", text);
    g_autoptr(Call) migrate =
        client_call(s->client, path, "org.unraid.Vms.Migration", "Migrate", "sa{sv}", text, 0);
    g_autoptr(Call) snapshot =
        client_call(s->client, path, "org.unraid.Vms.Snapshots", "GetXml", "s", text);
    g_autoptr(Call) suspend =
        client_call(s->client, path, "org.unraid.Vms.Saved", "Suspend", "s", text);
    g_autoptr(Call) property = client_call(s->client, path, PROPERTIES, "Get", "ss", text, "State");
    g_autoptr(Call) option = domain_call(s, path, "StartWithOptions", "a{sv}", 1, text, "b", 1);

    const Call *const all[] = {get, migrate, snapshot, suspend, property, option};
    for (guint i = 0; i < G_N_ELEMENTS(all); i++) {
        g_assert_nonnull(all[i]->error_name);
        g_test_message("%s: %s %.60s", all[i]->what, all[i]->error_name, all[i]->error_message);
        /* An error that repeats what it was sent would be as huge. */
        g_assert_cmpuint(strlen(all[i]->error_message), <, 64 * 1024);
    }
    others_check(others);
}

static sd_bus_message *
many_options(Service *s, const char *path, guint n)
{
    sd_bus_message *m = client_message(s->client, path, VMS_DOMAIN_INTERFACE, "StartWithOptions");

    g_assert_cmpint(sd_bus_message_open_container(m, 'a', "{sv}"), >=, 0);
    for (guint i = 0; i < n; i++)
        g_assert_cmpint(sd_bus_message_append(m, "{sv}", "paused", "b", 1), >=, 0);
    g_assert_cmpint(sd_bus_message_close_container(m), >=, 0);
    return m;
}

static sd_bus_message *
many_groups(Service *s, guint n)
{
    sd_bus_message *m = client_message(s->client, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "GetStats");

    g_assert_cmpint(sd_bus_message_open_container(m, 'a', "s"), >=, 0);
    for (guint i = 0; i < n; i++)
        g_assert_cmpint(sd_bus_message_append(m, "s", "state"), >=, 0);
    g_assert_cmpint(sd_bus_message_close_container(m), >=, 0);
    g_assert_cmpint(sd_bus_message_append(m, "a{sv}", 0), >=, 0);
    return m;
}

static void
test_huge_arguments(void)
{
    g_autoptr(Service) s = hostile_service(world_new_with_limits());
    g_autoptr(Others) others = others_new(s->world);
    g_autofree char *path = client_domain(s->client, "domain7");
    g_autofree char *text = repeat("0123456789abcdef", MIB / 2);

    huge_string(s, others, text);
    g_autoptr(Call) options = client_send_message(s->client, many_options(s, path, 200000));
    call_wait(options);
    g_assert_nonnull(options->error_name);
    g_autoptr(Call) groups = client_send_message(s->client, many_groups(s, 200000));
    call_wait(groups);
    others_check(others);
    others_check_memory(others);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/floods/calls-at-once", test_calls_at_once);
    g_test_add_func("/floods/clients-that-vanish", test_clients_that_vanish);
    g_test_add_func("/floods/huge-xml", test_huge_xml);
    g_test_add_func("/floods/entities", test_entities);
    g_test_add_func("/floods/characters", test_characters);
    g_test_add_func("/floods/huge-arguments", test_huge_arguments);
    return g_test_run();
}
