/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static Error *
failure(const char *what)
{
    return error_new(ERROR_OPERATION_FAILED, "%s failed: %s", what, g_strerror(errno));
}

/* Those of the group file, and GROUP. */
static bool
set_groups(const struct passwd *user, const char *group)
{
    int n = 0;
    const struct group *extra;

    (void)getgrouplist(user->pw_name, user->pw_gid, NULL, &n);
    g_autofree gid_t *groups = g_new(gid_t, (gsize)n + 1);
    if (getgrouplist(user->pw_name, user->pw_gid, groups, &n) < 0)
        return false;
    extra = getgrnam(group);
    if (extra)
        groups[n++] = extra->gr_gid;
    return setgroups((size_t)n, groups) == 0;
}

/* Root may be bounded itself, in a container. */
static bool
limit_descriptors(void)
{
    struct rlimit limit = {PRIVILEGES_MAX_DESCRIPTORS, PRIVILEGES_MAX_DESCRIPTORS};

    if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
        return true;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return false;
    limit.rlim_cur = limit.rlim_max = MIN(limit.rlim_max, PRIVILEGES_MAX_DESCRIPTORS);
    return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

static void
set_surroundings(const struct passwd *user)
{
    g_setenv("HOME", user->pw_dir, TRUE);
    g_setenv("USER", user->pw_name, TRUE);
    g_setenv("LOGNAME", user->pw_name, TRUE);
    (void)umask(077);
    (void)!chdir("/");
}

Error *
privileges_become(const char *name, const char *group)
{
    const struct passwd *user;

    errno = 0;
    user = getpwnam(name);
    if (!user)
        return error_new(ERROR_OPERATION_FAILED, "There is no user %s to run as%s%s", name,
                         errno ? ": " : "", errno ? g_strerror(errno) : "");
    if (!limit_descriptors())
        return failure("Limiting the number of descriptors");
    if (!set_groups(user, group))
        return failure("Joining the groups");
    if (setresgid(user->pw_gid, user->pw_gid, user->pw_gid) < 0 ||
        setresuid(user->pw_uid, user->pw_uid, user->pw_uid) < 0)
        return failure("Becoming the user of the service");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return failure("Giving up new privileges");
    set_surroundings(user);
    return NULL;
}
