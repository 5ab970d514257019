/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How many calls wait for an answer, and how many bytes are kept for them: of each connection, of
 * each user and of all ordinary users together. Root and the service's own user have their own
 * bounds only, and a user with few calls is served however much the others have. Belongs to the
 * loop.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct Budget Budget;

Budget *budget_new(void);
void budget_free(Budget *budget);

/* Charge the user, and the connection of that unique name, for a call that keeps so many bytes;
 * false where there is no room. */
bool budget_take(Budget *budget, uid_t uid, const char *name, size_t bytes);
/* The call has been answered. */
void budget_return(Budget *budget, uid_t uid, const char *name, size_t bytes);
/* Charge an accepted call for more bytes. */
bool budget_take_more(Budget *budget, uid_t uid, const char *name, size_t bytes);

/* Tell of each user how many calls wait, and how many bytes they keep. */
typedef void (*BudgetTell)(void *userdata, uid_t uid, unsigned calls, size_t bytes);
void budget_describe(const Budget *budget, BudgetTell tell, void *userdata);
