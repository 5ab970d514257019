/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "console-child.h"

#include "console-child-loop.h"
#include "hypervisor-private.h"
#include "hypervisor-reason.h"
#include "units.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_SIZE            (64 * KIB)
/* A write of this size to a connection that poll() calls writable does not block. */
#define SEND_MAX               8192
/* By then the client has been answered that it timed out. */
#define OPEN_LIMIT_SEC         20
#define CLOSE_LIMIT_SEC        3
/* libvirt may take a moment to notice that a console was closed. */
#define TAKEN_RETRY_USEC       20000
#define TAKEN_RETRIES          50
/*
 * Signs of life from us, at this interval, so that libvirtd does not give up a client that does not
 * read for a while. That it does not answer them then is no reason to give up.
 */
#define KEEPALIVE_INTERVAL_SEC 5
#define KEEPALIVE_COUNT        UINT_MAX
/* Data that a client wrote right before it left is still delivered, if the guest reads it. */
#define DRAIN_LIMIT_USEC       ((gint64)G_USEC_PER_SEC)
#define DRAIN_TURN_MS          20

typedef struct {
    char data[BUFFER_SIZE];
    size_t start;
    size_t end;
} Buffer;

typedef struct {
    virConnectPtr conn;
    virDomainPtr dom;
    virStreamPtr stream;

    Buffer to_client;
    Buffer to_guest;
    bool guest_ended;
    bool client_ended; /* all that it wrote has been read */
    bool client_gone;  /* nobody is there to write to */
    gint64 gone_at;
    bool dismissed; /* the control socket has closed */
} Console;

enum { OWN_CLIENT, OWN_CONTROL, N_OWN };

/* --- buffers ------------------------------------------------------------------------------ */

static size_t
buffer_used(const Buffer *buffer)
{
    return buffer->end - buffer->start;
}

/* The free space at the end, after moving the contents to the start. */
static size_t
buffer_room(Buffer *buffer)
{
    if (buffer->start > 0) {
        memmove(buffer->data, buffer->data + buffer->start, buffer_used(buffer));
        buffer->end -= buffer->start;
        buffer->start = 0;
    }
    return BUFFER_SIZE - buffer->end;
}

static void
buffer_drop(Buffer *buffer, size_t n)
{
    buffer->start += n;
    if (buffer->start == buffer->end)
        buffer->start = buffer->end = 0;
}

/* --- opening ------------------------------------------------------------------------------ */

static void
ignore_error(void *userdata, virErrorPtr error)
{
}

static bool
report(ErrorKind kind, int code, const char *message)
{
    ConsoleReport *packet = g_new0(ConsoleReport, 1);
    const char *end;

    packet->kind = kind;
    packet->libvirt_code = code;
    g_strlcpy(packet->message, message, sizeof packet->message);
    /* It may have been cut within a character. */
    if (!g_utf8_validate(packet->message, -1, &end))
        packet->message[end - packet->message] = '\0';
    size_t size = offsetof(ConsoleReport, message) + strlen(packet->message) + 1;
    bool sent = send(CONSOLE_FD_CONTROL, packet, size, MSG_NOSIGNAL) == (ssize_t)size;

    g_free(packet);
    return sent && kind == ERROR_NONE;
}

static bool
report_failure(ErrorKind kind)
{
    g_autofree char *words = hypervisor_last_words();

    return report(kind, virGetLastErrorCode(), words);
}

/* libvirt has no error code of its own for a console that is in use; other failures have other
 * codes. */
static bool
is_taken(void)
{
    return hypervisor_failed_with(VIR_ERR_OPERATION_FAILED);
}

static bool
open_stream(Console *console, const char *device, unsigned flags)
{
    const char *name = *device ? device : NULL;

    for (unsigned i = 0; i < TAKEN_RETRIES; i++) {
        g_clear_pointer(&console->stream, virStreamFree);
        console->stream = virStreamNew(console->conn, VIR_STREAM_NONBLOCK);
        if (!console->stream)
            return report_failure(hypervisor_error_kind(virGetLastErrorCode()));
        if (virDomainOpenConsole(console->dom, name, console->stream, flags) == 0)
            return true;
        if (!is_taken())
            return report_failure(hypervisor_error_kind(virGetLastErrorCode()));
        g_usleep(TAKEN_RETRY_USEC);
    }
    return report_failure(ERROR_BUSY);
}

static bool
open_console(Console *console, const char *uri, const char *uuid, const char *device,
             unsigned flags)
{
    console->conn = virConnectOpen(uri);
    if (!console->conn)
        return report_failure(ERROR_NOT_AVAILABLE);
    if (virConnectSetKeepAlive(console->conn, KEEPALIVE_INTERVAL_SEC, KEEPALIVE_COUNT) < 0)
        virResetLastError();
    console->dom = virDomainLookupByUUIDString(console->conn, uuid);
    if (!console->dom)
        return report_failure(hypervisor_error_kind(virGetLastErrorCode()));
    return open_stream(console, device, flags) && report(ERROR_NONE, 0, "");
}

/* --- bridging ----------------------------------------------------------------------------- */

/* Each of these moves as much data as it can without waiting, and returns whether it moved any. */

