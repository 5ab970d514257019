/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A stand-in for the functions of src/hypervisor/hypervisor.h that lanes use, linked instead of
 * them: connections that open, hang, fail and die as the test says. The test's thread only, except
 * for what a lane calls.
 */

#include <stdbool.h>

void fake_hypervisor_reset(void);
/* From now on, opening a connection blocks until it is let go; then it succeeds or fails. */
void fake_hypervisor_hold_opens(bool hold);
void fake_hypervisor_fail_opens(bool fail);
/* From now on, a list blocks until it is let go, and then fails. */
void fake_hypervisor_hold_lists(bool hold);
/* From now on, the version is not told until it is let go. */
void fake_hypervisor_hold_versions(bool hold);
/* From now on, the lock of every domain is held. */
void fake_hypervisor_hold_locks(bool hold);
/* From now on, opening one runs a program that does not end, and fails when it does. */
void fake_hypervisor_run_child(bool run);
/* Every connection is dead from now on. */
void fake_hypervisor_kill(void);
/* How many connections are open now, and how many were ever opened since the reset. */
unsigned fake_hypervisor_open_count(void);
unsigned fake_hypervisor_opened_count(void);
