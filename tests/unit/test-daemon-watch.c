/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The watch against real directories. The kernel queues an event before the call that causes it
 * returns, so running the loop until it is idle hears all of them: nothing has to be waited for. */

#include "daemon-watch.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define TURNS_MAX 10000

typedef struct {
    char *directory;
    sd_event *event;
    DaemonWatch *watch;
    unsigned n_probes;
    unsigned n_new;
    unsigned n_stopped;
    bool free_in_hint;
} Fixture;

static void
on_hint(void *userdata, Hint hint)
{
    Fixture *f = userdata;

    if (hint == HINT_NEW_DAEMON)
        f->n_new++;
    else if (hint == HINT_STOPPED)
        f->n_stopped++;
    else
        f->n_probes++;
    if (f->free_in_hint)
        g_clear_pointer(&f->watch, daemon_watch_free);
}

static void
set_up(Fixture *f, const void *unused)
{
    g_autoptr(GError) error = NULL;

    f->directory = g_dir_make_tmp("test-daemon-watch-XXXXXX", &error);
    g_assert_no_error(error);
    g_assert_cmpint(sd_event_new(&f->event), >=, 0);
}

static void
remove_tree(const char *path)
{
    g_autoptr(GDir) directory =
        g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
    const char *name;

    while (directory && (name = g_dir_read_name(directory))) {
        g_autofree char *child = g_build_filename(path, name, NULL);

        remove_tree(child);
    }
    g_assert_cmpint(g_remove(path), ==, 0);
}

static void
tear_down(Fixture *f, const void *unused)
{
    daemon_watch_free(f->watch);
    sd_event_unref(f->event);
    remove_tree(f->directory);
    g_free(f->directory);
}

static char *
path_of(Fixture *f, const char *name)
{
    return g_build_filename(f->directory, name, NULL);
}

static void
watch(Fixture *f, const char *pid_name, const char *socket_name)
{
    g_autofree char *pid_path = pid_name ? path_of(f, pid_name) : NULL;
    g_autofree char *socket_path = socket_name ? path_of(f, socket_name) : NULL;
    const char *const pid_paths[] = {pid_path, NULL};
    const char *const socket_paths[] = {socket_path, NULL};

    g_assert_cmpint(daemon_watch_new(f->event, pid_paths, socket_paths, on_hint, f, &f->watch), ==,
                    0);
}

/* Run the loop until no event is left, and compare the hints since the last time. */
static void
expect_counts(Fixture *f, unsigned n_probes, unsigned n_new, unsigned n_stopped, int line)
{
    unsigned turns = 0;
    int r;

    while ((r = sd_event_run(f->event, 0)) > 0)
        g_assert_cmpuint(++turns, <, TURNS_MAX);
    g_assert_cmpint(r, ==, 0);
    if (f->n_probes != n_probes || f->n_new != n_new || f->n_stopped != n_stopped)
        g_error("line %d: %u probes, %u new daemons and %u stopped, not %u, %u and %u", line,
                f->n_probes, f->n_new, f->n_stopped, n_probes, n_new, n_stopped);
    f->n_probes = f->n_new = f->n_stopped = 0;
}
#define expect_nothing(f)    expect_counts(f, 0, 0, 0, __LINE__)
#define expect_probe(f)      expect_counts(f, 1, 0, 0, __LINE__)
#define expect_new_daemon(f) expect_counts(f, 0, 1, 0, __LINE__)
#define expect_stopped(f)    expect_counts(f, 0, 0, 1, __LINE__)

/* In place, as libvirtd does: no CREATE where the file is there. */
static void
put(Fixture *f, const char *name, const char *content)
{
    g_autofree char *path = path_of(f, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(fd, content, strlen(content)), ==, (ssize_t)strlen(content));
    close(fd);
}

static void
make_directory(Fixture *f, const char *name)
{
    g_autofree char *path = path_of(f, name);

    g_assert_cmpint(g_mkdir(path, 0755), ==, 0);
}

static void delete (Fixture *f, const char *name)
{
    g_autofree char *path = path_of(f, name);

    g_assert_cmpint(g_remove(path), ==, 0);
}

static void
move(Fixture *f, const char *from, const char *to)
{
    g_autofree char *from_path = path_of(f, from);
    g_autofree char *to_path = path_of(f, to);

    g_assert_cmpint(rename(from_path, to_path), ==, 0);
}

