/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Bounds of what waits: of a user whatever the number of connections, and never of root because of
 * others. */

#include "budget.h"

#include <glib.h>

#define MIB (1024 * 1024)

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Budget, budget_free)

/* As many calls of this size as fit, each from a connection of its own. */
static unsigned
take_all(Budget *budget, uid_t uid, size_t bytes)
{
    unsigned n = 0;

    for (;;) {
        g_autofree char *name = g_strdup_printf(":%u.%u", uid, n);

        if (!budget_take(budget, uid, name, bytes))
            return n;
        n++;
    }
}

static void
test_user(void)
{
    g_autoptr(Budget) budget = budget_new();

    g_assert_cmpuint(take_all(budget, 1000, 64), ==, 4096);
    g_assert_cmpuint(take_all(budget, 1001, MIB), ==, 16);
    g_assert_true(budget_take(budget, 1002, ":2.1", MIB));
    budget_return(budget, 1000, ":1000.7", 64);
    g_assert_cmpuint(take_all(budget, 1000, 64), ==, 1);
}

static void
test_many_users(void)
{
    g_autoptr(Budget) budget = budget_new();

    for (uid_t uid = 1000; uid < 1004; uid++)
        g_assert_cmpuint(take_all(budget, uid, 64), ==, 4096);
    /* Together they have all; others have a share, and root its own. */
    g_assert_cmpuint(take_all(budget, 2000, 64), ==, 64);
    g_assert_cmpuint(take_all(budget, 2001, MIB), ==, 1);
    g_assert_cmpuint(take_all(budget, 0, 64), ==, 16384);
}

static void
test_connection_of_root(void)
{
    g_autoptr(Budget) budget = budget_new();
    unsigned n = 0;

    while (budget_take(budget, 0, ":1.1", 64))
        n++;
    g_assert_cmpuint(n, ==, 4096);
    g_assert_true(budget_take(budget, 0, ":1.2", 64));
    g_assert_false(budget_take_more(budget, 0, ":1.2", 64 * MIB));
    g_assert_true(budget_take_more(budget, 0, ":1.2", MIB));
    budget_return(budget, 0, ":1.2", MIB + 64);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/budget/user", test_user);
    g_test_add_func("/budget/many-users", test_many_users);
    g_test_add_func("/budget/connection-of-root", test_connection_of_root);
    return g_test_run();
}
