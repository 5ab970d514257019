/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The introspection data of the running service: the same as the XML in dbus, on every object, and
 * acceptable to the tools that clients are made with. */

#include "service.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>

#define INTROSPECTABLE "org.freedesktop.DBus.Introspectable"
#define PEER           "org.freedesktop.DBus.Peer"
#define PROPERTIES     "org.freedesktop.DBus.Properties"
#define OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"

/* Annotations that code generators read; all others are remarks. */
static const char *const annotations_that_matter[] = {
    "org.freedesktop.DBus.Property.EmitsChangedSignal", "org.freedesktop.DBus.Deprecated",
    "org.freedesktop.DBus.Method.NoReply", "org.freedesktop.systemd1.Privileged", NULL};

static int
compare_texts(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *
attribute(xmlNode *node, const char *name)
{
    xmlChar *value = xmlGetProp(node, (const xmlChar *)name);
    char *copy = g_strdup(value ? (const char *)value : "");

    xmlFree(value);
    return copy;
}

static bool
is_element(xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && g_str_equal(node->name, name);
}

static void
describe_argument(xmlNode *arg, bool is_signal, GString *out)
{
    g_autofree char *name = attribute(arg, "name");
    g_autofree char *type = attribute(arg, "type");
    g_autofree char *direction = attribute(arg, "direction");
    const char *effective = *direction ? direction : is_signal ? "out" : "in";

    g_string_append_printf(out, " %s %s %s,", effective, type, name);
}

static void
describe_annotation(xmlNode *annotation, GString *out)
{
    g_autofree char *name = attribute(annotation, "name");
    g_autofree char *value = attribute(annotation, "value");

    /* "true" is the default. */
    if (g_strv_contains(annotations_that_matter, name) && !g_str_equal(value, "true"))
        g_string_append_printf(out, " [%s=%s]", name, value);
}

/* "method GetDomain in s name_or_uuid, out o domain," */
static char *
describe_member(xmlNode *member)
{
    g_autofree char *name = attribute(member, "name");
    g_autoptr(GString) out = g_string_new(NULL);

    g_string_append_printf(out, "%s %s", (const char *)member->name, name);
    if (is_element(member, "property")) {
        g_autofree char *type = attribute(member, "type");
        g_autofree char *access = attribute(member, "access");
        g_string_append_printf(out, " %s %s", type, access);
    }
    for (xmlNode *child = member->children; child; child = child->next)
        if (is_element(child, "arg"))
            describe_argument(child, is_element(member, "signal"), out);
    for (xmlNode *child = member->children; child; child = child->next)
        if (is_element(child, "annotation"))
            describe_annotation(child, out);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

/* One line a member, sorted. */
static char *
describe_interface(xmlNode *interface)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);

    for (xmlNode *member = interface->children; member; member = member->next)
        if (member->type == XML_ELEMENT_NODE && !is_element(member, "annotation"))
            g_ptr_array_add(lines, describe_member(member));
    g_ptr_array_sort(lines, compare_texts);
    g_ptr_array_add(lines, NULL);
    return g_strjoinv("\n", (char **)lines->pdata);
}

/* Interface name to description; and the names of child nodes, if asked for. */
static GHashTable *
describe(xmlDoc *doc, GPtrArray *children)
{
    GHashTable *found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    g_assert_nonnull(doc);
    for (xmlNode *node = xmlDocGetRootElement(doc)->children; node; node = node->next) {
        if (is_element(node, "interface"))
            g_hash_table_insert(found, attribute(node, "name"), describe_interface(node));
        if (is_element(node, "node") && children)
            g_ptr_array_add(children, attribute(node, "name"));
    }
    xmlFreeDoc(doc);
    return found;
}

static GHashTable *
introspect(Client *c, const char *path, GPtrArray *children)
{
    g_autoptr(Call) call = client_call(c, path, INTROSPECTABLE, "Introspect", NULL);
    const char *xml;

    assert_ok(call);
    g_assert_cmpint(sd_bus_message_read(call->reply, "s", &xml), >, 0);
    return describe(xmlReadMemory(xml, (int)strlen(xml), path, NULL, XML_PARSE_NONET), children);
}

static const char *
interfaces_directory(void)
{
    const char *directory = g_getenv("VMS_INTERFACES");

    if (!directory)
        g_error("VMS_INTERFACES has to name the directory of the XML");
    return directory;
}

