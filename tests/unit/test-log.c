/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The log, with daemons that this test plays, and that the catalog explains every kind of entry.
 * How it reads in a real journal is tested where a container boots. */

#include "emulated.h"
#include "log-rate.h"
#include "log-socket.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void
in_subprocess(void)
{
    g_test_trap_subprocess(NULL, 20 * G_USEC_PER_SEC, 0);
    g_test_trap_assert_passed();
}

static void
test_event(void)
{
    if (g_test_subprocess()) {
        char code[LOG_NUMBER_SIZE];
        log_event(LOG_EVENT_OPERATION_FAILED, "it did\nnot\x1b obey", LOG_FIELD_VM_NAME,
                  "web\nroot", LOG_FIELD_VM_UUID, NULL, LOG_FIELD_LIBVIRT_ERROR_CODE,
                  log_number(code, -7), NULL);
        return;
    }
    in_subprocess();
    g_test_trap_assert_stderr(
        "unraid-vmsd: warning: it did not  obey VM_NAME=web root LIBVIRT_ERROR_CODE=-7\n");
}

/* A name of a mebibyte takes no mebibyte of the journal. */
static void
test_long_texts(void)
{
    if (g_test_subprocess()) {
        g_autofree char *text = g_strnfill(1024 * 1024, 'x');

        log_event(LOG_EVENT_OPERATION_FAILED, text, LOG_FIELD_VM_NAME, text, LOG_FIELD_VM_UUID, "u",
                  NULL);
        return;
    }
    in_subprocess();

    g_autofree char *message = g_strnfill(16 * 1024, 'x');
    g_autofree char *name = g_strnfill(4096, 'x');
    g_autofree char *line =
        g_strdup_printf("unraid-vmsd: warning: %s VM_NAME=%s VM_UUID=u\n", message, name);

    g_test_trap_assert_stderr(line);
}

static void
test_level(void)
{
    if (g_test_subprocess()) {
        log_message(LOG_DEBUG, "too detailed");
        log_message(LOG_INFO, "%d is enough", 1);
        log_set_level(LOG_ERR);
        log_message(LOG_WARNING, "not bad enough");
        log_event(LOG_EVENT_DENIED, "not bad enough", NULL);
        log_set_level(LOG_DEBUG);
        errno = EXDEV;
        log_event(LOG_EVENT_OPERATION_DONE, "2 is enough", NULL);
        g_assert_cmpint(errno, ==, EXDEV);
        return;
    }
    in_subprocess();
    g_test_trap_assert_stderr("unraid-vmsd: info: 1 is enough\nunraid-vmsd: info: 2 is enough\n");
}

/* An inherited JOURNAL_STREAM says nothing once standard error leads elsewhere. */
static void
test_stream(void)
{
    if (g_test_subprocess()) {
        g_setenv("JOURNAL_STREAM", "8:1", TRUE);
        log_message(LOG_ERR, "here");
        return;
    }
    in_subprocess();
    g_test_trap_assert_stderr("unraid-vmsd: error: here\n");
}

/* Nothing that a terminal acts on, or that looks like another line. */
static void
test_terminal(void)
{
    if (g_test_subprocess()) {
        log_message(LOG_ERR, "%s", "a\u202eb \xc2\x9b 虚 \033[2J\nc");
        return;
    }
    in_subprocess();
    g_test_trap_assert_stderr("unraid-vmsd: error: a\\u202eb \\x9b 虚  [2J c\n");
}

/* --- the daemons ----------------------------------------------------------------------------- */

static void
mount_over(const char *source, const char *place, const char *type, unsigned long flags)
{
    if (mount(source, place, type, flags, NULL) < 0)
        g_error("mount %s: %s", place, g_strerror(errno));
}

/* In a mount namespace: a /dev with "null" alone, an empty /run, and then a log's socket at this
 * place, which is returned. */
static int
make_log(const char *directory, const char *place)
{
    g_autofree char *null = g_build_filename(directory, "null", NULL);
    g_autofree char *parent = g_path_get_dirname(place);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    mount_over(NULL, "/", NULL, MS_REC | MS_PRIVATE);
    mount_over("tmpfs", directory, "tmpfs", 0);
    g_assert_true(g_file_set_contents(null, "", 0, NULL));
    mount_over("/dev/null", null, NULL, MS_BIND);
    mount_over(directory, "/dev", NULL, MS_BIND | MS_REC);
    mount_over("tmpfs", "/run", "tmpfs", 0);
    g_assert_no_errno(g_mkdir_with_parents(parent, 0755));
    g_strlcpy(address.sun_path, place, sizeof address.sun_path);
    g_assert_no_errno(bind(fd, (const struct sockaddr *)&address, sizeof address));
    return fd;
}

