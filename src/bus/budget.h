/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How many calls wait for an answer, and how much memory their arguments take: of one caller and of
 * all. Belongs to the loop.
 */

#include <stdbool.h>
#include <stddef.h>

typedef struct Budget Budget;

Budget *budget_new(void);
void budget_free(Budget *budget);

/* Charge the caller for a call whose arguments take so many bytes; false where there is no room. */
bool budget_take(Budget *budget, const char *caller, size_t bytes);
/* The call has been answered. */
void budget_return(Budget *budget, const char *caller, size_t bytes);