static void
make_symlink(Fixture *f, const char *to, const char *name)
{
    g_autofree char *path = path_of(f, name);

    g_assert_cmpint(symlink(to, path), ==, 0);
}

/* Its file stays when it is closed. */
static int
make_socket(Fixture *f, const char *name)
{
    g_autofree char *path = path_of(f, name);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpuint(g_strlcpy(address.sun_path, path, sizeof(address.sun_path)), <,
                     sizeof(address.sun_path));
    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    return fd;
}

static void
test_created(Fixture *f, const void *unused)
{
    watch(f, "d.pid", NULL);
    expect_nothing(f);
    put(f, "d.pid", "17\n");
    expect_new_daemon(f);
}

static void
test_there_already(Fixture *f, const void *unused)
{
    put(f, "d.pid", "17\n");
    watch(f, "d.pid", NULL);
    expect_nothing(f);
    put(f, "d.pid", "17\n");
    expect_probe(f);
}

static void
test_rewritten(Fixture *f, const void *unused)
{
    put(f, "d.pid", "17\n");
    watch(f, "d.pid", NULL);
    put(f, "d.pid", "18");
    expect_new_daemon(f);
    put(f, "d.pid", "18");
    expect_probe(f);
    put(f, "d.pid", "17");
    expect_new_daemon(f);
}

static void
test_deleted(Fixture *f, const void *unused)
{
    put(f, "d.pid", "17\n");
    watch(f, "d.pid", NULL);
    delete (f, "d.pid");
    expect_probe(f);
    put(f, "d.pid", "17\n");
    expect_new_daemon(f);
    /* Both in one turn. */
    delete (f, "d.pid");
    put(f, "d.pid", "17\n");
    expect_new_daemon(f);
}

/* An open file that is closed, as by a daemon that dies. */
static void
test_writer_dies(Fixture *f, const void *unused)
{
    g_autofree char *path = path_of(f, "d.pid");
    int fd;

    put(f, "d.pid", "17\n");
    fd = open(path, O_RDWR | O_CLOEXEC);
    g_assert_cmpint(fd, >=, 0);
    watch(f, "d.pid", NULL);
    expect_nothing(f);
    close(fd);
    expect_probe(f);
}

static void
test_empty_first(Fixture *f, const void *unused)
{
    watch(f, "d.pid", NULL);
    put(f, "d.pid", "");
    expect_probe(f);
    put(f, "d.pid", "17");
    expect_new_daemon(f);
    /* Seen between its truncation and its writing, the same PID is still the same. */
    put(f, "d.pid", "");
    expect_probe(f);
    put(f, "d.pid", "17");
    expect_probe(f);
}

static void
test_garbage(Fixture *f, const void *unused)
{
    g_autofree char *big = g_strnfill(1 << 20, ' ');

    watch(f, "d.pid", NULL);
    put(f, "d.pid", "17 monkeys\n");
    expect_probe(f);
    memcpy(big, "17", 2);
    put(f, "d.pid", big);
    expect_probe(f);
    put(f, "d.pid", "17");
    expect_new_daemon(f);
}

static void
test_renamed_over(Fixture *f, const void *unused)
{
    put(f, "d.pid", "17\n");
    watch(f, "d.pid", NULL);
    put(f, "d.pid.new", "18\n");
    expect_nothing(f);
    move(f, "d.pid.new", "d.pid");
    expect_new_daemon(f);
    put(f, "d.pid.new", "18\n");
    move(f, "d.pid.new", "d.pid");
    expect_probe(f);
    move(f, "d.pid", "elsewhere");
    expect_probe(f);
}

static void
test_others(Fixture *f, const void *unused)
{
    put(f, "d.pid", "17\n");
    watch(f, "d.pid", "d-sock");
    put(f, "e.pid", "18\n");
    put(f, "d.pi", "18\n");
    put(f, "d.pid2", "18\n");
    delete (f, "e.pid");
    make_directory(f, "directory");
    expect_nothing(f);
}

static void
test_fifo(Fixture *f, const void *unused)
{
    g_autofree char *path = path_of(f, "d.pid");

    watch(f, "d.pid", NULL);
    g_assert_cmpint(mkfifo(path, 0644), ==, 0);
    expect_probe(f);
    delete (f, "d.pid");
    expect_probe(f);
    make_directory(f, "d.pid");
    expect_probe(f);
    delete (f, "d.pid");
    put(f, "d.pid", "17\n");
    expect_new_daemon(f);
}

