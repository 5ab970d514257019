/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The start without systemd: arguments, and what is left of root's rights. Children become the
 * user. */

#include "launch.h"
#include "privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define USER  "nobody"
#define GROUP "tty"

static void
assert_arguments(const char *vms_options, const char *expected)
{
    char *argv[] = {(char *)"unraid-vmsd", (char *)"--instance=attic", (char *)"two words", NULL};
    g_auto(GStrv) arguments = launch_arguments(argv, vms_options);
    g_autofree char *joined = g_strjoinv("|", arguments);

    g_assert_cmpstr(joined, ==, expected);
}

/* The command line comes last, and so it counts. */
static void
test_arguments(void)
{
    assert_arguments(NULL, "unraid-vmsd|--instance=attic|two words");
    assert_arguments("", "unraid-vmsd|--instance=attic|two words");
    assert_arguments("--log-level=debug  --uri='a b'",
                     "unraid-vmsd|--log-level=debug|--uri=a b|--instance=attic|two words");
}

static void
test_due(void)
{
    const Options asked = {.drop_root = true}, other = {0};

    g_assert_cmpint(launch_is_due(&asked), ==, geteuid() == 0);
    g_assert_false(launch_is_due(&other));
}

/* In a child, which passes if it exits with 0. */
static void
in_child(void (*check)(void))
{
    int status;

    if (geteuid() != 0) {
        g_test_skip("only root can become somebody else");
        return;
    }
    pid_t child = fork();
    if (child == 0) {
        check();
        _exit(0);
    }
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_cmpint(status, ==, 0);
}

static bool
has_group(gid_t group)
{
    gid_t groups[128];
    int n = getgroups(G_N_ELEMENTS(groups), groups);

    while (n > 0)
        if (groups[--n] == group)
            return true;
    return false;
}

static void
check_user(void)
{
    const struct passwd *user = getpwnam(USER);
    uid_t uid = user->pw_uid, uids[3];
    gid_t gid = user->pw_gid, gids[3];
    struct rlimit limit;

    g_assert_no_errno(setgroups(1, (gid_t[]){0}));
    g_assert_null(privileges_become(USER, GROUP));
    g_assert_no_errno(getresuid(&uids[0], &uids[1], &uids[2]));
    g_assert_no_errno(getresgid(&gids[0], &gids[1], &gids[2]));
    for (int i = 0; i < 3; i++) {
        g_assert_cmpuint(uids[i], ==, uid);
        g_assert_cmpuint(gids[i], ==, gid);
    }
    g_assert_true(has_group(getgrnam(GROUP)->gr_gid));
    g_assert_false(has_group(0));
    g_assert_cmpint(setuid(0), ==, -1);
    g_assert_cmpint(setgroups(0, NULL), ==, -1);
    g_assert_cmpint(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), ==, 1);
    g_assert_no_errno(getrlimit(RLIMIT_NOFILE, &limit));
    g_assert_cmpuint(limit.rlim_cur, ==, limit.rlim_max);
    g_assert_cmpuint(limit.rlim_max, <=, PRIVILEGES_MAX_DESCRIPTORS);
    g_assert_cmpstr(g_getenv("HOME"), ==, getpwnam(USER)->pw_dir);
    g_assert_cmpstr(g_getenv("USER"), ==, USER);
}

static void
test_user(void)
{
    in_child(check_user);
}

static void
check_no_group(void)
{
    g_assert_null(privileges_become(USER, "no-such-group-here"));
    g_assert_cmpuint(geteuid(), ==, getpwnam(USER)->pw_uid);
}

/* Where libvirt is not installed, there is nothing to join. */
static void
test_no_group(void)
{
    in_child(check_no_group);
}

static void
check_no_user(void)
{
    g_autoptr(Error) error = privileges_become("no-such-user-here", GROUP);

    g_assert_nonnull(error);
    g_assert_cmpstr(error->message, ==, "There is no user no-such-user-here to run as");
}

static void
test_no_user(void)
{
    in_child(check_no_user);
}

/* Root without CAP_SYS_RESOURCE, as in a container, cannot raise what bounds it. */
static void
check_bounded(void)
{
    struct rlimit limit = {100, 200};

    g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &limit));
    g_assert_null(privileges_become(USER, GROUP));
    g_assert_no_errno(getrlimit(RLIMIT_NOFILE, &limit));
    g_assert_true(limit.rlim_cur == PRIVILEGES_MAX_DESCRIPTORS || limit.rlim_cur == 200);
}

static void
test_bounded(void)
{
    in_child(check_bounded);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/launch/arguments", test_arguments);
    g_test_add_func("/launch/due", test_due);
    g_test_add_func("/launch/user", test_user);
    g_test_add_func("/launch/no-group", test_no_group);
    g_test_add_func("/launch/no-user", test_no_user);
    g_test_add_func("/launch/bounded", test_bounded);
    return g_test_run();
}
