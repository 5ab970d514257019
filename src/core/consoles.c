/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "consoles.h"

#include "console-child.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONSOLES_MAX          64
/* Of those, so many are kept for root. */
#define CONSOLES_OF_ROOT      16
#define CONSOLES_PER_USER_MAX 16
/* The program that runs, even if another one has been installed in its place. */
#define OWN_PROGRAM           "/proc/self/exe"

typedef struct Console Console;

struct Consoles {
    sd_event *event;
    char *uri;
    GHashTable *all; /* set of Console */
};

struct Console {
    Consoles *consoles;
    Pending *pending; /* of the one who asked; NULL once he is answered */
    WaiterDone done;
    void *userdata;
    char *domain_name;
    char *caller;
    uid_t uid;
    pid_t pid;
    int client;  /* until it is handed over */
    int control; /* closing it ends the process */
    bool opened;
    sd_event_source *report_source;
    sd_event_source *exit_source;
};

/* --- life --------------------------------------------------------------------------------- */

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void
console_free(gpointer data)
{
    Console *console = data;

    sd_event_source_disable_unref(console->report_source);
    sd_event_source_disable_unref(console->exit_source);
    close_fd(&console->client);
    close_fd(&console->control);
    g_free(console->domain_name);
    g_free(console->caller);
    g_free(console);
}

Consoles *
consoles_new(sd_event *event, const char *uri)
{
    Consoles *consoles = g_new0(Consoles, 1);

    consoles->event = event;
    consoles->uri = g_strdup(uri);
    consoles->all = g_hash_table_new_full(NULL, NULL, console_free, NULL);
    return consoles;
}

void
consoles_free(Consoles *consoles)
{
    if (!consoles)
        return;
    g_hash_table_unref(consoles->all);
    g_free(consoles->uri);
    g_free(consoles);
}

/* Tell the process to end. It is forgotten when it has. */
static void
dismiss(Console *console)
{
    console->report_source = sd_event_source_disable_unref(console->report_source);
    close_fd(&console->control);
    close_fd(&console->client);
}

void
consoles_stop(Consoles *consoles)
{
    GHashTableIter iter;
    gpointer console;

    g_hash_table_iter_init(&iter, consoles->all);
    while (g_hash_table_iter_next(&iter, &console, NULL))
        dismiss(console);
}

/* --- answering ---------------------------------------------------------------------------- */

/* A console that is not open yet is not wanted any more. */
static void
cancel_console(void *data)
{
    Console *console = data;

    console->pending = NULL;
    (void)kill(console->pid, SIGKILL);
    dismiss(console);
}

static void
answer(Console *console, CallOutcome outcome, int *client, const Error *error)
{
    *console->pending = (Pending){0};
    console->pending = NULL;
    console->done(console->userdata, outcome, client, error);
}

static void
hand_over(Console *console)
{
    console->opened = true;
    log_message(LOG_INFO, "A console of \"%s\" is open for %s", console->domain_name,
                console->caller);
    answer(console, OUTCOME_OK, &console->client, NULL);
    close_fd(&console->client);
}

static void
fail(Console *console, ErrorKind kind, int code, const char *message)
{
    g_autoptr(Error) error =
        kind == ERROR_NOT_AVAILABLE ? error_not_available(message) : error_new(kind, "%s", message);

    error->libvirt_code = code;
    answer(console, OUTCOME_FAILED, NULL, error);
}

/* --- reports of the process --------------------------------------------------------------- */

static int
on_report(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    Console *console = userdata;
    ConsoleReport report = {0};
    ssize_t n = recv(fd, &report, sizeof report - 1, MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    /* There is one packet; a process that ends without one is answered at its end. */
    console->report_source = sd_event_source_disable_unref(console->report_source);
    if (n <= (ssize_t)offsetof(ConsoleReport, message) || !console->pending)
        return 0;
    if (report.kind == ERROR_NONE)
        hand_over(console);
    else
        fail(console, (ErrorKind)report.kind, report.libvirt_code, report.message);
    return 0;
}

static int
on_exited(sd_event_source *source, const siginfo_t *info, void *userdata)
{
    Console *console = userdata;

    if (console->pending)
        fail(console, ERROR_OPERATION_FAILED, 0,
             "The console could not be opened: its process has ended");
    if (console->opened)
        log_message(LOG_INFO, "A console of \"%s\" has been closed", console->domain_name);
    if (info->si_code == CLD_EXITED && info->si_status != EXIT_SUCCESS)
        log_message(LOG_WARNING, "The process of a console of \"%s\" ended with status %d",
                    console->domain_name, info->si_status);
    g_hash_table_remove(console->consoles->all, console);
    return 0;
}

/* --- starting it -------------------------------------------------------------------------- */

/* Both descriptors have to be out of the way of those that they become in the process. */
static int
move_up(int fd)
{
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, CONSOLE_FD_CONTROL + 1);
    int code = errno;

    close(fd);
    errno = code;
    return moved;
}