static void
close_stderr(void)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    g_assert_cmpint(dup2(null, STDERR_FILENO), ==, STDERR_FILENO);
    close(null);
}

/* The next datagram without its date; NULL where there is none. */
static char *
next_entry(int fd)
{
    char buffer[8192];
    ssize_t n = recv(fd, buffer, sizeof buffer - 1, MSG_DONTWAIT);

    if (n < 0)
        return NULL;
    buffer[n] = '\0';
    const char *text = strstr(buffer, LOG_IDENTIFIER "[");
    g_assert_nonnull(text);
    return g_strdup_printf("%.*s%s", (int)(strchr(buffer, '>') + 1 - buffer), buffer, text);
}

static void
in_syslog_child(const char *directory)
{
    int fd = make_log(directory, LOG_SOCKET_SYSLOG);
    g_autofree char *start = g_strdup_printf(LOG_IDENTIFIER "[%d]: ", getpid());

    close_stderr();
    g_assert_cmpint(log_get_target(), ==, LOG_TARGET_SYSLOG);
    log_event(LOG_EVENT_OPERATION_FAILED, "100% did\nnot", LOG_FIELD_VM_NAME, "web\nroot",
              LOG_FIELD_VM_UUID, NULL, LOG_FIELD_VM_RESULT, "failed", NULL);
    g_autofree char *entry = next_entry(fd);
    g_autofree char *expected =
        g_strconcat("<28>", start, "100% did not VM_NAME=web root VM_RESULT=failed", NULL);
    g_assert_cmpstr(entry, ==, expected);
    g_assert_false(log_set_target(LOG_TARGET_JOURNAL));
    g_assert_true(log_set_target(LOG_TARGET_CONSOLE));
    log_message(LOG_ERR, "elsewhere");
    g_assert_null(next_entry(fd));
    g_assert_true(log_set_target(LOG_TARGET_SYSLOG));
    g_assert_cmpint(unlink(LOG_SOCKET_SYSLOG), ==, 0);
    g_assert_false(log_set_target(LOG_TARGET_SYSLOG));
    log_message(LOG_ERR, "nobody listens");
}

/* A daemon that hangs holds nobody up; entries that it does not take are lost, and the rest is
 * not. Their number is told in the journal. */
static void
fill(int fd)
{
    alarm(20);
    for (unsigned i = 0; i < 1000; i++)
        log_message(LOG_ERR, "entry");
    for (char buffer[8192]; recv(fd, buffer, sizeof buffer, MSG_DONTWAIT) >= 0;)
        continue;
    log_message(LOG_ERR, "taken");
}

static void
in_full_syslog_child(const char *directory)
{
    int fd = make_log(directory, LOG_SOCKET_SYSLOG);

    close_stderr();
    fill(fd);
    g_autofree char *entry = next_entry(fd);
    g_assert_nonnull(entry);
    g_assert_true(g_str_has_suffix(entry, ": taken"));
}

/* The next datagram, as text where it has no sizes. */
static char *
next_fields(int fd)
{
    char buffer[8192];
    ssize_t n = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);

    return n < 0 ? NULL : g_strndup(buffer, (gsize)n);
}

static void
in_full_journal_child(const char *directory)
{
    int fd = make_log(directory, LOG_SOCKET_JOURNAL);

    close_stderr();
    g_assert_cmpint(log_get_target(), ==, LOG_TARGET_JOURNAL);
    fill(fd);
    g_autofree char *entry = next_fields(fd);
    g_assert_cmpstr(entry, ==, "MESSAGE=taken\nPRIORITY=3\nSYSLOG_IDENTIFIER=unraid-vmsd\n");
    g_autofree char *gap = next_fields(fd);
    g_assert_nonnull(gap);
    g_assert_true(g_regex_match_simple("^MESSAGE=[0-9]+ entries were not logged: ", gap, 0, 0));
}