/* All that the files document. */
static GHashTable *
documented(void)
{
    GHashTable *all = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GDir) dir = g_dir_open(interfaces_directory(), 0, NULL);
    const char *name;

    g_assert_nonnull(dir);
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(interfaces_directory(), name, NULL);
        g_autofree char *stem = g_strndup(name, strlen(name) - MIN(strlen(name), strlen(".xml")));
        GHashTableIter iter;
        gpointer interface, description;

        if (!g_str_has_suffix(name, ".xml"))
            continue;
        g_autoptr(GHashTable) found = describe(xmlReadFile(path, NULL, XML_PARSE_NONET), NULL);
        g_assert_cmpuint(g_hash_table_size(found), ==, 1);
        g_assert_true(g_hash_table_contains(found, stem));
        g_hash_table_iter_init(&iter, found);
        while (g_hash_table_iter_next(&iter, &interface, &description))
            g_hash_table_insert(all, g_strdup(interface), g_strdup(description));
    }
    return all;
}

/* Returns how many interfaces of ours the object has. */
static guint
check_object(Client *c, const char *path, GHashTable *expected, GHashTable *seen)
{
    g_autoptr(GHashTable) found = introspect(c, path, NULL);
    GHashTableIter iter;
    gpointer interface, description;
    guint n = 0;

    g_assert_true(g_hash_table_contains(found, PEER));
    g_assert_true(g_hash_table_contains(found, INTROSPECTABLE));
    g_assert_true(g_hash_table_contains(found, PROPERTIES));
    g_hash_table_iter_init(&iter, found);
    while (g_hash_table_iter_next(&iter, &interface, &description)) {
        if (g_str_has_prefix(interface, "org.freedesktop.DBus."))
            continue;
        if (!g_hash_table_contains(expected, interface))
            g_error("%s on %s is not documented", (char *)interface, path);
        g_assert_cmpstr(description, ==, g_hash_table_lookup(expected, interface));
        g_hash_table_add(seen, g_strdup(interface));
        n++;
    }
    return n;
}

typedef struct Scene {
    Service *service;
    char *domain;
    char *job;
} Scene;

/* One domain, with a job that stays. */
static void
set_scene(Scene *scene)
{
    g_autoptr(Node) node = node_new();

    node_add(node, "stuck", "shutdown");
    scene->service = service_on_node(node, "--stop-timeout=600", NULL);
    scene->domain = client_domain(scene->service->client, "stuck");
    g_autoptr(Call) stop =
        domain_call(scene->service, scene->domain, "StopWithOptions", "a{sv}", 0);
    assert_ok(stop);
    scene->job = g_strdup(call_path(stop));
}

static void
clear_scene(Scene *scene)
{
    g_autoptr(Call) canceled =
        client_call(scene->service->client, scene->job, VMS_JOB_INTERFACE, "Cancel", NULL);

    assert_ok(canceled);
    service_free(scene->service);
    g_free(scene->domain);
    g_free(scene->job);
}

static void
test_equals_documents(void)
{
    Scene scene;
    set_scene(&scene);
    Client *c = scene.service->client;
    g_autoptr(GHashTable) expected = documented();
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) root = introspect(c, VMS_ROOT_PATH, NULL);
    GHashTableIter iter;
    gpointer interface;

    g_assert_true(g_hash_table_contains(root, OBJECT_MANAGER));
    g_assert_true(g_hash_table_contains(root, VMS_MANAGER_INTERFACE));
    g_assert_cmpuint(check_object(c, VMS_ROOT_PATH, expected, seen), ==, 3);
    g_assert_cmpuint(check_object(c, scene.domain, expected, seen), >=, 1);
    g_assert_cmpuint(check_object(c, scene.job, expected, seen), ==, 1);
    g_hash_table_iter_init(&iter, expected);
    while (g_hash_table_iter_next(&iter, &interface, NULL))
        if (!g_hash_table_contains(seen, interface))
            g_error("%s is documented, but no object has it", (char *)interface);
    clear_scene(&scene);
}