static bool
make_pair(int type, int ret[static 2])
{
    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ret) < 0)
        return false;
    ret[1] = move_up(ret[1]);
    if (ret[1] >= 0)
        return true;
    close_fd(&ret[0]);
    return false;
}

static int
spawn(pid_t *ret_pid, char *const argv[], int client, int control)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;

    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, client, CONSOLE_FD_CLIENT);
    posix_spawn_file_actions_adddup2(&actions, control, CONSOLE_FD_CONTROL);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    int code = posix_spawn(ret_pid, OWN_PROGRAM, &actions, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return code;
}

/* 0 or a positive errno. */
static int
start_process(Console *console, const ConsoleTarget *target)
{
    const char *how = target->force ? CONSOLE_TAKE_OVER : CONSOLE_IF_FREE;
    char *argv[] = {(char *)"unraid-vmsd",
                    (char *)CONSOLE_ARGUMENT,
                    console->consoles->uri,
                    (char *)target->domain_uuid,
                    (char *)target->device,
                    (char *)how,
                    NULL};
    int client[2] = {-1, -1};
    int control[2] = {-1, -1};
    int code = 0;

    if (!make_pair(SOCK_STREAM, client) || !make_pair(SOCK_SEQPACKET, control))
        code = errno;
    else
        code = spawn(&console->pid, argv, client[1], control[1]);
    close_fd(&client[1]);
    close_fd(&control[1]);
    console->client = client[0];
    console->control = control[0];
    return code;
}

static int
watch_process(Console *console)
{
    sd_event *event = console->consoles->event;
    int r =
        sd_event_add_child(event, &console->exit_source, console->pid, WEXITED, on_exited, console);

    if (r >= 0)
        r = sd_event_add_io(event, &console->report_source, console->control, EPOLLIN, on_report,
                            console);
    /* The report comes before the end. */
    if (r >= 0)
        r = sd_event_source_set_priority(console->exit_source, SD_EVENT_PRIORITY_NORMAL + 1);
    return r;
}

/* 0 or a positive errno. */
static int
start(Console *console, const ConsoleTarget *target)
{
    int code = start_process(console, target);

    if (code != 0 || watch_process(console) >= 0)
        return code;
    (void)kill(console->pid, SIGKILL);
    (void)waitpid(console->pid, NULL, 0);
    return ENOMEM;
}

static Console *
console_new(Consoles *consoles, const ConsoleTarget *target)
{
    Console *console = g_new0(Console, 1);

    console->consoles = consoles;
    console->domain_name = g_strdup(target->domain_name);
    console->caller = g_strdup(target->caller);
    console->uid = target->uid;
    console->client = -1;
    console->control = -1;
    return console;
}

static void
refuse(WaiterDone done, void *userdata, ErrorKind kind, const char *message)
{
    g_autoptr(Error) error = error_new(kind, "%s", message);

    done(userdata, OUTCOME_FAILED, NULL, error);
}

static unsigned
count_of(Consoles *consoles, uid_t uid)
{
    GHashTableIter iter;
    gpointer console;
    unsigned n = 0;

    g_hash_table_iter_init(&iter, consoles->all);
    while (g_hash_table_iter_next(&iter, &console, NULL))
        n += ((const Console *)console)->uid == uid;
    return n;
}

static bool
has_room(Consoles *consoles, uid_t uid)
{
    unsigned all = g_hash_table_size(consoles->all);

    if (uid == 0)
        return all < CONSOLES_MAX;
    return all < CONSOLES_MAX && all - count_of(consoles, 0) < CONSOLES_MAX - CONSOLES_OF_ROOT &&
           count_of(consoles, uid) < CONSOLES_PER_USER_MAX;
}

void
consoles_open(Consoles *consoles, const ConsoleTarget *target, Pending *pending, WaiterDone done,
              void *userdata)
{
    if (!has_room(consoles, target->uid)) {
        refuse(done, userdata, ERROR_LIMITS_EXCEEDED, "As many consoles as there can be are open");
        return;
    }

    Console *console = console_new(consoles, target);
    int code = start(console, target);
    if (code != 0) {
        g_autofree char *message =
            g_strdup_printf("The console's process cannot be run: %s", g_strerror(code));

        console_free(console);
        refuse(done, userdata, ERROR_OPERATION_FAILED, message);
        return;
    }
    console->pending = pending;
    console->done = done;
    console->userdata = userdata;
    *pending = (Pending){cancel_console, console};
    g_hash_table_add(consoles->all, console);
}
