/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pictures.h"

#include "caller.h"
#include "units.h"

#include <errno.h>
#include <glib.h>
#include <stdalign.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>
#include <unistd.h>

/* Root and our own user are not counted among all users, and have as much as these. */
#define USER_MAX (64 * MIB)
#define ALL_MAX  (128 * MIB)

typedef struct {
    uid_t uid;
    uint64_t bytes;
} Picture;

struct Pictures {
    int fd; /* inotify */
    sd_event_source *source;
    GHashTable *held; /* watch -> Picture */
};

/* A first picture may be of any size. */
static bool
has_room(Pictures *pictures, uid_t uid, uint64_t bytes)
{
    uint64_t of_user = 0, of_all = 0;
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, pictures->held);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Picture *picture = value;

        of_user += picture->uid == uid ? picture->bytes : 0;
        of_all += caller_is_ordinary(picture->uid) == caller_is_ordinary(uid) ? picture->bytes : 0;
    }
    return of_user == 0 ||
           (of_all + bytes <= ALL_MAX && (!caller_is_ordinary(uid) || of_user + bytes <= USER_MAX));
}

bool
pictures_give(Pictures *pictures, uid_t uid, int fd)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
    struct stat st;

    if (fstat(fd, &st) < 0 || !has_room(pictures, uid, (uint64_t)st.st_size))
        return false;
    int watch = inotify_add_watch(pictures->fd, path, IN_DELETE_SELF);
    if (watch < 0)
        return false;

    Picture *picture = g_new0(Picture, 1);
    picture->uid = uid;
    picture->bytes = (uint64_t)st.st_size;
    g_hash_table_insert(pictures->held, GINT_TO_POINTER(watch), picture);
    return true;
}

/* The last event of a file is that its watch is gone. */
static int
on_events(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    Pictures *pictures = userdata;
    alignas(struct inotify_event) char buffer[4096];
    ssize_t n = read(fd, buffer, sizeof buffer);

    for (ssize_t at = 0; at < n;) {
        const struct inotify_event *event = (const struct inotify_event *)(buffer + at);

        if (event->mask & IN_IGNORED)
            g_hash_table_remove(pictures->held, GINT_TO_POINTER(event->wd));
        at += (ssize_t)(sizeof *event + event->len);
    }
    return 0;
}

int
pictures_new(struct sd_event *event, Pictures **ret)
{
    Pictures *pictures = g_new0(Pictures, 1);
    int r;

    pictures->held = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    pictures->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    r = pictures->fd < 0
            ? -errno
            : sd_event_add_io(event, &pictures->source, pictures->fd, EPOLLIN, on_events, pictures);
    if (r < 0)
        pictures_free(pictures);
    else
        *ret = pictures;
    return r < 0 ? r : 0;
}

void
pictures_free(Pictures *pictures)
{
    if (!pictures)
        return;
    sd_event_source_disable_unref(pictures->source);
    if (pictures->fd >= 0)
        close(pictures->fd);
    g_hash_table_unref(pictures->held);
    g_free(pictures);
}
