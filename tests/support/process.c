/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct Process {
    char *name;
    pid_t pid;
    int pidfd;
    int out, err;
    bool ended;
    int status;
};

/* Walked by the handler of SIGABRT, hence an array that never moves. */
static Process *all[256];

static void
put(const char *text)
{
    (void)!write(STDERR_FILENO, text, strlen(text));
}

static void
show_kept_stderr(const Process *p)
{
    char buffer[4096];
    off_t at = 0;
    ssize_t n;

    while ((n = pread(p->err, buffer, sizeof buffer, at)) > 0) {
        if (at == 0) {
            put("--- stderr of ");
            put(p->name);
            put("\n");
        }
        (void)!write(STDERR_FILENO, buffer, (size_t)n);
        at += n;
    }
}

static void
on_abort(int signum)
{
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
        if (all[i])
            show_kept_stderr(all[i]);
    signal(signum, SIG_DFL);
    raise(signum);
}

static void
enlist(Process *p)
{
    static bool installed;

    if (!installed) {
        signal(SIGABRT, on_abort);
        /* g_error() ends in a trap, not in abort(). */
        signal(SIGTRAP, on_abort);
        installed = true;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
        if (!all[i]) {
            all[i] = p;
            return;
        }
    g_assert_not_reached();
}

static void
delist(Process *p)
{
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
        if (all[i] == p)
            all[i] = NULL;
}

G_GNUC_NORETURN static void
run_child(const char *const *argv, int out, int err, int pass_fd, pid_t parent)
{
    sigset_t none;
    int null;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGABRT, SIG_DFL);
    signal(SIGTRAP, SIG_DFL);
    null = open("/dev/null", O_RDONLY);
    dup2(null, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    if (pass_fd >= 0)
        fcntl(pass_fd, F_SETFD, 0);
    execvp(argv[0], (char *const *)argv);
    put(argv[0]);
    put(": cannot be run\n");
    _exit(127);
}

Process *
process_spawn(const char *const *argv, int pass_fd)
{
    Process *p = g_new0(Process, 1);
    pid_t parent = getpid();

    p->name = g_path_get_basename(argv[0]);
    p->out = memfd_create("stdout", MFD_CLOEXEC);
    p->err = memfd_create("stderr", MFD_CLOEXEC);
    g_assert_cmpint(p->out, >=, 0);
    g_assert_cmpint(p->err, >=, 0);
    p->pid = fork();
    g_assert_cmpint(p->pid, >=, 0);
    if (p->pid == 0)
        run_child(argv, p->out, p->err, pass_fd, parent);
    p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
    g_assert_cmpint(p->pidfd, >=, 0);
    enlist(p);
    return p;
}

pid_t
process_pid(const Process *p)
{
    return p->pid;
}

int
process_pidfd(const Process *p)
{
    return p->pidfd;
}

static bool
reap(Process *p, int bound_ms)
{
    struct pollfd pfd = {.fd = p->pidfd, .events = POLLIN};
    gint64 deadline = g_get_monotonic_time() + bound_ms * G_GINT64_CONSTANT(1000);
    int n, status;

    if (p->ended)
        return true;
    do {
        gint64 left = MAX(deadline - g_get_monotonic_time(), 0);
        n = poll(&pfd, 1, (int)((left + 999) / 1000));
    } while (n < 0 && errno == EINTR);
    if (n <= 0)
        return false;
    g_assert_cmpint(waitpid(p->pid, &status, 0), ==, p->pid);
    p->ended = true;
    p->status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    return true;
}

bool
process_is_alive(Process *p)
{
    return !reap(p, 0);
}

void
process_signal(Process *p, int signum)
{
    if (!p->ended)
        g_assert_cmpint(kill(p->pid, signum), ==, 0);
}

int
process_wait(Process *p, int bound_ms)
{
    if (!reap(p, bound_ms))
        g_error("%s (pid %d) has not ended within %d ms", p->name, (int)p->pid, bound_ms);
    return p->status;
}

static char *
contents(int fd)
{
    g_autoptr(GString) text = g_string_new(NULL);
    char buffer[4096];
    ssize_t n;

    while ((n = pread(fd, buffer, sizeof buffer, (off_t)text->len)) > 0)
        g_string_append_len(text, buffer, n);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

char *
process_stdout(const Process *p)
{
    return contents(p->out);
}

char *
process_stderr(const Process *p)
{
    return contents(p->err);
}

int
process_run(const char *const *argv, char **ret_stdout, char **ret_stderr)
{
    g_autoptr(Process) p = process_spawn(argv, -1);
    int status = process_wait(p, 60000);

    if (ret_stdout)
        *ret_stdout = process_stdout(p);
    if (ret_stderr)
        *ret_stderr = process_stderr(p);
    return status;
}

void
process_free(Process *p)
{
    if (!p)
        return;
    if (process_is_alive(p)) {
        process_signal(p, SIGKILL);
        process_signal(p, SIGCONT);
        process_wait(p, 10000);
    }
    delist(p);
    close(p->pidfd);
    close(p->out);
    close(p->err);
    g_free(p->name);
    g_free(p);
}
