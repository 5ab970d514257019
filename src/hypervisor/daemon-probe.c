/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon-probe.h"

#include <errno.h>
#include <glib.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define DEFAULT_PORT_TCP 16509
#define DEFAULT_PORT_TLS 16514

static bool
wait_for(int fd, short events, int limit_msec)
{
    struct pollfd poll_fd = {.fd = fd, .events = events};
    int r;

    do
        r = poll(&poll_fd, 1, limit_msec);
    while (r < 0 && errno == EINTR);
    return r > 0 && (poll_fd.revents & events);
}

/* REMOTE_PROC_AUTH_LIST of libvirt's protocol: which authentication is there? Anything may ask. */
static bool
ask(int fd, int limit_msec)
{
    static const uint32_t message[] = {28, 0x20008086, 1, 66, 0, 0, 0};
    uint32_t wire[G_N_ELEMENTS(message)];
    char answer;

    for (unsigned i = 0; i < G_N_ELEMENTS(message); i++)
        wire[i] = g_htonl(message[i]);
    return send(fd, wire, sizeof wire, MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof wire &&
           wait_for(fd, POLLIN, limit_msec) && recv(fd, &answer, 1, MSG_DONTWAIT) == 1;
}

static bool
finish_connecting(int fd, int limit_msec)
{
    int error = 0;
    socklen_t size = sizeof error;

    return wait_for(fd, POLLOUT, limit_msec) &&
           getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

static bool
try_address(const struct sockaddr *address, socklen_t size, bool asks, int limit_msec)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool answered = false;

    if (fd < 0)
        return false;
    if (connect(fd, address, size) == 0 ||
        (errno == EINPROGRESS && finish_connecting(fd, limit_msec)))
        answered = !asks || ask(fd, limit_msec);
    close(fd);
    return answered;
}

static bool
try_socket(const char *path, int limit_msec)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (g_strlcpy(address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path)
        return false;
    return try_address((const struct sockaddr *)&address, sizeof address, true, limit_msec);
}

static bool
try_host(const char *host, int port, bool tls, int limit_msec)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    g_autofree char *service = NULL;
    struct addrinfo *found = NULL;
    bool answered = false;

    if (port <= 0)
        port = tls ? DEFAULT_PORT_TLS : DEFAULT_PORT_TCP;
    service = g_strdup_printf("%d", port);
    if (getaddrinfo(host, service, &hints, &found) != 0)
        return false;
    for (const struct addrinfo *a = found; a && !answered; a = a->ai_next)
        answered = try_address(a->ai_addr, a->ai_addrlen, !tls, limit_msec);
    freeaddrinfo(found);
    return answered;
}

bool
daemon_probe(const char *uri, const char *const *sockets, int limit_msec)
{
    g_autoptr(GUri) parsed = g_uri_parse(uri, G_URI_FLAGS_ENCODED_QUERY, NULL);
    const char *host = parsed ? g_uri_get_host(parsed) : NULL;
    const char *transport = parsed ? strchr(g_uri_get_scheme(parsed), '+') : NULL;

    if (sockets && *sockets) {
        for (; *sockets; sockets++)
            if (try_socket(*sockets, limit_msec))
                return true;
        return false;
    }
    if (!host || !*host)
        return true;
    if (!transport || g_str_equal(transport, "+tls"))
        return try_host(host, g_uri_get_port(parsed), true, limit_msec);
    if (g_str_equal(transport, "+tcp"))
        return try_host(host, g_uri_get_port(parsed), false, limit_msec);
    return true;
}