static void
check_child(Client *c, const char *path, const char *child)
{
    g_autoptr(GPtrArray) children = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GHashTable) found = introspect(c, path, children);
    g_autoptr(GString) names = g_string_new(NULL);

    g_assert_nonnull(found);
    for (guint i = 0; i < children->len; i++)
        g_string_append_printf(names, "%s ", (char *)children->pdata[i]);
    g_test_message("%s: %s", path, names->str);
    g_assert_cmpuint(children->len, >=, 1);
    for (guint i = 0; i < children->len; i++)
        if (g_str_equal(children->pdata[i], child))
            return;
    g_error("%s does not show its child %s, only %s", path, child, names->str);
}

/* From "/" one finds the way to every object. */
static void
test_intermediate_nodes(void)
{
    Scene scene;
    set_scene(&scene);
    Client *c = scene.service->client;

    check_child(c, "/", "org");
    check_child(c, "/org", "unraid");
    check_child(c, "/org/unraid", "Vms");
    check_child(c, VMS_ROOT_PATH, "domain");
    check_child(c, VMS_ROOT_PATH, "job");
    check_child(c, VMS_DOMAIN_PREFIX, strrchr(scene.domain, '/') + 1);
    check_child(c, VMS_JOB_PREFIX, strrchr(scene.job, '/') + 1);
    clear_scene(&scene);
}

/* Without domains and jobs, the places where they would be are there nevertheless. */
static void
test_empty_nodes(void)
{
    g_autoptr(Node) node = node_new();
    g_autoptr(Service) s = service_on_node(node, NULL, NULL);

    check_child(s->client, "/org/unraid", "Vms");
    g_autoptr(GHashTable) root = introspect(s->client, VMS_ROOT_PATH, NULL);
    g_assert_true(g_hash_table_contains(root, VMS_MANAGER_INTERFACE));
}

static void
check_get_all(Client *c, const char *path, const char *interface)
{
    g_autoptr(Call) ping = client_call(c, path, PEER, "Ping", NULL);
    g_autoptr(Call) machine = client_call(c, path, PEER, "GetMachineId", NULL);
    g_autoptr(Call) all = client_call(c, path, PROPERTIES, "GetAll", "s", interface);
    g_autoptr(Call) every = client_call(c, path, PROPERTIES, "GetAll", "s", "");
    g_autoptr(Call) none = client_call(c, path, PROPERTIES, "GetAll", "s", PEER);

    assert_ok(ping);
    assert_ok(machine);
    assert_ok(all);
    g_assert_cmpuint(strlen(all->body), >, strlen("{}"));
    assert_ok(every);
    assert_ok(none);
    g_assert_cmpstr(none->body, ==, "{}");
}

static void
test_standard_interfaces(void)
{
    Scene scene;
    set_scene(&scene);
    Client *c = scene.service->client;

    check_get_all(c, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE);
    check_get_all(c, scene.domain, VMS_DOMAIN_INTERFACE);
    check_get_all(c, scene.job, VMS_JOB_INTERFACE);
    g_autoptr(Call) root = client_call(c, VMS_ROOT_PATH, OBJECT_MANAGER, "GetManagedObjects", NULL);
    assert_ok(root);
    clear_scene(&scene);
}

static bool
has_tool(const char *tool)
{
    g_autofree char *path = g_find_program_in_path(tool);

    if (path)
        return true;
    g_autofree char *why = g_strconcat(tool, " is not installed", NULL);
    g_test_skip(why);
    return false;
}

/* Runs a tool on the bus of the scene; returns what it prints. */
static char *
run_tool(const char *const *argv)
{
    g_autofree char *err = NULL;
    char *out;
    int status = process_run(argv, &out, &err);

    if (status != 0 || *err)
        g_error("%s: status %d: %s", argv[0], status, err);
    return out;
}

static void
test_busctl(void)
{
    if (!has_tool("busctl"))
        return;
    Scene scene;
    set_scene(&scene);
    g_autofree char *address = g_strconcat("--address=", world_address(scene.service->world), NULL);
    const char *const objects[] = {VMS_ROOT_PATH, scene.domain, scene.job};
    const char *const members[] = {".ListDomains", ".StopWithOptions", ".Cancel"};

    for (guint i = 0; i < G_N_ELEMENTS(objects); i++) {
        const char *const argv[] = {"busctl",     "--no-pager", address, "introspect",
                                    VMS_BUS_NAME, objects[i],   NULL};
        g_autofree char *out = run_tool(argv);
        g_assert_nonnull(strstr(out, members[i]));
    }
    const char *const argv[] = {"busctl", "--no-pager", "--list", address,
                                "tree",   VMS_BUS_NAME, NULL};
    g_autofree char *tree = run_tool(argv);
    for (guint i = 0; i < G_N_ELEMENTS(objects); i++)
        g_assert_nonnull(strstr(tree, objects[i]));
    clear_scene(&scene);
}