static void
test_fifo_there_already(Fixture *f, const void *unused)
{
    g_autofree char *path = path_of(f, "d.pid");

    g_assert_cmpint(mkfifo(path, 0644), ==, 0);
    watch(f, "d.pid", NULL);
    expect_nothing(f);
}

static void
test_not_there_yet(Fixture *f, const void *unused)
{
    watch(f, "a/b/d.pid", "a/b/c/d-sock");
    make_directory(f, "a");
    expect_nothing(f);
    make_directory(f, "a/b");
    expect_nothing(f);
    put(f, "a/b/d.pid", "17\n");
    expect_new_daemon(f);
    put(f, "a/b/d.pid", "18\n");
    expect_new_daemon(f);
    make_directory(f, "a/b/c");
    close(make_socket(f, "a/b/c/d-sock"));
    expect_new_daemon(f);
}

/* All of it before the loop runs once. */
static void
test_all_at_once(Fixture *f, const void *unused)
{
    watch(f, "a/b/d.pid", NULL);
    make_directory(f, "a");
    make_directory(f, "a/b");
    put(f, "a/b/d.pid", "17\n");
    expect_new_daemon(f);
    put(f, "a/b/d.pid", "17\n");
    expect_probe(f);
}

static void
test_made_again(Fixture *f, const void *unused)
{
    make_directory(f, "a");
    make_directory(f, "a/b");
    put(f, "a/b/d.pid", "17\n");
    watch(f, "a/b/d.pid", NULL);
    for (unsigned i = 0; i < 20; i++) {
        delete (f, "a/b/d.pid");
        delete (f, "a/b");
        delete (f, "a");
        if (i % 2 == 0)
            expect_probe(f);
        make_directory(f, "a");
        make_directory(f, "a/b");
        if (i % 4 == 0)
            expect_nothing(f);
        put(f, "a/b/d.pid", "17\n");
        expect_new_daemon(f);
        put(f, "a/b/d.pid", "17\n");
        expect_probe(f);
    }
}

/* How many directories this process watches. */
static unsigned
count_watches(void)
{
    g_autoptr(GDir) directory = g_dir_open("/proc/self/fdinfo", 0, NULL);
    const char *name;
    unsigned n = 0;

    g_assert_nonnull(directory);
    while ((name = g_dir_read_name(directory))) {
        g_autofree char *path = g_build_filename("/proc/self/fdinfo", name, NULL);
        g_autofree char *content = NULL;

        if (!g_file_get_contents(path, &content, NULL, NULL))
            continue;
        for (const char *at = content; (at = strstr(at, "inotify wd:")); at++)
            n++;
    }
    return n;
}

static void
test_directory_moved(Fixture *f, const void *unused)
{
    unsigned n_watches;

    make_directory(f, "a");
    make_directory(f, "a/b");
    put(f, "a/b/d.pid", "17\n");
    watch(f, "a/b/d.pid", NULL);
    n_watches = count_watches();
    g_assert_cmpuint(n_watches, >, 2);
    move(f, "a", "z");
    expect_probe(f);
    g_assert_cmpuint(count_watches(), ==, n_watches - 2);
    put(f, "z/b/d.pid", "18\n");
    expect_nothing(f);
    make_directory(f, "a");
    make_directory(f, "a/b");
    put(f, "a/b/d.pid", "19\n");
    expect_new_daemon(f);
    g_assert_cmpuint(count_watches(), ==, n_watches);
    move(f, "z/b/d.pid", "a/b/d.pid");
    expect_new_daemon(f);
}

static void
test_symlinks(Fixture *f, const void *unused)
{
    make_directory(f, "run");
    make_directory(f, "other");
    make_directory(f, "var");
    make_symlink(f, "../run", "var/run");
    watch(f, "var/run/d.pid", NULL);
    put(f, "run/d.pid", "17\n");
    expect_new_daemon(f);

    put(f, "other/d.pid", "18\n");
    expect_nothing(f);
    delete (f, "var/run");
    make_symlink(f, "../other", "var/run");
    expect_new_daemon(f);
    put(f, "run/d.pid", "19\n");
    expect_nothing(f);

    /* The file itself, once more through a symlink. */
    delete (f, "other/d.pid");
    expect_probe(f);
    make_symlink(f, "../run/d.pid", "other/d.pid");
    expect_new_daemon(f);
    put(f, "run/d.pid", "20\n");
    expect_new_daemon(f);
    delete (f, "run/d.pid");
    expect_probe(f);
}

