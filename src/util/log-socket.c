/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "log-socket.h"

#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    GMutex lock;
    const char *path;
    int fd;         /* -1 while there is none */
    bool is_behind; /* the daemon has not read for as long as we wait */
} LogSocket;

static LogSocket journal = {.path = LOG_SOCKET_JOURNAL, .fd = -1};
static LogSocket syslog_daemon = {.path = LOG_SOCKET_SYSLOG, .fd = -1};

static int
open_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static bool
wait_writable(const LogSocket *s, gint64 deadline)
{
    struct pollfd poll_fd = {.fd = s->fd, .events = POLLOUT};
    gint64 left_ms = (deadline - g_get_monotonic_time()) / 1000;

    return left_ms > 0 && poll(&poll_fd, 1, (int)left_ms) > 0;
}

/* False with errno of send(2). */
static bool
send_entry(LogSocket *s, const GString *entry)
{
    gint64 wait_ms = s->is_behind ? 0 : LOG_SOCKET_WAIT_MS;
    gint64 deadline = g_get_monotonic_time() + wait_ms * 1000;

    while (send(s->fd, entry->str, entry->len, MSG_NOSIGNAL) < 0) {
        if (errno != EAGAIN)
            return false;
        if (!wait_writable(s, deadline)) {
            s->is_behind = true;
            errno = EAGAIN;
            return false;
        }
    }
    s->is_behind = false;
    return true;
}

static bool
send_or_open(LogSocket *s, const GString *entry)
{
    /* A daemon that was restarted has another socket. */
    for (unsigned i = 0; i < 2; i++) {
        if (s->fd < 0)
            s->fd = open_socket(s->path);
        if (s->fd < 0)
            return false;
        if (send_entry(s, entry))
            return true;
        if (errno == EAGAIN)
            return false;
        close(s->fd);
        s->fd = -1;
    }
    return false;
}

static bool
log_socket_send(LogSocket *s, const GString *entry)
{
    g_mutex_lock(&s->lock);
    bool is_taken = send_or_open(s, entry);
    g_mutex_unlock(&s->lock);
    return is_taken;
}

/* A value with line breaks is preceded by its size. */
static void
append_field(GString *entry, const LogField *field)
{
    gsize length = strlen(field->value);

    g_string_append(entry, field->key);
    if (memchr(field->value, '\n', length)) {
        guint64 size = GUINT64_TO_LE((guint64)length);
        g_string_append_c(entry, '\n');
        g_string_append_len(entry, (const char *)&size, sizeof size);
    } else {
        g_string_append_c(entry, '=');
    }
    g_string_append_len(entry, field->value, (gssize)length);
    g_string_append_c(entry, '\n');
}

bool
log_socket_send_journal(const LogField *fields, size_t n_fields)
{
    g_autoptr(GString) entry = g_string_new(NULL);

    for (size_t i = 0; i < n_fields; i++)
        append_field(entry, &fields[i]);
    return log_socket_send(&journal, entry);
}

/* In English, whatever the locale of the process. */
static void
write_date(char *date, size_t size)
{
    static gsize english;
    time_t now = time(NULL);
    struct tm parts;

    if (g_once_init_enter(&english))
        g_once_init_leave(&english, (gsize)newlocale(LC_ALL_MASK, "C", NULL));
    localtime_r(&now, &parts);
    if (strftime_l(date, size, "%b %e %T", &parts, (locale_t)english) == 0)
        *date = '\0';
}

bool
log_socket_send_syslog(int level, const char *identifier, const char *text)
{
    g_autoptr(GString) entry = g_string_new(NULL);
    char date[32];

    write_date(date, sizeof date);
    g_string_printf(entry, "<%d>%s %s[%d]: %s", LOG_DAEMON | level, date, identifier, (int)getpid(),
                    text);
    return log_socket_send(&syslog_daemon, entry);
}
