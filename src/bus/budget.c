/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "budget.h"

#include "caller.h"
#include "units.h"

#include <glib.h>

typedef struct {
    unsigned calls;
    size_t bytes;
} Account;

static const Account max_of_all = {16384, 64 * MIB};
static const Account max_of_user = {4096, 16 * MIB};
/* Root and our own user. A single connection, theirs too, has the bound of an ordinary user. */
static const Account max_of_root = {16384, 64 * MIB};
/* Each user may have this much, even when all users together exceed their bound. */
static const Account share_of_user = {64, MIB};

struct Budget {
    Account ordinary;        /* of all users but root and our own */
    GHashTable *users;       /* uid -> Account */
    GHashTable *connections; /* unique name -> Account */
};

Budget *
budget_new(void)
{
    Budget *budget = g_new0(Budget, 1);

    budget->users = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    budget->connections = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return budget;
}

void
budget_free(Budget *budget)
{
    if (!budget)
        return;
    g_hash_table_unref(budget->users);
    g_hash_table_unref(budget->connections);
    g_free(budget);
}

static bool
fits(const Account *account, const Account *more, const Account *max)
{
    const Account none = {0};

    if (!account)
        account = &none;
    return account->calls + more->calls <= max->calls && account->bytes + more->bytes <= max->bytes;
}

static void
add(Account *account, const Account *more)
{
    account->calls += more->calls;
    account->bytes += more->bytes;
}

static void
subtract(Account *account, const Account *less)
{
    account->calls -= less->calls;
    account->bytes -= less->bytes;
}

static bool
has_room(const Budget *budget, uid_t uid, const char *name, const Account *more)
{
    const Account *user = g_hash_table_lookup(budget->users, GUINT_TO_POINTER(uid));
    const Account *connection = g_hash_table_lookup(budget->connections, name);

    if (!fits(connection, more, &max_of_user))
        return false;
    if (!caller_is_ordinary(uid))
        return fits(user, more, &max_of_root);
    return fits(user, more, &max_of_user) &&
           (fits(&budget->ordinary, more, &max_of_all) || fits(user, more, &share_of_user));
}

static void
add_to_entry(GHashTable *accounts, gconstpointer key, char *(*copy)(const char *key),
             const Account *more)
{
    Account *account = g_hash_table_lookup(accounts, key);

    if (!account) {
        account = g_new0(Account, 1);
        g_hash_table_insert(accounts, copy ? copy(key) : (gpointer)key, account);
    }
    add(account, more);
}

static void
subtract_from_entry(GHashTable *accounts, gconstpointer key, const Account *less)
{
    Account *account = g_hash_table_lookup(accounts, key);

    subtract(account, less);
    if (account->calls == 0)
        g_hash_table_remove(accounts, key);
}

static char *
copy_name(const char *name)
{
    return g_strdup(name);
}

static bool
take(Budget *budget, uid_t uid, const char *name, const Account *more)
{
    if (!has_room(budget, uid, name, more))
        return false;
    add_to_entry(budget->users, GUINT_TO_POINTER(uid), NULL, more);
    add_to_entry(budget->connections, name, copy_name, more);
    if (caller_is_ordinary(uid))
        add(&budget->ordinary, more);
    return true;
}

bool
budget_take(Budget *budget, uid_t uid, const char *name, size_t bytes)
{
    return take(budget, uid, name, &(Account){1, bytes});
}

bool
budget_take_more(Budget *budget, uid_t uid, const char *name, size_t bytes)
{
    return take(budget, uid, name, &(Account){0, bytes});
}

void
budget_return(Budget *budget, uid_t uid, const char *name, size_t bytes)
{
    const Account less = {1, bytes};

    subtract_from_entry(budget->users, GUINT_TO_POINTER(uid), &less);
    subtract_from_entry(budget->connections, name, &less);
    if (caller_is_ordinary(uid))
        subtract(&budget->ordinary, &less);
}

void
budget_describe(const Budget *budget, BudgetTell tell, void *userdata)
{
    GHashTableIter iter;
    gpointer uid, value;

    g_hash_table_iter_init(&iter, budget->users);
    while (g_hash_table_iter_next(&iter, &uid, &value)) {
        const Account *account = value;

        tell(userdata, GPOINTER_TO_UINT(uid), account->calls, account->bytes);
    }
}
