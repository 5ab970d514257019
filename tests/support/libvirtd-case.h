/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Cases of a test program that uses a real libvirtd. Each runs in a process of its own. libvirtd
 * itself crashes now and then; a case that fails while it did is begun again, at most twice, and
 * the output says so. A case that fails without such a crash has failed.
 *
 * Where the case expects crashes and goes on after them, add it with g_test_add_func().
 */

#include <glib.h>

void libvirtd_add_func(const char *path, GTestFunc func);
void libvirtd_add_data_func(const char *path, gconstpointer data, GTestDataFunc func);

/* How often a libvirtd of this world has ended by a signal such as SIGSEGV or SIGABRT. */
guint libvirtd_crashes(void);
