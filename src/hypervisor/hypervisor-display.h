/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The guest's screens and its keyboard. On a lane, as all of hypervisor.h.
 */

#include "hypervisor.h"

#include <stdint.h>

#define SEND_KEYS_MAX 16

/* The number of a set of key codes ("linux", "xt", "usb", ...); -1 where there is none. */
int hypervisor_codeset(const char *name);

/* Reads. A descriptor, which is the caller's, or -1. */

/*
 * A sealed memory file with the picture, read from its start; `*ret_mime` says of which kind, and
 * is the caller's.
 */
int hypervisor_screenshot(Hypervisor *h, const char *uuid, unsigned screen, char **ret_mime,
                          Error **error);
/* A connection to the graphics server of the domain's graphics device `index`. */
int hypervisor_open_graphics(Hypervisor *h, const char *uuid, unsigned index, Error **error);

/* Always false: `*error` says why the consoles of this driver cannot be opened. */
bool hypervisor_refuse_console(Hypervisor *h, const char *uuid, Error **error);

/* Changes. */

/* Press up to SEND_KEYS_MAX keys together, for a time in ms. */
bool hypervisor_send_keys(Hypervisor *h, const char *uuid, int codeset, const uint32_t *keys,
                          unsigned n_keys, uint32_t hold, Error **error);
bool hypervisor_inject_nmi(Hypervisor *h, const char *uuid, Error **error);
