/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A local user without any right who means harm, on a bus with the limits of a system bus: nothing
 * that such a user sends ends the service, and nobody else notices.
 */

#include "gio-bus.h"
#include "hostile.h"
#include "interface.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <gio/gunixfdlist.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define NOFILE               1024 /* what systemd gives a service that asks for nothing */
#define DESCRIPTORS_PER_CALL 16   /* what the system bus lets pass */
#define LOOK_USEC            (G_USEC_PER_SEC / 100) /* between two looks into the log */
#define CONNECTIONS          3
#define CALLS                100 /* of each: a bus lets a connection wait for 128 replies */

/* --- descriptors -------------------------------------------------------------------------- */

/* A hypervisor to which one can connect, and which never says anything. */
static int
listen_mutely(World *w, char **ret_path)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *ret_path = g_build_filename(world_directory(w), "mute", NULL);
    g_strlcpy(sa.sun_path, *ret_path, sizeof sa.sun_path);
    g_assert_cmpint(bind(fd, (struct sockaddr *)&sa, sizeof sa), ==, 0);
    g_assert_cmpint(listen(fd, 100), ==, 0);
    return fd;
}

static void
send_with_descriptors(GDBusConnection *bus, const char *name, GUnixFDList *descriptors)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GDBusMessage) message =
        g_dbus_message_new_method_call(name, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "ListDomains");

    g_dbus_message_set_unix_fd_list(message, descriptors);
    g_dbus_connection_send_message(bus, message, G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL, &error);
    g_assert_no_error(error);
}

static guint
count_descriptors(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/fd", (int)pid);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    guint n = 0;

    g_assert_nonnull(dir);
    while (g_dir_read_name(dir))
        n++;
    return n;
}

/* From one connection; they have been taken when it returns. */
static GDBusConnection *
send_many_with_descriptors(World *w, GUnixFDList *descriptors)
{
    GDBusConnection *bus = gio_bus_connect(w);
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < CALLS; i++)
        send_with_descriptors(bus, world_name(w), descriptors);
    /* The bus keeps the order. */
    g_autoptr(GVariant) pong = g_dbus_connection_call_sync(
        bus, world_name(w), VMS_ROOT_PATH, "org.freedesktop.DBus.Peer", "Ping", NULL, NULL,
        G_DBUS_CALL_FLAGS_NONE, BOUND_MS, NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(pong);
    return bus;
}

/* Calls that wait for a hypervisor that is mute do not keep what is attached to them. */
static void
test_descriptors(void)
{
    const struct rlimit limit = {NOFILE, NOFILE};
    g_autoptr(World) w = world_new_with_limits();
    g_autofree char *path = NULL;
    int mute = listen_mutely(w, &path);
    g_autofree char *uri = g_strdup_printf("--uri=test+unix:///default?socket=%s", path);
    g_autoptr(GUnixFDList) descriptors = g_unix_fd_list_new();
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    world_start(w, uri, NULL);
    pid_t pid = process_pid(world_service(w));
    g_assert_cmpint(prlimit(pid, RLIMIT_NOFILE, &limit, NULL), ==, 0);
    g_autoptr(Others) others = others_new(w);
    guint before = count_descriptors(pid);
    for (guint i = 0; i < DESCRIPTORS_PER_CALL; i++)
        g_assert_cmpint(g_unix_fd_list_append(descriptors, null, NULL), >=, 0);
    GDBusConnection *buses[CONNECTIONS];
    for (guint i = 0; i < CONNECTIONS; i++)
        buses[i] = send_many_with_descriptors(w, descriptors);
    others_check(others);
    guint after = count_descriptors(pid);
    g_test_message("%u descriptors before, %u after", before, after);
    g_assert_cmpuint(after, <, before + 2 * DESCRIPTORS_PER_CALL);
    for (guint i = 0; i < CONNECTIONS; i++) {
        g_assert_true(g_dbus_connection_close_sync(buses[i], NULL, NULL));
        g_object_unref(buses[i]);
    }
    close(mute);
    close(null);
}

/* --- work that the caller chooses --------------------------------------------------------- */

#define MIB (1024 * 1024)

/* The processor time that the service has taken so far: what it does for one caller, others wait
 * for. */
static gint64
busy_usec(World *w)
{
    clockid_t clock;
    struct timespec t;

    g_assert_cmpint(clock_getcpuclockid(process_pid(world_service(w)), &clock), ==, 0);
    g_assert_cmpint(clock_gettime(clock, &t), ==, 0);
    return t.tv_sec * G_USEC_PER_SEC + t.tv_nsec / 1000;
}

