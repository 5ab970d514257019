/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A domain of the private libvirtd, together with the service that shows it. guest_free() ends the
 * service, after it has asserted that the service says what virsh says.
 */

#include "libvirtd.h"

typedef struct Guest {
    Service *service;
    char *path; /* of the domain */
} Guest;

/* Takes over both. */
Guest *guest_new(Service *service, char *path);
void guest_free(Guest *g);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Guest, guest_free)

/*
 * The domain "web" with a service of its own: `options` and `mode` are domain-xml's, `edit` is a
 * sed script for the XML; "define" makes it persistent and off, "create" transient and running.
 */
Guest *guest_begin(const char *how, const char *options, const char *mode, const char *edit);

/* Ends the service and starts it again: no event tells it of what was before. */
void guest_restart_service(Guest *g);

/* Waits for this state of the domain, as signals tell it. */
void guest_wait_state(Guest *g, const char *state);

/* The property, as signals tell it. */
const char *guest_get(Guest *g, const char *interface, const char *property);
#define assert_domain(g, property, value)                                                          \
    g_assert_cmpstr(guest_get(g, VMS_DOMAIN_INTERFACE, property), ==, value)

/* Calls a method of the domain that has no arguments. */
#define guest_operate(g, member) domain_call((g)->service, (g)->path, member, NULL)
