/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon-watch.h"

#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <limits.h>
#include <signal.h>
#include <stdalign.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYMLINKS_MAX 40

/* The changes after which a directory is another one, or may be entered. */
#define WAY_MASK                                                                                   \
    (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF |            \
     IN_MOVE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW)
/* A file that was left behind is written in place, without a CREATE. libvirtd keeps its file open
 * to hold a lock, so that CLOSE_WRITE also comes when it dies, however it does. */
#define FILE_MASK (WAY_MASK | IN_MODIFY | IN_CLOSE_WRITE)

/* After these events the known PID is invalid, even if the file has the same inode again. */
#define REPLACED_MASK (IN_CREATE | IN_DELETE | IN_MOVED_FROM)

/* A component of the path to a target, whose changes matter. */
typedef struct {
    int wd; /* of the directory it is in; -1 where that cannot be watched */
    char *name;
    bool last; /* the target itself, or the symlink in its place */
} Step;

typedef struct {
    char *path;
    bool socket; /* else a PID file */
    GArray *steps;

    /* As it was at the last scan. */
    bool exists;
    bool removed; /* it existed before that */
    dev_t dev;
    ino_t ino;

    bool known; /* `pid`, or the socket's inode, is that of the daemon told about last */
    pid_t pid;
} Target;

/*
 * The queue is read here and not by sd_event_add_inotify(): one read is one hint; and sd-event
 * knows an inode by its number, which a directory that is made again may have again while the
 * source for the old one is still there.
 */
struct DaemonWatch {
    int fd;
    sd_event_source *source;
    GPtrArray *targets;
    GHashTable *wds; /* the directories that are watched: one each, however many targets need it */
    DaemonHint hint;
    void *userdata;
    bool warned;
};

typedef struct {
    bool rescan;
    bool probe;
    bool new_daemon;
} Changes;

/* --- contents ----------------------------------------------------------------------------- */

int
pidfile_parse(const char *text, size_t length, pid_t *ret)
{
    size_t i = 0;
    int pid = 0;

    if (length > PIDFILE_SIZE_MAX)
        return -EINVAL;
    while (i < length && g_ascii_isspace(text[i]))
        i++;
    for (; i < length && g_ascii_isdigit(text[i]); i++) {
        int digit = text[i] - '0';

        if (pid > (INT_MAX - digit) / 10)
            return -EINVAL;
        pid = pid * 10 + digit;
    }
    while (i < length && g_ascii_isspace(text[i]))
        i++;
    if (i != length || pid == 0)
        return -EINVAL;
    *ret = pid;
    return 0;
}

/* The bytes of a regular file, as far as they fit. A FIFO or a device may be in its place: opening
 * one must neither wait nor become our terminal. */
static ssize_t
read_regular(const char *path, char *buffer, size_t size)
{
    struct stat st;
    ssize_t n = -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY);

    if (fd < 0)
        return -1;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        do
            n = read(fd, buffer, size);
        while (n < 0 && errno == EINTR);
    close(fd);
    return n;
}

/* 0 where there is none; also while the file is just being written. */
static pid_t
read_pid(const char *path)
{
    char buffer[PIDFILE_SIZE_MAX + 1];
    pid_t pid = 0;
    ssize_t n = read_regular(path, buffer, sizeof(buffer));

    if (n > 0)
        (void)pidfile_parse(buffer, (size_t)n, &pid);
    return pid;
}

/* --- the way to a target ------------------------------------------------------------------ */

static void
clear_step(void *data)
{
    g_free(((Step *)data)->name);
}

static void
free_target(void *data)
{
    Target *target = data;

    g_free(target->path);
    g_array_unref(target->steps);
    g_free(target);
}

static Target *
new_target(const char *path, bool is_socket)
{
    Target *target = g_new0(Target, 1);

    if (g_path_is_absolute(path)) {
        target->path = g_strdup(path);
    } else {
        g_autofree char *here = g_get_current_dir();

        target->path = g_strconcat(here, "/", path, NULL);
    }
    target->socket = is_socket;
    target->steps = g_array_new(FALSE, FALSE, sizeof(Step));
    g_array_set_clear_func(target->steps, clear_step);
    return target;
}

/* The next one that is needed is at the end. */
static void
push_names(GPtrArray *names, const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);

    for (guint i = g_strv_length(parts); i > 0; i--) {
        const char *part = parts[i - 1];

        if (*part != '\0' && strcmp(part, ".") != 0)
            g_ptr_array_add(names, g_strdup(part));
    }
}

static void
warn_once(DaemonWatch *watch, const char *path, int error)
{
    /* The parent's watch reports a directory that went away; an unreadable directory reports its
     * own changes. */
    if (watch->warned || error == ENOENT || error == ENOTDIR || error == ELOOP || error == EACCES)
        return;
    watch->warned = true;
    log_message(LOG_WARNING, "Cannot watch %s for PID files: %s", path, g_strerror(error));
}

