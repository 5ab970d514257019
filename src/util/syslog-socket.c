/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "syslog-socket.h"

#include <errno.h>
#include <glib.h>
#include <locale.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

static int
open_socket(void)
{
    const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SYSLOG_SOCKET_PATH};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

/* In English, whatever the locale of the process. */
static void
write_date(char *date, size_t size)
{
    static locale_t english;
    time_t now = time(NULL);
    struct tm parts;

    if (!english)
        english = newlocale(LC_ALL_MASK, "C", NULL);
    localtime_r(&now, &parts);
    if (strftime_l(date, size, "%b %e %T", &parts, english) == 0)
        *date = '\0';
}

bool
syslog_socket_send(int level, const char *identifier, const char *text)
{
    static int fd = -1;
    char date[32];

    write_date(date, sizeof date);
    g_autofree char *entry = g_strdup_printf("<%d>%s %s[%d]: %s", LOG_DAEMON | level, date,
                                             identifier, (int)getpid(), text);
    /* A daemon that was restarted has another socket. */
    for (unsigned i = 0; i < 2; i++) {
        if (fd < 0)
            fd = open_socket();
        if (fd < 0)
            return false;
        if (send(fd, entry, strlen(entry), MSG_NOSIGNAL) >= 0)
            return true;
        if (errno == EAGAIN)
            return false;
        close(fd);
        fd = -1;
    }
    return false;
}
