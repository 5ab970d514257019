/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent.h"

#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define AGENT_READY_MSEC 5000

static GPid agent_pid;

/* In the child: the agent ends when vmsctl does, even if that is killed. */
static void
die_with_parent(void *data)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
}

static bool
is_wanted(void)
{
    return agent_pid == 0 && geteuid() != 0 && isatty(STDIN_FILENO);
}

void
agent_start(void)
{
    int ready[2];

    if (!is_wanted() || pipe(ready) < 0)
        return;
    (void)fcntl(ready[0], F_SETFD, FD_CLOEXEC);

    g_autofree char *fd = g_strdup_printf("%d", ready[1]);
    char *arguments[] = {(char *)"pkttyagent", (char *)"--notify-fd", fd, (char *)"--fallback",
                         NULL};

    if (!g_spawn_async(NULL, arguments, NULL,
                       G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD |
                           G_SPAWN_LEAVE_DESCRIPTORS_OPEN | G_SPAWN_CHILD_INHERITS_STDIN,
                       die_with_parent, NULL, &agent_pid, NULL))
        agent_pid = -1;
    close(ready[1]);

    /* The agent closes its end when it is registered or has failed. */
    struct pollfd wait = {.fd = ready[0]};
    (void)poll(&wait, 1, AGENT_READY_MSEC);
    close(ready[0]);
}

void
agent_stop(void)
{
    if (agent_pid <= 0)
        return;
    (void)kill(agent_pid, SIGTERM);
    (void)kill(agent_pid, SIGCONT);
    (void)waitpid(agent_pid, NULL, 0);
    agent_pid = -1;
}