static int
watch_directory(DaemonWatch *watch, GHashTable *wds, const char *path, uint32_t mask)
{
    /* IN_MASK_ADD keeps what other targets have asked of the same directory. */
    int wd = inotify_add_watch(watch->fd, path, mask | IN_MASK_ADD);

    if (wd < 0)
        warn_once(watch, path, errno);
    else
        g_hash_table_add(wds, GINT_TO_POINTER(wd));
    return wd;
}

static void
leave_directory(GString *path)
{
    const char *slash = strrchr(path->str, '/');

    g_string_truncate(path, slash ? (gsize)(slash - path->str) : 0);
}

/* From the directory `path`, go where the symlink `path` points to. */
static bool
follow(GString *path, GPtrArray *names)
{
    g_autofree char *to = g_file_read_link(path->str, NULL);

    if (!to)
        return false;
    if (g_path_is_absolute(to))
        g_string_truncate(path, 0);
    else
        leave_directory(path);
    push_names(names, to);
    return true;
}

/*
 * Walk to the target, and watch each directory before reading it, so that no change in between is
 * missed. `path` becomes the place without symlinks where the target is ("" is the root).
 */
static bool
walk(DaemonWatch *watch, Target *target, GHashTable *wds, GString *path, struct stat *st)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    unsigned n_symlinks = 0;

    g_array_set_size(target->steps, 0);
    push_names(names, target->path);
    while (names->len > 0) {
        g_autofree char *name = g_ptr_array_steal_index(names, names->len - 1);
        Step step = {.last = names->len == 0};

        if (strcmp(name, "..") == 0) {
            leave_directory(path);
            continue;
        }
        step.wd = watch_directory(watch, wds, path->len > 0 ? path->str : "/",
                                  step.last ? FILE_MASK : WAY_MASK);
        step.name = g_strdup(name);
        g_array_append_val(target->steps, step);

        g_string_append_printf(path, "/%s", name);
        if (path->len >= PATH_MAX || lstat(path->str, st) < 0)
            return false;
        if (S_ISLNK(st->st_mode)) {
            if (++n_symlinks > SYMLINKS_MAX || !follow(path, names))
                return false;
            continue;
        }
        if (step.last)
            return true;
        if (!S_ISDIR(st->st_mode))
            return false;
    }
    return false;
}

/* --- scanning ------------------------------------------------------------------------------ */

static void
note_daemon(Target *target, const char *path, bool other_inode, Changes *changes)
{
    if (target->socket) {
        changes->new_daemon |= !target->known || other_inode;
        target->known = true;
        return;
    }

    pid_t pid = read_pid(path);

    if (pid == 0)
        return; /* the one before is not forgotten: the file may be written again with it */
    changes->new_daemon |= !target->known || pid != target->pid;
    target->known = true;
    target->pid = pid;
}

static void
scan_target(DaemonWatch *watch, Target *target, GHashTable *wds, Changes *changes)
{
    g_autoptr(GString) path = g_string_new(NULL);
    struct stat st = {0};
    bool exists = walk(watch, target, wds, path, &st) &&
                  (target->socket ? S_ISSOCK(st.st_mode) : S_ISREG(st.st_mode));
    bool other_inode = exists && (st.st_dev != target->dev || st.st_ino != target->ino);

    changes->probe |= exists != target->exists || other_inode;
    target->removed = !exists && (target->exists || target->removed);
    target->exists = exists;
    target->dev = st.st_dev;
    target->ino = st.st_ino;
    if (exists)
        note_daemon(target, path->str, other_inode, changes);
    else
        target->known = false;
}

static void
scan(DaemonWatch *watch, Changes *changes)
{
    g_autoptr(GHashTable) before = g_steal_pointer(&watch->wds);
    GHashTableIter iter;
    void *wd;

    watch->wds = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < watch->targets->len; i++)
        scan_target(watch, watch->targets->pdata[i], watch->wds, changes);

    g_hash_table_iter_init(&iter, before);
    while (g_hash_table_iter_next(&iter, &wd, NULL))
        if (!g_hash_table_contains(watch->wds, wd))
            (void)inotify_rm_watch(watch->fd, GPOINTER_TO_INT(wd));
}

typedef struct {
    bool pid_file;
    bool socket;
    bool removed; /* a PID file */
} Found;

static Found
find_targets(const DaemonWatch *watch)
{
    Found found = {0};

    for (guint i = 0; i < watch->targets->len; i++) {
        const Target *target = watch->targets->pdata[i];

        if (target->socket) {
            found.socket |= target->exists;
        } else {
            found.pid_file |= target->exists;
            found.removed |= target->removed;
        }
    }
    return found;
}

