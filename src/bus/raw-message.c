/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "raw-message.h"

#include "sd-bus-cleanup.h"
#include "units.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* dbus-daemon cuts off whoever sends more than its limit, which is 32 MiB by default. */
#define BODY_MAX (31 * MIB)

/* The specification's codes of header fields. */
enum {
    FIELD_PATH = 1,
    FIELD_INTERFACE = 2,
    FIELD_MEMBER = 3,
    FIELD_REPLY_SERIAL = 5,
    FIELD_DESTINATION = 6,
    FIELD_SIGNATURE = 8,
};

struct RawMessenger {
    int fd;         /* where messages are written; -1: the pair has to be made first */
    sd_bus *reader; /* what makes them sd-bus's own */
    uint32_t serial;
    Wire header;
};

/* --- the pair of sockets ------------------------------------------------------------------ */

/* The reading end acts as the server of the connection. */
static int
open_reader(sd_bus **ret, int fd)
{
    sd_bus *bus = NULL;
    sd_id128_t id;
    int r = sd_bus_new(&bus);

    if (r >= 0)
        r = sd_bus_set_fd(bus, fd, fd);
    if (r < 0) {
        close(fd);
        sd_bus_unref(bus);
        return r;
    }
    r = sd_id128_randomize(&id);
    if (r >= 0)
        r = sd_bus_set_server(bus, true, id);
    if (r >= 0)
        r = sd_bus_set_anonymous(bus, true);
    if (r >= 0)
        r = sd_bus_start(bus);
    if (r < 0) {
        sd_bus_unref(bus);
        return r;
    }
    *ret = bus;
    return 0;
}

/* Its replies are short, and are discarded. */
static int
authenticate(RawMessenger *messenger)
{
    static const char hello[] = "\0AUTH ANONYMOUS 766d73\r\nBEGIN\r\n";
    ssize_t size = sizeof hello - 1;

    if (send(messenger->fd, hello, sizeof hello - 1, MSG_NOSIGNAL) != size)
        return -EIO;
    while (sd_bus_is_ready(messenger->reader) == 0) {
        int r = sd_bus_process(messenger->reader, NULL);

        if (r < 0)
            return r;
        if (r == 0)
            return -EIO; /* all that it needs is there */
    }
    return 0;
}

static void
close_pair(RawMessenger *messenger)
{
    messenger->reader = sd_bus_close_unref(messenger->reader);
    if (messenger->fd >= 0)
        close(messenger->fd);
    messenger->fd = -1;
}

static int
open_pair(RawMessenger *messenger)
{
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
        return -errno;
    messenger->fd = fds[0];
    int r = open_reader(&messenger->reader, fds[1]);
    if (r >= 0)
        r = authenticate(messenger);
    if (r < 0)
        close_pair(messenger);
    return r;
}

int
raw_message_new(RawMessenger **ret)
{
    RawMessenger *messenger = g_new0(RawMessenger, 1);

    messenger->fd = -1;
    int r = open_pair(messenger);

    if (r < 0) {
        raw_message_free(messenger);
        return r;
    }
    *ret = messenger;
    return 0;
}

void
raw_message_free(RawMessenger *messenger)
{
    if (!messenger)
        return;
    close_pair(messenger);
    wire_clear(&messenger->header);
    g_free(messenger);
}

/* --- messages ----------------------------------------------------------------------------- */

static void
put_field(Wire *header, uint8_t code, const char *signature)
{
    wire_align(header, 8);
    wire_put_byte(header, code);
    wire_put_signature(header, signature);
}

static void
put_text_field(Wire *header, uint8_t code, const char *signature, const char *text)
{
    if (!text)
        return;
    put_field(header, code, signature);
    wire_put_string(header, text);
}

/* The beginning of a message, up to the array of its fields, whose place is returned. */
static size_t
begin_header(RawMessenger *messenger, uint8_t type, const char *signature, const Wire *body)
{
    static const uint8_t version = 1;
    Wire *header = &messenger->header;

    header->size = 0;
    if (++messenger->serial == 0)
        messenger->serial = 1;
    wire_put_byte(header, G_BYTE_ORDER == G_LITTLE_ENDIAN ? 'l' : 'B');
    wire_put_byte(header, type);
    wire_put_byte(header, 1); /* no reply is expected */
    wire_put_byte(header, version);
    wire_put_u32(header, (uint32_t)body->size);
    wire_put_u32(header, messenger->serial);
    size_t fields = wire_begin_array(header, 8);
    if (*signature) {
        put_field(header, FIELD_SIGNATURE, "g");
        wire_put_signature(header, signature);
    }
    return fields;
}

