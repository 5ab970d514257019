/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The address of another host's bus: nothing in a host's name may become another part of it. */

#include "host-address.h"

#include <glib.h>
#include <string.h>

/* The host's name, and the arguments of ssh before the command. */
static const struct {
    const char *host, *arguments;
} hosts[] = {
    {"attic", "argv1=-xT,argv2=--,argv3=attic,argv4="},
    {"root@attic", "argv1=-xT,argv2=--,argv3=root%40attic,argv4="},
    {"attic:2222", "argv1=-xT,argv2=-p,argv3=2222,argv4=--,argv5=attic,argv6="},
    {"[fd00::1]", "argv1=-xT,argv2=--,argv3=fd00%3a%3a1,argv4="},
    {"me@[fd00::1]:22", "argv1=-xT,argv2=-p,argv3=22,argv4=--,argv5=me%40fd00%3a%3a1,argv6="},
    {"-oProxyCommand=id", "argv1=-xT,argv2=--,argv3=-oProxyCommand%3did,argv4="},
    {"a,argv9=b;unix:path=c", NULL},
    {"a,argv9=b;c", "argv1=-xT,argv2=--,argv3=a%2cargv9%3db%3bc,argv4="},
    {"a b'$(id)\n", "argv1=-xT,argv2=--,argv3=a%20b%27%24%28id%29%0a,argv4="},
    {"dépôt", "argv1=-xT,argv2=--,argv3=d%c3%a9p%c3%b4t,argv4="},
    {"", NULL},
    {"@", NULL},
    {"@attic", NULL},
    {"root@", NULL},
    {"a@b@c", NULL},
    {"attic:", NULL},
    {"attic:0", NULL},
    {"attic:65536", NULL},
    {"attic:-1", NULL},
    {"attic:22/x", NULL},
    {"[fd00::1", NULL},
    {"[fd00::1]x", NULL},
    {"[]", NULL},
};

static void
test_hosts(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(hosts); i++) {
        g_autofree char *address = host_address(hosts[i].host);
        const char *arguments = address ? strstr(address, "argv1=") : NULL;

        g_test_message("%s", hosts[i].host);
        g_assert_cmpint(!!address, ==, !!hosts[i].arguments);
        if (!address)
            continue;
        g_assert_true(g_str_has_prefix(address, "unixexec:path=ssh,argv1="));
        g_assert_true(g_str_has_prefix(arguments, hosts[i].arguments));
        /* The command is all that follows, whole. */
        g_assert_null(strpbrk(arguments + strlen(hosts[i].arguments), ",;=' $"));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/host-address/hosts", test_hosts);
    return g_test_run();
}
