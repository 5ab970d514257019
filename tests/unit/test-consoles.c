/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How many consoles each user may have. The process of a console is this program again. */

#include "consoles.h"

#include "console-child.h"
#include "emulated.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OF_A_USER   16
#define OF_ROOT     16
#define OF_ORDINARY 48
#define ALICE       1000
#define BOB         1001
#define CAROL       1002
#define DAVE        1003

typedef struct {
    sd_event *event;
    Consoles *consoles;
    GArray *open; /* descriptors of the clients' sides */
} World;

typedef struct {
    World *world;
    Pending pending;
    bool answered;
    bool opened;
} Question;

/* --- the process -------------------------------------------------------------------------- */

/* Reports that it is open, and ends when the client's side or the service has closed it. */
static int
console_process(void)
{
    const ConsoleReport report = {.kind = ERROR_NONE};
    struct pollfd ends[] = {{.fd = CONSOLE_FD_CLIENT}, {.fd = CONSOLE_FD_CONTROL}};

    if (send(CONSOLE_FD_CONTROL, &report, sizeof report, 0) < 0)
        return 1;
    return poll(ends, G_N_ELEMENTS(ends), -1) > 0 ? 0 : 1;
}

/* --- the world ---------------------------------------------------------------------------- */

static void
world_begin(World *w)
{
    g_assert_cmpint(sd_event_new(&w->event), >=, 0);
    w->consoles = consoles_new(w->event, "test:///default");
    w->open = g_array_new(FALSE, FALSE, sizeof(int));
}

static void
world_end(World *w)
{
    for (unsigned i = 0; i < w->open->len; i++)
        close(g_array_index(w->open, int, i));
    g_array_unref(w->open);
    consoles_free(w->consoles);
    sd_event_unref(w->event);
}

static void
on_open(void *userdata, CallOutcome outcome, void *answer, const Error *error)
{
    Question *question = userdata;

    question->answered = true;
    question->opened = !error;
    if (error) {
        g_assert_cmpint(error->kind, ==, ERROR_LIMITS_EXCEEDED);
        return;
    }
    int fd = fcntl(*(int *)answer, F_DUPFD_CLOEXEC, 0);
    g_assert_cmpint(fd, >=, 0);
    g_array_append_val(question->world->open, fd);
}

static bool
open_one(World *w, uid_t uid)
{
    const ConsoleTarget target = {
        .domain_uuid = "c0de0001-0000-4000-8000-000000000001",
        .domain_name = "web",
        .device = "",
        .caller = ":1.7",
        .uid = uid,
    };
    Question question = {.world = w};

    consoles_open(w->consoles, &target, &question.pending, on_open, &question);
    while (!question.answered)
        g_assert_cmpint(sd_event_run(w->event, UINT64_MAX), >=, 0);
    return question.opened;
}

static unsigned
open_all(World *w, uid_t uid)
{
    unsigned n = 0;

    while (open_one(w, uid))
        n++;
    return n;
}

/* --- the cases ---------------------------------------------------------------------------- */

/* One user who has opened all that he may takes none of another one's. */
static void
test_user(void)
{
    World w;

    world_begin(&w);
    g_assert_cmpuint(open_all(&w, ALICE), ==, OF_A_USER);
    g_assert_cmpuint(open_all(&w, BOB), ==, OF_A_USER);
    world_end(&w);
}

/* All users together leave some to root, who may have more than a user. */
static void
test_root(void)
{
    World w;

    world_begin(&w);
    g_assert_cmpuint(open_all(&w, ALICE) + open_all(&w, BOB) + open_all(&w, CAROL), ==,
                     OF_ORDINARY);
    g_assert_false(open_one(&w, DAVE));
    g_assert_cmpuint(open_all(&w, 0), ==, OF_ROOT);
    world_end(&w);

    world_begin(&w);
    g_assert_cmpuint(open_all(&w, 0), ==, OF_ORDINARY + OF_ROOT);
    world_end(&w);
}

/* A console that is closed makes room for another one. */
static void
test_room(void)
{
    World w;

    world_begin(&w);
    g_assert_cmpuint(open_all(&w, ALICE), ==, OF_A_USER);
    close(g_array_index(w.open, int, 0));
    g_array_remove_index(w.open, 0);
    while (!open_one(&w, ALICE))
        g_assert_cmpint(sd_event_run(w.event, UINT64_MAX), >=, 0);
    g_assert_false(open_one(&w, ALICE));
    world_end(&w);
}

int
main(int argc, char **argv)
{
    sigset_t signals;

    if (argc > 1 && g_str_equal(argv[1], CONSOLE_ARGUMENT))
        return console_process();
    /* The end of a process is a signal that the loop reads. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    g_assert_cmpint(sigprocmask(SIG_BLOCK, &signals, NULL), ==, 0);
    g_test_init(&argc, &argv, NULL);
    add_unless_emulated("/consoles/user", test_user);
    add_unless_emulated("/consoles/root", test_root);
    add_unless_emulated("/consoles/room", test_room);
    return g_test_run();
}