static void
test_symlink_loop(Fixture *f, const void *unused)
{
    make_symlink(f, "b", "a");
    make_symlink(f, "a", "b");
    watch(f, "a/d.pid", NULL);
    expect_nothing(f);
    delete (f, "a");
    make_directory(f, "a");
    put(f, "a/d.pid", "17\n");
    expect_new_daemon(f);
}

/* The same file by two names is told about once. */
static void
test_two_names(Fixture *f, const void *unused)
{
    g_autofree char *one = path_of(f, "run/d.pid");
    g_autofree char *two = path_of(f, "var/./../var/run//d.pid");
    g_autofree char *three = path_of(f, "run/e.pid");
    const char *const paths[] = {one, two, three, NULL};
    unsigned n_watches;

    make_directory(f, "run");
    make_directory(f, "var");
    make_symlink(f, "../run", "var/run");
    g_assert_cmpint(daemon_watch_new(f->event, paths, NULL, on_hint, f, &f->watch), ==, 0);
    n_watches = count_watches();
    put(f, "run/d.pid", "17\n");
    expect_new_daemon(f);
    g_assert_cmpuint(count_watches(), ==, n_watches);
    put(f, "run/d.pid", "17\n");
    expect_probe(f);
    put(f, "run/e.pid", "17\n");
    expect_new_daemon(f);
    put(f, "run/d.pid", "17\n");
    put(f, "run/e.pid", "18\n");
    expect_new_daemon(f);
}

static void
test_socket(Fixture *f, const void *unused)
{
    g_autofree char *path = path_of(f, "d-sock");

    watch(f, NULL, "d-sock");
    close(make_socket(f, "d-sock"));
    expect_new_daemon(f);
    g_assert_cmpint(chmod(path, 0777), ==, 0);
    expect_probe(f);
    delete (f, "d-sock");
    expect_probe(f);
    close(make_socket(f, "d-sock"));
    expect_new_daemon(f);
    delete (f, "d-sock");
    close(make_socket(f, "d-sock"));
    expect_new_daemon(f);
    /* Not a socket. */
    delete (f, "d-sock");
    put(f, "d-sock", "17\n");
    expect_probe(f);
}

static void
test_overflow(Fixture *f, const void *unused)
{
    g_autofree char *content = NULL;
    guint64 limit;

    g_assert_true(
        g_file_get_contents("/proc/sys/fs/inotify/max_queued_events", &content, NULL, NULL));
    limit = g_ascii_strtoull(content, NULL, 10);
    if (limit == 0 || limit > 1000000) {
        g_test_skip("the queue is too long to be filled");
        return;
    }
    watch(f, "d.pid", NULL);
    put(f, "other", "");
    expect_nothing(f);
    for (guint64 i = 0; i < limit / 4 + 2; i++) {
        move(f, "other", "another");
        move(f, "another", "other");
    }
    put(f, "d.pid", "17\n"); /* its events are lost, and yet */
    expect_new_daemon(f);
    for (guint64 i = 0; i < limit / 4 + 2; i++) {
        move(f, "other", "another");
        move(f, "another", "other");
    }
    expect_probe(f);
}

static void
test_freed_in_hint(Fixture *f, const void *unused)
{
    watch(f, "d.pid", "d-sock");
    f->free_in_hint = true;
    put(f, "d.pid", "17\n");
    expect_new_daemon(f);
    g_assert_null(f->watch);
}

