/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The domains as they really are, and the guests in them, which obey, ignore, refuse, hang or
 * crash. This file defines the hypervisor_*() functions that the calls of the core make: they act
 * here, at once. The lanes ask what keeps a call waiting.
 */

#include "domain.h"
#include "hypervisor-events.h"

#define GUESTS_MAX 3

typedef enum {
    GUEST_OBEYS,
    GUEST_LATE,
    GUEST_IGNORES,
    GUEST_REFUSES, /* the request itself fails */
    GUEST_HANGS,   /* the request itself hangs, as in an agent */
    GUEST_CRASHES,
    _GUEST_KIND_MAX,
} GuestKind;

typedef enum {
    AGENT_NONE,
    AGENT_ANSWERS,
    AGENT_REFUSES,
    AGENT_HANGS,
    _AGENT_MAX,
} AgentKind;

typedef struct {
    unsigned number;
    char uuid[UUID_LENGTH + 1];
    char name[8];
    DomainState state;
    int id;
    int last_id;
    unsigned run; /* counts starts and ends */
    bool persistent;
    bool exists;
    bool autostart; /* changes without an event */
    unsigned title; /* changes with one */
    bool saving;    /* a save is under way */
    bool has_managed_save;
    bool frozen; /* its process: of calls about it only virDomainDestroy gets through */
    GuestKind kind;
    AgentKind agent;
    bool restarts_on_poweroff;
    bool ends_on_reboot;
    bool starts_slowly;   /* where somebody else starts it */
    bool starting_up;     /* by somebody else */
    bool stuck;           /* reset in its sleep: it does not wake up */
    uint64_t deaf;        /* how long it loses requests after it began to boot */
    uint64_t booted_at;   /* 0: before this schedule */
    uint64_t rebooted_at; /* in place */
    uint64_t read_at;     /* its state, by the core */
    uint64_t left_at[_DOMAIN_STATE_MAX];
} SimDomain;

/* The connection that a call is made on. */
struct Hypervisor {
    unsigned daemon;
    const struct Call *call; /* that is made */
    unsigned read;           /* by it: one bit for each domain it is about */
    bool hangs;              /* it waits for a guest that does not answer */
};

/* `with_disks`: some have a disk (disks.h). */
void guests_begin(bool with_disks);

unsigned guests_count(void);
SimDomain *guests_get(unsigned number);
/* NULL: there never was such a domain. */
SimDomain *guests_find(const char *uuid);
/* It runs and can be asked for something. */
bool guest_is_up(const SimDomain *guest);
bool guest_was_in_state(const SimDomain *guest, DomainState state, uint64_t since);
bool guest_was_up(const SimDomain *guest, uint64_t since);
/* Whether this world's driver reboots a guest within the call. */
bool guests_reboot_in_call(void);
/* Whether a frozen guest of this world's driver keeps waiting who reads its state and its flags. */
bool guests_freeze_states(void);
/* Whether calls that read these domains (a bit each) wait for a frozen one. */
bool guests_block(unsigned read);
/* A save begins: the call that ends it follows. */
void guests_begin_save(const char *uuid);

/* Somebody else does something with virsh, or a guest by itself. */
void guests_meddle(void);
/* Nothing about it returns for a while. */
void guests_freeze_one(void);
/* The daemon ended, and with it the saves under way. */
void guests_daemon_died(void);
/* From now on each works. */
void guests_heal(void);
