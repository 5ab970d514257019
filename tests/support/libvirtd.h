/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A real libvirtd and real guests, for a test program that runs inside libvirtd-env. Whatever
 * waits here runs the world's loop meanwhile, and aborts the test, saying why, if it fails.
 */

#include "libvirtd-case.h"
#include "service.h"

/* Ends the test program as skipped (77) where there is no such environment. */
void libvirtd_need(void);

/* Runs a bash script; what it wrote to stdout, without the last newline, freed with g_free(). */
char *shell(World *w, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* The same, for its effect. */
void run(World *w, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* libvirtd runs and has no domains; there is no second host. */
void libvirtd_clean(void);
/* Until libvirtd carries out nothing any more, calls included whose connection was lost. */
void libvirtd_wait_idle(World *w);
/*
 * Starts of domains whose names begin with "slow", and ends of those whose names begin with "held",
 * hang in libvirt's hook for as long as the file /run/vms/hang exists, which this makes;
 * /run/vms/hung.NAME tells that one has got there. Restarts libvirtd, whose threads come
 * before all else that this machine does.
 */
void libvirtd_slow_starts(void);
/*
 * libvirtd has made all the workers that it may have. Where calls hang, and the machine is busy, it
 * may not make one that a call needs, which then waits for good.
 */
void libvirtd_make_workers(void);
/*
 * Saving a guest's memory takes a minute, also for a snapshot: slow-gzip compresses it. Until the
 * end of the case, or until libvirtd_fast_saves(), which lets those under way end, too.
 */
void libvirtd_slow_saves(void);
void libvirtd_fast_saves(void);
/* start, stop, kill, restart, freeze or thaw (see libvirtd-ctl). */
void libvirtd(World *w, const char *verb);

/*
 * A domain for the test guest: options as for guest/domain-xml ("--delay 2", ""), and its
 * mode. Defined and not running; created instead it is transient and running.
 */
void guest_define(World *w, const char *options, const char *name, const char *mode);
void guest_create(World *w, const char *options, const char *name, const char *mode);
void guest_start(World *w, const char *name);
/* Until it has said so on its serial console. */
void guest_wait(World *w, const char *name, const char *text);
/* Its object, known by the UUID that its name gives it. */
char *guest_path(World *w, const char *name);

/*
 * The mirror, which follows the signals, equals what virsh says, the states included, and
 * ListDomains, which asks libvirt, says the same and finds nothing to signal.
 */
void assert_equals_virsh(Service *s);
