/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A domain as an operation sees it. Whoever drives operations supplies one when an operation
 * begins, and another whenever any of this changes or the domain was refreshed. Plain data.
 */

#include "domain.h"

typedef struct {
    DomainState state;
    const char *reason; /* of the state, static; NULL: not known */
    int id;             /* -1 while it is off */
    bool gone;          /* there is no such domain any more */
    bool persistent;
    bool fresh; /* nothing of this is stale: it was read after the last refresh() */
    /*
     * Paused because a start is under way (VIR_DOMAIN_PAUSED_STARTING_UP). A hypervisor that is
     * killed there may leave the domain so for good.
     */
    bool starting_up;
    bool restored; /* paused, as it was when its memory was saved */
    /* Facts from the XML of the running domain. */
    bool agent_connected;
    bool restarts_on_poweroff; /* <on_poweroff> is restart: it comes up again, and keeps its id */
    bool ends_on_reboot;       /* <on_reboot> is destroy or preserve: a reset ends it */
    /*
     * When it last began to boot: started, reset, or restarted by its guest (the event REBOOTED).
     * Monotonic, µs, the clock of operation_begin(); 0: not known.
     */
    uint64_t booted_at;
} Observation;