static void
test_gdbus(void)
{
    if (!has_tool("gdbus"))
        return;
    Scene scene;
    set_scene(&scene);
    const char *const argv[] = {
        "gdbus",  "introspect", "--address", world_address(scene.service->world),
        "--dest", VMS_BUS_NAME, "--recurse", "--object-path",
        "/",      NULL};
    g_autofree char *out = run_tool(argv);

    g_assert_nonnull(strstr(out, "interface " VMS_MANAGER_INTERFACE " {"));
    g_assert_nonnull(strstr(out, "interface " VMS_DOMAIN_INTERFACE " {"));
    g_assert_nonnull(strstr(out, "interface " VMS_JOB_INTERFACE " {"));
    g_assert_nonnull(strstr(out, "a(ssso) domains"));
    clear_scene(&scene);
}

/* Each generator on each file: make_argv fills in the argument vector. */
static void
generate(const char *tool, void (*make_argv)(GPtrArray *argv, const char *directory))
{
    if (!has_tool(tool))
        return;
    g_autofree char *directory = g_dir_make_tmp("unraid-vms-test-XXXXXX", NULL);
    g_autoptr(GHashTable) all = documented();
    GHashTableIter iter;
    gpointer interface;

    g_hash_table_iter_init(&iter, all);
    while (g_hash_table_iter_next(&iter, &interface, NULL)) {
        g_autoptr(GPtrArray) argv = g_ptr_array_new();
        g_autofree char *file =
            g_strdup_printf("%s/%s.xml", interfaces_directory(), (const char *)interface);
        g_ptr_array_add(argv, (char *)tool);
        make_argv(argv, directory);
        g_ptr_array_add(argv, file);
        g_ptr_array_add(argv, NULL);
        g_free(run_tool((const char *const *)argv->pdata));
    }
    const char *const rm[] = {"rm", "-rf", "--", directory, NULL};
    g_assert_cmpint(process_run(rm, NULL, NULL), ==, 0);
}

static void
docbook_argv(GPtrArray *argv, const char *directory)
{
    g_ptr_array_add(argv, (char *)"--output-directory");
    g_ptr_array_add(argv, (char *)directory);
    g_ptr_array_add(argv, (char *)"--generate-docbook");
    g_ptr_array_add(argv, (char *)"doc");
}

static void
test_gdbus_codegen_docbook(void)
{
    generate("gdbus-codegen", docbook_argv);
}

static void
c_code_argv(GPtrArray *argv, const char *directory)
{
    g_ptr_array_add(argv, (char *)"--output-directory");
    g_ptr_array_add(argv, (char *)directory);
    g_ptr_array_add(argv, (char *)"--generate-c-code");
    g_ptr_array_add(argv, (char *)"code");
}

static void
test_gdbus_codegen_c(void)
{
    generate("gdbus-codegen", c_code_argv);
}

static void
qt_argv(GPtrArray *argv, const char *directory)
{
    g_ptr_array_add(argv, (char *)"-p");
    g_ptr_array_add(argv, (char *)"-");
}

static void
test_qdbusxml2cpp(void)
{
    generate("qdbusxml2cpp", qt_argv);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/introspection/equals-documents", test_equals_documents);
    g_test_add_func("/introspection/intermediate-nodes", test_intermediate_nodes);
    g_test_add_func("/introspection/empty-nodes", test_empty_nodes);
    g_test_add_func("/introspection/standard-interfaces", test_standard_interfaces);
    g_test_add_func("/introspection/busctl", test_busctl);
    g_test_add_func("/introspection/gdbus", test_gdbus);
    g_test_add_func("/introspection/gdbus-codegen-docbook", test_gdbus_codegen_docbook);
    g_test_add_func("/introspection/gdbus-codegen-c", test_gdbus_codegen_c);
    g_test_add_func("/introspection/qdbusxml2cpp", test_qdbusxml2cpp);
    return g_test_run();
}