static bool
is_stopped(const DaemonWatch *watch)
{
    Found found = find_targets(watch);

    return found.removed && !found.pid_file && found.socket;
}

bool
daemon_watch_may_stop(const DaemonWatch *watch)
{
    Found found = find_targets(watch);

    return found.pid_file && found.socket;
}

bool
daemon_watch_lives(const DaemonWatch *watch)
{
    for (guint i = 0; i < watch->targets->len; i++) {
        const Target *target = watch->targets->pdata[i];

        if (!target->socket && target->exists && target->known &&
            (kill(target->pid, 0) == 0 || errno == EPERM))
            return true;
    }
    return false;
}

/* --- events ------------------------------------------------------------------------------ */

static void
handle_name(Target *target, const struct inotify_event *event, Changes *changes)
{
    for (guint i = 0; i < target->steps->len; i++) {
        const Step *step = &g_array_index(target->steps, Step, i);

        if (step->wd != event->wd || strcmp(step->name, event->name) != 0)
            continue;
        changes->rescan = true;
        if (!step->last)
            continue;
        changes->probe = true;
        if (event->mask & REPLACED_MASK)
            target->known = false;
    }
}

static void
handle_event(DaemonWatch *watch, const struct inotify_event *event, Changes *changes)
{
    if (event->mask & IN_Q_OVERFLOW) {
        changes->rescan = changes->probe = true;
        return;
    }
    /* Events of a directory that is no longer watched may still be in the queue. */
    if (!g_hash_table_contains(watch->wds, GINT_TO_POINTER(event->wd)))
        return;
    if (event->mask & IN_IGNORED)
        g_hash_table_remove(watch->wds, GINT_TO_POINTER(event->wd));
    if (event->len == 0) {
        changes->rescan = true; /* about the directory itself */
        return;
    }
    for (guint i = 0; i < watch->targets->len; i++)
        handle_name(watch->targets->pdata[i], event, changes);
}

static void
handle_events(DaemonWatch *watch, const char *buffer, size_t size, Changes *changes)
{
    for (size_t i = 0; i < size;) {
        const struct inotify_event *event = (const void *)(buffer + i);

        handle_event(watch, event, changes);
        i += sizeof(*event) + event->len;
    }
}

/* The end of one daemon says nothing of the next. */
static void
forget_removals(DaemonWatch *watch)
{
    for (guint i = 0; i < watch->targets->len; i++)
        ((Target *)watch->targets->pdata[i])->removed = false;
}

/* One read per turn, so that a busy directory does not hold up the loop. */
static int
on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    alignas(struct inotify_event) char buffer[16 * 1024];
    DaemonWatch *watch = userdata;
    Changes changes = {0};
    ssize_t n = read(fd, buffer, sizeof(buffer));

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    handle_events(watch, buffer, (size_t)n, &changes);
    if (changes.rescan)
        scan(watch, &changes);
    if (changes.new_daemon) {
        forget_removals(watch);
        watch->hint(watch->userdata, HINT_NEW_DAEMON);
    } else if (changes.probe) {
        watch->hint(watch->userdata, is_stopped(watch) ? HINT_STOPPED : HINT_PROBE);
    }
    return 0;
}

static void
add_targets(DaemonWatch *watch, const char *const *paths, bool are_sockets)
{
    for (; paths && *paths; paths++)
        if (**paths != '\0')
            g_ptr_array_add(watch->targets, new_target(*paths, are_sockets));
}

int
daemon_watch_new(sd_event *event, const char *const *pid_paths, const char *const *socket_paths,
                 DaemonHint hint, void *userdata, DaemonWatch **ret)
{
    DaemonWatch *watch = g_new0(DaemonWatch, 1);
    Changes ignored = {0};
    int r;

    watch->hint = hint;
    watch->userdata = userdata;
    watch->targets = g_ptr_array_new_with_free_func(free_target);
    watch->wds = g_hash_table_new(NULL, NULL);
    add_targets(watch, pid_paths, false);
    add_targets(watch, socket_paths, true);

    watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch->fd < 0) {
        r = -errno;
        daemon_watch_free(watch);
        return r;
    }
    r = sd_event_add_io(event, &watch->source, watch->fd, EPOLLIN, on_readable, watch);
    if (r < 0) {
        daemon_watch_free(watch);
        return r;
    }
    (void)sd_event_source_set_description(watch->source, "pidfile");
    scan(watch, &ignored);
    *ret = watch;
    return 0;
}

void
daemon_watch_free(DaemonWatch *watch)
{
    if (!watch)
        return;
    sd_event_source_disable_unref(watch->source);
    if (watch->fd >= 0)
        close(watch->fd);
    g_ptr_array_unref(watch->targets);
    g_hash_table_unref(watch->wds);
    g_free(watch);
}
