/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "service.h"

#include <stdarg.h>

/*
 * Values of the host and from the XML follow after Available: wait for them, so that a test that
 * counts signals counts its own. A domain with XML has memory, as the host has.
 */
static bool
is_described(Mirror *m)
{
    GHashTableIter iter;
    gpointer key;
    gpointer value;

    if (g_str_equal(mirror_get(m, VMS_ROOT_PATH, VMS_HOST_INTERFACE, "MemoryBytes"), "0"))
        return false;

    g_hash_table_iter_init(&iter, m->values);
    while (g_hash_table_iter_next(&iter, &key, &value))
        if (g_str_has_suffix(key, " " VMS_CONFIG_INTERFACE " MaxMemoryBytes") &&
            g_str_equal(value, "0"))
            return false;
    return true;
}

static Service *
service_in(World *w)
{
    Service *s = g_new0(Service, 1);

    s->world = w;
    s->client = client_new(w);
    client_wait_available(s->client, true);
    s->mirror = mirror_new(s->client);
    wait_for(w, is_described(s->mirror));
    return s;
}

static Service *
start(World *w, GPtrArray *options)
{
    g_ptr_array_add(options, NULL);
    world_startv(w, (const char *const *)options->pdata);
    return service_in(w);
}

Service *
service_installed(void)
{
    return service_in(world_system());
}

static void
collect(GPtrArray *options, const char *option, va_list ap)
{
    for (; option; option = va_arg(ap, const char *))
        g_ptr_array_add(options, (char *)option);
}

Service *
service_new(const char *option, ...)
{
    g_autoptr(GPtrArray) options = g_ptr_array_new();
    va_list ap;

    va_start(ap, option);
    collect(options, option, ap);
    va_end(ap);
    return start(world_new(), options);
}

Service *
service_on_node_in(World *w, Node *node, const char *option, ...)
{
    g_autoptr(GPtrArray) options = g_ptr_array_new();
    g_autofree char *uri = node_uri_option(node, w);
    va_list ap;

    g_ptr_array_add(options, uri);
    va_start(ap, option);
    collect(options, option, ap);
    va_end(ap);
    return start(w, options);
}

Service *
service_on_node(Node *node, const char *option, ...)
{
    g_autoptr(GPtrArray) options = g_ptr_array_new();
    World *w = world_new();
    g_autofree char *uri = node_uri_option(node, w);
    va_list ap;

    g_ptr_array_add(options, uri);
    va_start(ap, option);
    collect(options, option, ap);
    va_end(ap);
    return start(w, options);
}

void
service_free(Service *s)
{
    if (!s)
        return;
    mirror_check(s->mirror);
    mirror_free(s->mirror);
    client_free(s->client);
    world_free(s->world);
    g_free(s);
}

char *
service_job_end(Service *s, Call *call)
{
    assert_ok(call);
    const char *job = call_path(call);

    wait_for_ms(s->world, 120000, mirror_job_removed(s->mirror, job));
    g_auto(GStrv) fields = g_strsplit(mirror_job_removed(s->mirror, job)->body, " ", 3);
    g_assert_cmpuint(g_strv_length(fields), ==, 3);
    return g_strdup(fields[2]);
}

bool
service_is_saved(Service *s, const char *path, bool saved)
{
    return g_strcmp0(mirror_get(s->mirror, path, VMS_SAVED_INTERFACE, "HasManagedSave"),
                     saved ? "true" : "false") == 0;
}
