/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * polkit's question for a password in the terminal. An ordinary user on a terminal gets polkit's
 * own text agent (pkttyagent) for as long as vmsctl runs, as with systemctl. Without a terminal, or
 * without pkttyagent, nothing is started, and polkit refuses what would need a password.
 */
#pragma once

/* Returns once the agent is registered; does nothing from the second call on. */
void agent_start(void);
void agent_stop(void);