/* Of a call that is refused. */
static gint64
cost_of(Client *c, sd_bus_message *message, const char *error)
{
    gint64 before = busy_usec(c->world);
    g_autoptr(Call) call = client_send_message(c, message);

    assert_error(call, error);
    return busy_usec(c->world) - before;
}

/* Many such messages at a time, from a user without any right; others are served meanwhile. */
static void
send_many(Others *others, Client *c, sd_bus_message *(*make)(Client *c), const char *error)
{
    enum { MESSAGES = 3 };
    Call *calls[MESSAGES];

    for (guint i = 0; i < MESSAGES; i++)
        calls[i] = client_send_message(c, make(c));
    others_check(others);
    for (guint i = 0; i < MESSAGES; i++) {
        assert_error(calls[i], error);
        call_free(calls[i]);
    }
}

/* An array of bytes, each in so many structs. */
static sd_bus_message *
nested_structs(Client *c)
{
    const guint depth = 31, n = MIB / 32;
    sd_bus_message *m = client_message(c, VMS_ROOT_PATH "/nowhere", "org.example", "Nothing");
    g_autofree char *open = g_strnfill(depth, '(');
    g_autofree char *close = g_strnfill(depth, ')');
    g_autofree char *type = g_strdup_printf("%sy%s", open, close);

    g_assert_cmpint(sd_bus_message_open_container(m, 'a', type), >=, 0);
    for (guint i = 0; i < n; i++)
        g_assert_cmpint(sd_bus_message_append(m, type, 1), >=, 0);
    g_assert_cmpint(sd_bus_message_close_container(m), >=, 0);
    return m;
}

static sd_bus_message *
long_string(Client *c)
{
    sd_bus_message *m = client_message(c, VMS_ROOT_PATH "/nowhere", "org.example", "Nothing");
    g_autofree char *text = g_strnfill(MIB, 'x');

    g_assert_cmpint(sd_bus_message_append(m, "s", text), >=, 0);
    return m;
}

/* The control is a message of the same length of which there is nothing to take apart. */
static void
test_nested_structs(void)
{
    if (!can_be_ordinary_user())
        return;
    g_autoptr(Service) s = hostile_service(world_new_with_limits());
    g_autoptr(Others) others = others_new(s->world);
    g_autoptr(Client) c = client_new_as(s->world, ORDINARY_UID);
    gint64 plain = cost_of(c, long_string(c), SD_BUS_ERROR_LIMITS_EXCEEDED);
    gint64 nested = cost_of(c, nested_structs(c), SD_BUS_ERROR_LIMITS_EXCEEDED);

    g_test_message("a mebibyte: %" G_GINT64_FORMAT " us as one string, %" G_GINT64_FORMAT
                   " us as nested structs",
                   plain, nested);
    g_assert_cmpint(nested, <, 20 * MAX(plain, 5000));
    send_many(others, c, nested_structs, SD_BUS_ERROR_LIMITS_EXCEEDED);
    others_check_memory(others);
}

static char *
many_attributes(const char *element, guint n, bool really)
{
    g_autoptr(GString) xml = g_string_new(NULL);

    g_string_append_printf(xml, "<%s", element);
    for (guint i = 0; i < n; i++)
        g_string_append_printf(xml, really ? " a%x=''" : " a%x   ", i);
    g_string_append(xml, "/>");
    return g_string_free(g_steal_pointer(&xml), FALSE);
}

static sd_bus_message *
define_message(Client *c, const char *xml)
{
    sd_bus_message *m = client_message(c, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "DefineDomain");

    g_assert_cmpint(sd_bus_message_append(m, "s", xml), >=, 0);
    return m;
}

static sd_bus_message *
attach_message(Client *c, const char *path, const char *xml)
{
    sd_bus_message *m = client_message(c, path, VMS_CONFIG_INTERFACE, "AttachDevice");

    g_assert_cmpint(sd_bus_message_append(m, "sa{sv}", xml, 0), >=, 0);
    return m;
}

static sd_bus_message *
define_many_attributes(Client *c)
{
    g_autofree char *domain = many_attributes("domain", 100000, true);

    return define_message(c, domain);
}

