/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Those who use the core: they ask for operations, lists and a new connection, wait, cancel, or go
 * away while they wait. Each has to have exactly one answer.
 */

#include "core.h"

void clients_begin(Core *core);
void clients_end(void);
/* One of them does something. */
void clients_act(void);
/* Cancel the operations that would wait for ever. */
void clients_end_unbounded(void);
/* One asks for the list of all domains. */
void clients_list(void);
bool clients_wait(void);

void clients_check_always(void);
void clients_check_at_rest(void);