/* Bytes as the journal's own format has them. */
static void
in_journal_child(const char *directory)
{
    static const char message[] = "MESSAGE\n\7\0\0\0\0\0\0\0did\nnot\n";
    int fd = make_log(directory, LOG_SOCKET_JOURNAL);
    g_autoptr(GString) expected = g_string_new_len(message, sizeof message - 1);
    char buffer[8192];

    g_string_append_printf(expected,
                           "PRIORITY=4\nSYSLOG_IDENTIFIER=unraid-vmsd\nMESSAGE_ID=%s\n"
                           "VM_NAME=web=1\n",
                           log_event_id(LOG_EVENT_OPERATION_FAILED));
    close_stderr();
    log_event(LOG_EVENT_OPERATION_FAILED, "did\nnot", LOG_FIELD_VM_NAME, "web=1", NULL);
    ssize_t n = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    g_assert_cmpmem(buffer, (int)n, expected->str, (int)expected->len);
}

static void
in_namespace(void (*check)(const char *directory))
{
    g_autofree char *directory = g_dir_make_tmp("test-log-XXXXXX", NULL);
    int status;

    pid_t child = fork();
    if (child == 0) {
        if (unshare(CLONE_NEWNS) < 0)
            _exit(77);
        check(directory);
        _exit(0);
    }
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_rmdir(directory);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        g_test_skip("mounts need root");
    else
        g_assert_cmpint(status, ==, 0);
}

/* Standard error is nowhere, and there is no journal. */
static void
test_syslog(void)
{
    in_namespace(in_syslog_child);
}

static void
test_syslog_full(void)
{
    in_namespace(in_full_syslog_child);
}

static void
test_journal(void)
{
    in_namespace(in_journal_child);
}

static void
test_journal_full(void)
{
    in_namespace(in_full_journal_child);
}

static void
test_rate(void)
{
    LogRate rate = {0};
    gint64 now = 5;
    guint dropped = 7;

    for (guint i = 0; i < LOG_RATE_BURST; i++) {
        g_assert_true(log_rate_allows(&rate, now, &dropped));
        g_assert_cmpuint(dropped, ==, 0);
    }
    now += LOG_RATE_INTERVAL_USEC - 1;
    g_assert_false(log_rate_allows(&rate, now, &dropped));
    g_assert_false(log_rate_allows(&rate, now, &dropped));
    g_assert_cmpuint(dropped, ==, 0);
    now++;
    g_assert_true(log_rate_allows(&rate, now, &dropped));
    g_assert_cmpuint(dropped, ==, 2);
    g_assert_true(log_rate_allows(&rate, now, &dropped));
    g_assert_cmpuint(dropped, ==, 0);
}

static void
test_level_names(void)
{
    g_assert_cmpint(log_level_from_string("error"), ==, LOG_ERR);
    g_assert_cmpint(log_level_from_string("warning"), ==, LOG_WARNING);
    g_assert_cmpint(log_level_from_string("notice"), ==, LOG_NOTICE);
    g_assert_cmpint(log_level_from_string("info"), ==, LOG_INFO);
    g_assert_cmpint(log_level_from_string("debug"), ==, LOG_DEBUG);
    g_assert_cmpint(log_level_from_string("Debug"), ==, -EINVAL);
    g_assert_cmpint(log_level_from_string(""), ==, -EINVAL);
}

static void
test_catalog(void)
{
    g_autofree char *catalog = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    guint n_entries = 0;

    g_file_get_contents(g_getenv("VMS_CATALOG"), &catalog, NULL, &error);
    g_assert_no_error(error);
    for (const char *p = catalog; (p = strstr(p, "\n-- ")); p++)
        n_entries++;
    for (LogEvent e = 0; e < _LOG_EVENT_MAX; e++) {
        g_autofree char *head = g_strdup_printf("\n-- %s\nSubject: ", log_event_id(e));
        g_assert_cmpuint(strlen(log_event_id(e)), ==, 32);
        g_assert_true(g_hash_table_add(seen, (void *)log_event_id(e)));
        g_assert_nonnull(strstr(catalog, head));
    }
    g_assert_cmpuint(n_entries, ==, _LOG_EVENT_MAX);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_unless_emulated("/journal/event", test_event);
    add_unless_emulated("/journal/level", test_level);
    add_unless_emulated("/journal/long-texts", test_long_texts);
    add_unless_emulated("/journal/stream", test_stream);
    add_unless_emulated("/journal/terminal", test_terminal);
    g_test_add_func("/syslog/entry", test_syslog);
    g_test_add_func("/syslog/full", test_syslog_full);
    g_test_add_func("/journal/entry", test_journal);
    g_test_add_func("/journal/full", test_journal_full);
    g_test_add_func("/syslog/rate", test_rate);
    g_test_add_func("/journal/level-names", test_level_names);
    g_test_add_func("/journal/catalog", test_catalog);
    return g_test_run();
}