/* The control is a text of the same length that is no XML. */
static void
test_attributes(void)
{
    static const guint numbers[] = {20000, 100000};

    if (!can_be_ordinary_user())
        return;
    g_autoptr(Service) s = hostile_service(world_new_with_limits());
    g_autoptr(Others) others = others_new(s->world);
    g_autofree char *path = client_domain(s->client, "domain7");
    g_autoptr(Client) c = client_new_as(s->world, ORDINARY_UID);

    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
        g_autofree char *text = many_attributes("domain", numbers[i], false);
        g_autofree char *domain = many_attributes("domain", numbers[i], true);
        g_autofree char *device = many_attributes("disk", numbers[i], true);
        gint64 plain = cost_of(c, define_message(c, text), SD_BUS_ERROR_ACCESS_DENIED);
        gint64 define = cost_of(c, define_message(c, domain), SD_BUS_ERROR_ACCESS_DENIED);
        gint64 attach = cost_of(c, attach_message(c, path, device), SD_BUS_ERROR_ACCESS_DENIED);

        g_test_message("%u attributes: %" G_GINT64_FORMAT " us, %" G_GINT64_FORMAT
                       " us as a device, %" G_GINT64_FORMAT " us as text",
                       numbers[i], define, attach, plain);
        g_assert_cmpint(define, <, 20 * MAX(plain, 5000));
        g_assert_cmpint(attach, <, 20 * MAX(plain, 5000));
    }
    send_many(others, c, define_many_attributes, SD_BUS_ERROR_ACCESS_DENIED);
    others_check_memory(others);
}

/* --- texts that sd-bus refuses and other libraries send ------------------------------------ */

static void
test_noncharacters(void)
{
    static const char *const names[] = {"\xef\xb7\x90", "\xef\xbf\xbe", "a\xf4\x8f\xbf\xbf"};
    g_autoptr(Service) s = service_new("--uri=test:///default", NULL);
    g_autoptr(GDBusConnection) bus = gio_bus_connect(s->world);

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
            bus, world_name(s->world), VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "GetDomain",
            g_variant_new("(s)", names[i]), NULL, G_DBUS_CALL_FLAGS_NONE, BOUND_MS, NULL, &error);

        g_assert_null(reply);
        g_assert_error(error, G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS);
    }
    g_assert_true(g_dbus_connection_close_sync(bus, NULL, NULL));
}

/* --- texts with a NUL ---------------------------------------------------------------------- */

#define NUL_HERE "\x7fNUL" /* its first byte becomes one */

/* Of any type that arguments have; every text in it is the one above. */
static GVariant *
value_with_text(const GVariantType *type)
{
    const char first = *g_variant_type_peek_string(type);
    GVariantBuilder builder;

    switch (first) {
    case 's':
        return g_variant_new_string(NUL_HERE);
    case 'v':
        return g_variant_new_variant(g_variant_new_string(NUL_HERE));
    case 'b':
        return g_variant_new_boolean(true);
    case 'u':
        return g_variant_new_uint32(1);
    case 't':
        return g_variant_new_uint64(1);
    default:
        break;
    }
    g_variant_builder_init(&builder, type);
    if (first == '(')
        for (const GVariantType *item = g_variant_type_first(type); item;
             item = g_variant_type_next(item))
            g_variant_builder_add_value(&builder, value_with_text(item));
    else if (!g_variant_type_is_subtype_of(type, G_VARIANT_TYPE_DICTIONARY))
        g_variant_builder_add_value(&builder, value_with_text(g_variant_type_element(type)));
    return g_variant_builder_end(&builder);
}

/* The call as it goes over the wire; NULL: it takes no text. */
static GBytes *
call_with_nul(const char *name, const Member *method)
{
    g_autofree char *type = g_strdup_printf("(%s)", method->arguments);
    g_autoptr(GError) error = NULL;
    g_autoptr(GDBusMessage) message =
        g_dbus_message_new_method_call(name, method->path, method->interface, method->name);
    bool has_text = false;
    gsize size;

    g_dbus_message_set_serial(message, 1000);
    g_dbus_message_set_body(message, value_with_text(G_VARIANT_TYPE(type)));
    guchar *blob = g_dbus_message_to_blob(message, &size, G_DBUS_CAPABILITY_FLAGS_NONE, &error);
    g_assert_no_error(error);
    for (char *at; (at = memmem(blob, size, NUL_HERE, strlen(NUL_HERE)));) {
        *at = '\0';
        has_text = true;
    }
    g_autoptr(GBytes) bytes = g_bytes_new_take(blob, size);
    return has_text ? g_steal_pointer(&bytes) : NULL;
}

