/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The usual case: the service on a host of the test driver, available, with a client and a mirror.
 *
 *     g_autoptr(Service) s = service_new("--uri=test:///default", "--stop-timeout=1", NULL);
 *     g_autoptr(Service) s = service_on_node(node, "--stop-timeout=1", NULL);
 *
 * service_free() checks the mirror, and that the service ends well.
 */

#include "client.h"
#include "mirror.h"
#include "names.h"
#include "node.h"
#include "world.h"

typedef struct Service {
    World *world;
    Client *client;
    Mirror *mirror;
} Service;

Service *service_new(const char *option, ...) G_GNUC_NULL_TERMINATED;
Service *service_on_node(Node *node, const char *option, ...) G_GNUC_NULL_TERMINATED;
/* In a world whose bus runs already, and which it takes over. */
Service *service_on_node_in(World *w, Node *node, const char *option, ...) G_GNUC_NULL_TERMINATED;
/* The one that is installed, on the system bus: see world_system(). It has to have a domain. */
Service *service_installed(void);
void service_free(Service *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Service, service_free)

/* Calls on a domain, and on the Manager. */
#define domain_call(s, path, member, ...)                                                          \
    client_call((s)->client, path, VMS_DOMAIN_INTERFACE, member, __VA_ARGS__)
#define domain_send(s, path, member, ...)                                                          \
    client_send((s)->client, path, VMS_DOMAIN_INTERFACE, member, __VA_ARGS__)
#define saved_call(s, path, ...) client_call((s)->client, path, VMS_SAVED_INTERFACE, __VA_ARGS__)
#define snapshots_call(s, path, ...)                                                               \
    client_call((s)->client, path, VMS_SNAPSHOTS_INTERFACE, __VA_ARGS__)
#define migrate_call(s, path, ...)                                                                 \
    client_call((s)->client, path, VMS_MIGRATION_INTERFACE, "Migrate", __VA_ARGS__)
#define manager_call(s, member, ...)                                                               \
    client_call((s)->client, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, member, __VA_ARGS__)
#define manager_send(s, member, ...)                                                               \
    client_send((s)->client, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, member, __VA_ARGS__)

/* Waits for the end of the job that the call returned: "RESULT MESSAGE", to be freed. A real
 * guest's memory takes its time. */
char *service_job_end(Service *s, Call *call);
#define assert_job_ends(s, call, expected)                                                         \
    G_STMT_START                                                                                   \
    {                                                                                              \
        g_autofree char *end_ = service_job_end(s, call);                                          \
        g_assert_cmpstr(end_, ==, expected);                                                       \
    }                                                                                              \
    G_STMT_END

/* Whether the domain is said to have a managed save, or to have none. */
bool service_is_saved(Service *s, const char *path, bool saved);