static void
end_header(Wire *header, size_t fields)
{
    wire_end_array(header, fields, 8);
    wire_align(header, 8);
}

/* Write as much as the socket takes, from `begin` on. */
static ssize_t
write_some(const RawMessenger *messenger, const Wire *body, size_t begin)
{
    const Wire *header = &messenger->header;
    size_t in_body = begin > header->size ? begin - header->size : 0;
    struct iovec parts[] = {
        {header->data + MIN(begin, header->size), header->size - MIN(begin, header->size)},
        {body->data + in_body, body->size - in_body},
    };
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = G_N_ELEMENTS(parts)};
    ssize_t n = sendmsg(messenger->fd, &message, MSG_NOSIGNAL);

    if (n >= 0)
        return n;
    return errno == EAGAIN ? 0 : -errno;
}

static int
pass_through(RawMessenger *messenger, const Wire *body, sd_bus_message **ret)
{
    size_t size = messenger->header.size + body->size;
    size_t written = 0;

    for (;;) {
        ssize_t n = written < size ? write_some(messenger, body, written) : 0;
        int r = n < 0 ? (int)n : sd_bus_process(messenger->reader, ret);

        if (r < 0)
            return r;
        if (*ret)
            return 0;
        if (r == 0 && n == 0)
            return -EIO; /* everything was written, but sd-bus has read no message */
        written += (size_t)n;
    }
}

/* The written bytes as an sd-bus message. After a failure the pair is made anew, so that the next
 * message is not affected. */
static int
read_back(RawMessenger *messenger, const Wire *body, sd_bus_message **ret)
{
    int r = messenger->fd < 0 ? open_pair(messenger) : 0;

    if (r >= 0)
        r = pass_through(messenger, body, ret);
    if (r < 0)
        close_pair(messenger);
    return r;
}

static int
forward(RawMessenger *messenger, sd_bus *bus, const Wire *body)
{
    g_autoptr(sd_bus_message) message = NULL;
    int r = read_back(messenger, body, &message);

    if (r >= 0)
        r = sd_bus_send(bus, message, NULL);
    return r;
}

static void
make_signal(RawMessenger *messenger, const char *destination, const char *path,
            const char *interface, const char *member, const char *signature, const Wire *body)
{
    Wire *header = &messenger->header;
    size_t fields = begin_header(messenger, SD_BUS_MESSAGE_SIGNAL, signature, body);

    put_text_field(header, FIELD_PATH, "o", path);
    put_text_field(header, FIELD_INTERFACE, "s", interface);
    put_text_field(header, FIELD_MEMBER, "s", member);
    put_text_field(header, FIELD_DESTINATION, "s", destination);
    end_header(header, fields);
}

int
raw_message_signal_to(RawMessenger *messenger, sd_bus *bus, const char *destination,
                      const char *path, const char *interface, const char *member,
                      const char *signature, const Wire *body)
{
    if (body->size > BODY_MAX)
        return -EMSGSIZE;
    make_signal(messenger, destination, path, interface, member, signature, body);
    return forward(messenger, bus, body);
}

int
raw_message_signal(RawMessenger *messenger, sd_bus *bus, const char *path, const char *interface,
                   const char *member, const char *signature, const Wire *body)
{
    return raw_message_signal_to(messenger, bus, NULL, path, interface, member, signature, body);
}

int
raw_message_reply(RawMessenger *messenger, sd_bus *bus, const Caller *caller, const char *signature,
                  const Wire *body)
{
    if (body->size > BODY_MAX)
        return -EMSGSIZE;
    if (!caller->expects_reply)
        return 0;

    Wire *header = &messenger->header;
    size_t fields = begin_header(messenger, SD_BUS_MESSAGE_METHOD_RETURN, signature, body);
    put_field(header, FIELD_REPLY_SERIAL, "u");
    wire_put_u32(header, (uint32_t)caller->serial);
    put_text_field(header, FIELD_DESTINATION, "s", *caller->sender ? caller->sender : NULL);
    end_header(header, fields);
    return forward(messenger, bus, body);
}