static void
assert_turned_away(World *w, GBytes *call)
{
    g_autoptr(GDBusConnection) bus = gio_bus_connect(w);
    GOutputStream *stream = g_io_stream_get_output_stream(g_dbus_connection_get_stream(bus));
    gsize size;
    const void *data = g_bytes_get_data(call, &size);

    g_assert_true(g_output_stream_write_all(stream, data, size, NULL, NULL, NULL));
    for (gint64 left = BOUND_MS * 1000 / LOOK_USEC; !g_dbus_connection_is_closed(bus); left--) {
        g_assert_cmpint(left, >, 0);
        (void)world_turn(w, g_get_monotonic_time() + LOOK_USEC);
    }
}

/* No text of the bus has one: the bus turns root itself away, and nothing arrives. */
static void
test_nul(void)
{
    g_autoptr(Service) s = service_new("--uri=test:///default", "--log-level=debug", NULL);
    g_autoptr(GPtrArray) members = interface_members(s->client);
    g_autofree char *log_before = process_stderr(world_service(s->world));
    guint64 mark = mirror_mark(s->mirror);
    guint n = 0;

    for (guint i = 0; i < members->len; i++) {
        const Member *method = members->pdata[i];

        g_autoptr(GBytes) call =
            method->is_property ? NULL : call_with_nul(world_name(s->world), method);
        if (call) {
            assert_turned_away(s->world, call);
            n++;
        }
    }
    g_test_message("%u methods that take text", n);
    g_assert_cmpuint(n, >, 30);
    g_autoptr(Call) list = manager_call(s, "ListDomains", NULL);
    assert_ok(list);
    g_autofree char *log = process_stderr(world_service(s->world));
    g_assert_cmpstr(log, ==, log_before);
    g_assert_cmpuint(mirror_count(s->mirror, mark, NULL, NULL), ==, 0);
}

/* --- objects that go while a call to them is on its way ------------------------------------ */

static bool
has_logged(World *w, const char *words)
{
    g_autofree char *log = process_stderr(world_service(w));

    return strstr(log, words) != NULL;
}

/*
 * The bus is asked who a new caller is, and then the domain and its job are gone. The bus stands
 * still meanwhile, so that the answer comes after their end.
 */
static void
test_gone_meanwhile(void)
{
    g_autoptr(Node) node = node_new();
    node_add_domain(node, &(NodeDomain){.name = "passing", .state = "shutdown", .transient = true});
    g_autoptr(Service) s = service_on_node(node, "--stop-timeout=600", NULL);
    g_autofree char *path = client_domain(s->client, "passing");
    g_autoptr(Call) stop = domain_call(s, path, "StopWithOptions", "a{sv}", 0);
    g_autoptr(Client) c = client_new(s->world);

    process_signal(world_service(s->world), SIGSTOP);
    g_autoptr(Call) force = domain_send(s, path, "ForceStop", NULL);
    client_pass_through_bus(s->client);
    g_autoptr(Call) memory =
        client_send(c, path, VMS_CONFIG_INTERFACE, "SetMemory", "ta{sv}", (guint64)MIB, 0);
    g_autoptr(Call) vcpus = client_send(c, path, VMS_CONFIG_INTERFACE, "SetVCpus", "ua{sv}", 1, 0);
    g_autoptr(Call) cancel = client_send(c, call_path(stop), VMS_JOB_INTERFACE, "Cancel", NULL);
    client_pass_through_bus(c);

    process_signal(world_bus(s->world), SIGSTOP);
    process_signal(world_service(s->world), SIGCONT);
    while (!has_logged(s->world, "\"passing\" is gone"))
        (void)world_turn(s->world, g_get_monotonic_time() + LOOK_USEC);
    process_signal(world_bus(s->world), SIGCONT);
    assert_ok(force);
    assert_error(memory, VMS_ERROR_PREFIX "NoSuchDomain");
    assert_error(vcpus, VMS_ERROR_PREFIX "NoSuchDomain");
    assert_error(cancel, SD_BUS_ERROR_UNKNOWN_OBJECT);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hostile/descriptors", test_descriptors);
    g_test_add_func("/hostile/nested-structs", test_nested_structs);
    g_test_add_func("/hostile/attributes", test_attributes);
    g_test_add_func("/hostile/noncharacters", test_noncharacters);
    g_test_add_func("/hostile/nul", test_nul);
    g_test_add_func("/hostile/gone-meanwhile", test_gone_meanwhile);
    return g_test_run();
}
