/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * polkit's question in the terminal: an ordinary user on a terminal gets polkit's own text agent
 * (pkttyagent) for as long as vmsctl runs, as with systemctl. Where there is no terminal, or no
 * agent installed, nothing is started and polkit says no by itself.
 */
#pragma once

/* Returns once the agent is registered; does nothing from the second call on. */
void agent_start(void);
void agent_stop(void);