static void
test_parse(void)
{
    static const struct {
        const char *text;
        size_t length;
        pid_t pid; /* 0: refused */
    } cases[] = {
        {"1", 1, 1},
        {"17\n", 3, 17},
        {" \t17 \n", 6, 17},
        {"0017", 4, 17},
        {"2147483647", 10, 2147483647},
        {"2147483648", 10, 0},
        {"4294967297", 10, 0},
        {"99999999999999999999999999", 26, 0},
        {NULL, 0, 0},
        {"\n", 1, 0},
        {"0", 1, 0},
        {"-1", 2, 0},
        {"+1", 2, 0},
        {"1 2", 3, 0},
        {"1x", 2, 0},
        {"0x11", 4, 0},
        {"17\0", 3, 0},
        {"\xff\xfe", 2, 0},
        {"123", 2, 12}, /* not one byte more than told */
    };
    g_autofree char *big = g_strnfill(PIDFILE_SIZE_MAX + 1, '0');
    pid_t pid = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        int r;

        pid = 0;
        r = pidfile_parse(cases[i].text, cases[i].length, &pid);
        g_assert_cmpint(r, ==, cases[i].pid > 0 ? 0 : -EINVAL);
        g_assert_cmpint(pid, ==, cases[i].pid);
    }
    big[PIDFILE_SIZE_MAX - 1] = '7';
    g_assert_cmpint(pidfile_parse(big, PIDFILE_SIZE_MAX, &pid), ==, 0);
    g_assert_cmpint(pid, ==, 7);
    g_assert_cmpint(pidfile_parse(big, PIDFILE_SIZE_MAX + 1, &pid), ==, -EINVAL);
}

static void
test_lives(Fixture *f, const void *unused)
{
    g_autofree char *own = g_strdup_printf("%d\n", (int)getpid());

    watch(f, "d.pid", NULL);
    put(f, "d.pid", own);
    expect_new_daemon(f);
    g_assert_true(daemon_watch_lives(f->watch));
    put(f, "d.pid", "2147483647\n");
    expect_new_daemon(f);
    g_assert_false(daemon_watch_lives(f->watch));
}

/* libvirtd holds its PID file open: its end is a deletion, and then a close. */
static void
test_stopped(Fixture *f, const void *unused)
{
    g_autofree char *path = path_of(f, "d.pid");

    close(make_socket(f, "d-sock"));
    watch(f, "d.pid", "d-sock");
    g_assert_false(daemon_watch_may_stop(f->watch));
    put(f, "d.pid", "17\n");
    expect_new_daemon(f);
    g_assert_true(daemon_watch_may_stop(f->watch));
    int held = open(path, O_WRONLY | O_CLOEXEC);
    delete (f, "d.pid");
    expect_stopped(f);
    g_assert_false(daemon_watch_may_stop(f->watch));
    close(held);
    expect_stopped(f);
    delete (f, "d-sock");
    expect_probe(f);
    close(make_socket(f, "d-sock"));
    expect_new_daemon(f);
    /* Of the new daemon nothing is known yet. */
    move(f, "d-sock", "e-sock");
    move(f, "e-sock", "d-sock");
    expect_new_daemon(f);
    put(f, "d.pid", "17\n");
    expect_new_daemon(f);
}

/* A daemon that made its socket itself removes it as well. */
static void
test_stopped_without_socket(Fixture *f, const void *unused)
{
    close(make_socket(f, "d-sock"));
    put(f, "d.pid", "17\n");
    watch(f, "d.pid", "d-sock");
    delete (f, "d-sock");
    expect_probe(f);
    delete (f, "d.pid");
    expect_probe(f);
    close(make_socket(f, "d-sock"));
    expect_new_daemon(f);
}

static void
add(const char *path, void (*test)(Fixture *f, const void *unused))
{
    g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pidfile/parse", test_parse);
    add("/pidfile/created", test_created);
    add("/pidfile/there-already", test_there_already);
    add("/pidfile/rewritten", test_rewritten);
    add("/pidfile/deleted", test_deleted);
    add("/pidfile/writer-dies", test_writer_dies);
    add("/pidfile/empty-first", test_empty_first);
    add("/pidfile/garbage", test_garbage);
    add("/pidfile/renamed-over", test_renamed_over);
    add("/pidfile/others", test_others);
    add("/pidfile/fifo", test_fifo);
    add("/pidfile/fifo-there-already", test_fifo_there_already);
    add("/pidfile/not-there-yet", test_not_there_yet);
    add("/pidfile/all-at-once", test_all_at_once);
    add("/pidfile/made-again", test_made_again);
    add("/pidfile/directory-moved", test_directory_moved);
    add("/pidfile/symlinks", test_symlinks);
    add("/pidfile/symlink-loop", test_symlink_loop);
    add("/pidfile/two-names", test_two_names);
    add("/pidfile/socket", test_socket);
    add("/pidfile/lives", test_lives);
    add("/pidfile/stopped", test_stopped);
    add("/pidfile/stopped-without-socket", test_stopped_without_socket);
    add("/pidfile/overflow", test_overflow);
    add("/pidfile/freed-in-hint", test_freed_in_hint);
    return g_test_run();
}