static bool
receive_from_guest(Console *console)
{
    bool moved = false;
    size_t room;

    while (!console->guest_ended && (room = buffer_room(&console->to_client)) > 0) {
        int n =
            virStreamRecv(console->stream, console->to_client.data + console->to_client.end, room);

        if (n == -2)
            break;
        if (n <= 0) {
            console->guest_ended = true;
            break;
        }
        console->to_client.end += (size_t)n;
        moved = true;
    }
    /* All data that libvirt had buffered has been received by now. */
    if (!moved && virConnectIsAlive(console->conn) != 1 && buffer_used(&console->to_client) == 0)
        console->guest_ended = true;
    return moved;
}

static void
lose_client(Console *console)
{
    if (console->client_gone)
        return;
    console->client_gone = true;
    console->gone_at = g_get_monotonic_time();
    console->to_client.start = console->to_client.end = 0;
}

static bool
send_to_client(Console *console)
{
    Buffer *buffer = &console->to_client;
    bool moved = false;

    while (!console->client_gone && buffer_used(buffer) > 0) {
        ssize_t n = send(CONSOLE_FD_CLIENT, buffer->data + buffer->start, buffer_used(buffer),
                         MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0) {
            lose_client(console);
            break;
        }
        buffer_drop(buffer, (size_t)n);
        moved = true;
    }
    return moved;
}

static bool
move_to_client(Console *console)
{
    bool received = receive_from_guest(console);

    return send_to_client(console) || received;
}

static void
receive_from_client(Console *console)
{
    Buffer *buffer = &console->to_guest;
    size_t room = buffer_room(buffer);

    if (console->client_ended || room == 0)
        return;

    ssize_t n = recv(CONSOLE_FD_CLIENT, buffer->data + buffer->end, room, MSG_DONTWAIT);
    if (n > 0)
        buffer->end += (size_t)n;
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        console->client_ended = true;
}

static void
send_to_guest(Console *console)
{
    Buffer *buffer = &console->to_guest;
    size_t n = MIN(buffer_used(buffer), SEND_MAX);
    int sent = n > 0 ? virStreamSend(console->stream, buffer->data + buffer->start, n) : 0;

    if (sent > 0)
        buffer_drop(buffer, (size_t)sent);
    else if (sent == -1)
        console->guest_ended = true;
}

static bool
is_over(const Console *console)
{
    if (console->dismissed)
        return true;
    if (!console->client_gone)
        return console->guest_ended && buffer_used(&console->to_client) == 0;
    if (console->guest_ended || (console->client_ended && buffer_used(&console->to_guest) == 0))
        return true;
    return g_get_monotonic_time() - console->gone_at > DRAIN_LIMIT_USEC;
}

static void
turn(Console *console)
{
    bool for_guest = buffer_used(&console->to_guest) > 0 && !console->guest_ended;
    bool may_read = buffer_room(&console->to_client) > 0;
    bool ready = false;
    struct pollfd own[N_OWN] = {
        [OWN_CLIENT] = {.fd = console->client_gone ? -1 : CONSOLE_FD_CLIENT},
        [OWN_CONTROL] = {.fd = CONSOLE_FD_CONTROL},
    };

    if (!console->client_ended && buffer_room(&console->to_guest) > 0)
        own[OWN_CLIENT].events |= POLLIN;
    if (buffer_used(&console->to_client) > 0)
        own[OWN_CLIENT].events |= POLLOUT;
    console_loop_turn(own, N_OWN, console->client_gone ? DRAIN_TURN_MS : -1, may_read,
                      for_guest ? &ready : NULL);

    if (own[OWN_CONTROL].revents)
        console->dismissed = true;
    if (own[OWN_CLIENT].revents & (POLLHUP | POLLERR))
        lose_client(console);
    if (own[OWN_CLIENT].revents & POLLIN || console->client_gone)
        receive_from_client(console);
    if (ready)
        send_to_guest(console);
}

/* Closing the stream releases the console; a libvirt that hangs is not waited for. */
static void
end_stream(Console *console)
{
    if (!console->stream)
        return;
    alarm(CLOSE_LIMIT_SEC);
    if (virStreamFinish(console->stream) < 0)
        virStreamAbort(console->stream);
    g_clear_pointer(&console->stream, virStreamFree);
    alarm(0);
}

static void
bridge(Console *console)
{
    while (!is_over(console)) {
        turn(console);
        while (move_to_client(console))
            ;
        if (console->guest_ended)
            end_stream(console);
    }
}

/* --- the process -------------------------------------------------------------------------- */

static void
close_console(Console *console)
{
    end_stream(console);
    alarm(CLOSE_LIMIT_SEC);
    if (console->dom)
        virDomainFree(console->dom);
    if (console->conn)
        virConnectClose(console->conn);
    virResetLastError();
}

int
hypervisor_console_main(int argc, char **argv)
{
    Console *console;

    if (argc != 6)
        return EXIT_FAILURE;
    (void)signal(SIGPIPE, SIG_IGN);
    alarm(OPEN_LIMIT_SEC);
    console_loop_register();
    if (virInitialize() < 0)
        return EXIT_FAILURE;
    virSetErrorFunc(NULL, ignore_error);

    console = g_new0(Console, 1);
    bool opened =
        open_console(console, argv[2], argv[3], argv[4],
                     g_str_equal(argv[5], CONSOLE_TAKE_OVER) ? VIR_DOMAIN_CONSOLE_FORCE : 0);
    alarm(0);
    if (opened)
        bridge(console);
    close_console(console);
    g_free(console);
    console_loop_clear();
    return EXIT_SUCCESS;
}
