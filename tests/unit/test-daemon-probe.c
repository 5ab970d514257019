/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Asking whether a daemon answers, against sockets of our own. */

#include "daemon-probe.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A server that says nothing costs the test this; one that answers does so long before. */
/* For one that says nothing; one that answers may take its time. */
#define LIMIT_MSEC    300
#define ANSWERED_MSEC 30000

typedef struct {
    char *dir;
    char *path;
    int fd;
    GThread *thread; /* answers one client */
} Server;

static gpointer
answer_one(gpointer data)
{
    const Server *server = data;
    int client = accept(server->fd, NULL, NULL);
    unsigned char question[28];
    static const unsigned char expected[28] = {0, 0, 0, 28, 0x20, 0, 0x80, 0x86,
                                               0, 0, 0, 1,  0,    0, 0,    66};

    g_assert_cmpint(client, >=, 0);
    g_assert_cmpint(recv(client, question, sizeof question, MSG_WAITALL), ==, sizeof question);
    g_assert_cmpmem(question, sizeof question, expected, sizeof expected);
    g_assert_cmpint(send(client, question, sizeof question, MSG_NOSIGNAL), ==, sizeof question);
    close(client);
    return NULL;
}

static void
listen_on_unix(Server *server)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    *server = (Server){.dir = g_dir_make_tmp("probe-XXXXXX", NULL)};
    g_assert_nonnull(server->dir);
    server->path = g_build_filename(server->dir, "socket", NULL);
    g_strlcpy(address.sun_path, server->path, sizeof address.sun_path);
    server->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(server->fd, (struct sockaddr *)&address, sizeof address), ==, 0);
    g_assert_cmpint(listen(server->fd, 8), ==, 0);
}

/* The port. */
static int
listen_on_tcp(Server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {g_htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;

    *server = (Server){0};
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(server->fd, (struct sockaddr *)&address, size), ==, 0);
    g_assert_cmpint(listen(server->fd, 8), ==, 0);
    g_assert_cmpint(getsockname(server->fd, (struct sockaddr *)&address, &size), ==, 0);
    return g_ntohs(address.sin_port);
}

static void
server_clear(Server *server)
{
    if (server->thread)
        g_thread_join(server->thread);
    close(server->fd);
    if (server->path) {
        (void)g_unlink(server->path);
        (void)g_rmdir(server->dir);
    }
    g_free(server->path);
    g_free(server->dir);
}

static void
test_local(void)
{
    Server server;

    listen_on_unix(&server);
    const char *const sockets[] = {"/nonexistent/socket", server.path, NULL};

    /* It takes the connection and says nothing. */
    g_assert_false(daemon_probe("qemu:///system", sockets, LIMIT_MSEC));
    server_clear(&server);
    g_assert_false(daemon_probe("qemu:///system", sockets, LIMIT_MSEC));

    listen_on_unix(&server);
    const char *const again[] = {"/nonexistent/socket", server.path, NULL};
    server.thread = g_thread_new("server", answer_one, &server);
    g_assert_true(daemon_probe("qemu:///system", again, ANSWERED_MSEC));
    server_clear(&server);
}

static void
test_remote(void)
{
    Server server;
    const char *const none[] = {NULL};
    int port = listen_on_tcp(&server);
    g_autofree char *tcp = g_strdup_printf("qemu+tcp://127.0.0.1:%d/system", port);
    g_autofree char *tls = g_strdup_printf("qemu://127.0.0.1:%d/system", port);

    server.thread = g_thread_new("server", answer_one, &server);
    g_assert_true(daemon_probe(tcp, none, ANSWERED_MSEC));
    g_assert_true(daemon_probe(tls, none, ANSWERED_MSEC));
    g_assert_false(daemon_probe(tcp, none, LIMIT_MSEC));
    server_clear(&server);
    g_assert_false(daemon_probe(tcp, none, LIMIT_MSEC));
    g_assert_false(daemon_probe(tls, none, LIMIT_MSEC));
}

/* Only an attempt can tell. */
static void
test_others(void)
{
    g_assert_true(daemon_probe("qemu+ssh://host/system", NULL, LIMIT_MSEC));
    g_assert_true(daemon_probe("qemu+ext:///system", NULL, LIMIT_MSEC));
    g_assert_true(daemon_probe("no URI at all", NULL, LIMIT_MSEC));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/daemon-probe/local", test_local);
    g_test_add_func("/daemon-probe/remote", test_remote);
    g_test_add_func("/daemon-probe/others", test_others);
    return g_test_run();
}
