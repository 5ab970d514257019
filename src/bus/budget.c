/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "budget.h"

#include <glib.h>

#define CALLS_MAX            16384
#define CALLS_PER_CALLER_MAX 4096
/* Bytes; calls with small arguments are bounded by their number. */
#define BYTES_MAX            ((size_t)64 * 1024 * 1024)
#define BYTES_PER_CALLER_MAX ((size_t)16 * 1024 * 1024)
#define BYTES_SMALL          4096

typedef struct {
    unsigned calls;
    size_t bytes;
} Account;

struct Budget {
    Account all;
    GHashTable *accounts; /* unique name -> Account */
};

Budget *
budget_new(void)
{
    Budget *budget = g_new0(Budget, 1);

    budget->accounts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return budget;
}

void
budget_free(Budget *budget)
{
    if (!budget)
        return;
    g_hash_table_unref(budget->accounts);
    g_free(budget);
}

static size_t
charged(size_t bytes)
{
    return bytes > BYTES_SMALL ? bytes : 0;
}

bool
budget_take(Budget *budget, const char *caller, size_t bytes)
{
    Account *account = g_hash_table_lookup(budget->accounts, caller);
    const Account none = {0};
    const Account *now = account ? account : &none;

    bytes = charged(bytes);
    if (budget->all.calls >= CALLS_MAX || now->calls >= CALLS_PER_CALLER_MAX)
        return false;
    if (bytes > 0 &&
        (budget->all.bytes + bytes > BYTES_MAX || now->bytes + bytes > BYTES_PER_CALLER_MAX))
        return false;
    if (!account) {
        account = g_new0(Account, 1);
        g_hash_table_insert(budget->accounts, g_strdup(caller), account);
    }
    account->calls++;
    account->bytes += bytes;
    budget->all.calls++;
    budget->all.bytes += bytes;
    return true;
}

void
budget_return(Budget *budget, const char *caller, size_t bytes)
{
    Account *account = g_hash_table_lookup(budget->accounts, caller);

    bytes = charged(bytes);
    budget->all.calls--;
    budget->all.bytes -= bytes;
    account->bytes -= bytes;
    if (--account->calls == 0)
        g_hash_table_remove(budget->accounts, caller);
}
