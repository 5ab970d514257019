/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A method of an interface, as a row of a table.
 *
 * A call passes through the stages of request.h: its arguments are parsed once, the caller is
 * authorised, the call to libvirt is made on a lane, the domain is refreshed, the reply is sent.
 * The row says what is special about the method; a stage that it leaves empty does the usual.
 */

#include "authorize.h"
#include "disk-operation-spec.h"
#include "host-device.h"
#include "hypervisor-config.h"
#include "hypervisor-guest.h"
#include "hypervisor-saved.h"
#include "hypervisor-stats.h"
#include "lane-pool.h"
#include "log.h"
#include "operation-spec.h"

#include <systemd/sd-bus.h>

typedef struct Request Request;

typedef enum {
    METHOD_READ,      /* not done in time: Timeout */
    METHOD_CHANGE,    /* not done in time: StillRunning, and it goes on */
    METHOD_OPERATION, /* likewise, naming the job */
} MethodKind;

/*
 * The arguments of a call: a method's parser fills the members that the method has, the others stay
 * 0 or NULL. A boolean that a client gives is an int, as sd-bus reads it. They are parsed on the
 * loop and do not change after that, so that a lane may read them. Reference counted, on the loop
 * only.
 */
typedef struct {
    /* Of several interfaces. */
    Affect affect; /* the options `live` and `config` */
    int force;     /* the option */
    char *name;    /* of a domain (or its UUID), a snapshot, or a user of the guest */
    char *xml;     /* of a domain or a device */
    char *device;  /* a disk's target, a MAC address, a host device's address, a console's alias */
    char *secret;  /* a password; erased when it is freed */
    OperationSpec operation;
    bool timeout_is_default; /* the operation's; it is the domain's own */
    DiskOperationSpec *disk_operation;

    /* Of the root object. */
    StatsGroups stats_groups;
    uint64_t usage_interval; /* µs */
    HostDeviceKind host_device_kind;
    int log_level; /* of syslog(3) */
    LogTarget log_target;
    /* polkit is asked about this domain, where the method is no domain's. */
    char *subject_name;
    char *subject_uuid;

    /* Domain. */
    int autostart;
    unsigned undefine_flags; /* UndefineFlags */
    unsigned xml_flags;      /* XmlFlags */

    /* Config. */
    char *text; /* the new name, title or description */
    uint64_t memory_bytes;
    uint32_t vcpus;
    GArray *pins; /* CpuPin */
    char **boot_order;
    uint64_t stop_timeout_usec;
    int link_up;

    /* Display. */
    uint32_t index;       /* of a screen or a graphics device */
    uint64_t valid_until; /* µs since the epoch; 0: for ever */
    int codeset;          /* the number of hypervisor_codeset() */
    GArray *keycodes;     /* uint32_t */
    uint32_t hold_msec;

    /* Guest. */
    AddressSource address_source;
    char **mountpoints;    /* NULL: all */
    uint64_t trim_minimum; /* bytes */
    int crypted;
    int sync;

    /* Saved and Storage. */
    SuspendTarget suspend_target;
    char *medium; /* its source; "" for none */
} MethodArgs;

MethodArgs *method_args_new(void);
MethodArgs *method_args_ref(MethodArgs *args);
void method_args_unref(MethodArgs *args);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MethodArgs, method_args_unref)

/* The result of the call to libvirt. */
typedef struct {
    GVariant *value;  /* the reply's one value, or NULL */
    GBytes *rows;     /* the same of the type "aa{sv}", in which NULL is none */
    int fd;           /* a descriptor that goes before it, or -1 */
    char **in_flight; /* aliases of devices that the guest has yet to let go, or NULL */
} MethodResult;

typedef struct Method {
    const char *name;
    const char *call; /* libvirt's function that `work` may hang in, for people */
    /* D-Bus signatures, and the names of all arguments, each with a NUL behind it. */
    const char *in;
    const char *out;
    const char *names;
    bool is_sensitive; /* the message holds a secret: sd-bus erases it */

    MethodKind kind;
    CallClass class;
    bool stops_others; /* libvirt serves nobody while the call waits for its domain's lock */
    uint64_t actions;  /* ACTION_BIT()s that polkit is asked about; 0: everybody may */

    /* Loop: read and check the arguments. A negative errno, and `error` set, for bad ones. NULL:
     * there are none. */
    int (*parse)(sd_bus_message *message, MethodArgs *args, sd_bus_error *error);
    /* Loop: actions that depend on the arguments, or NULL. The domain or job is there. */
    uint64_t (*more_actions)(const Request *request);
    /* Loop, once authorised. NULL: request_call(). */
    void (*run)(Request *request);
    /* Lane: call libvirt for the domain `uuid` ("" where the method is no domain's). */
    bool (*work)(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
                 Error **error);
    /* Loop, after a call that succeeded. NULL: a change is followed by a refresh of the domain,
     * then the result is the reply. request_reply_result() where it changes nothing published. */
    void (*then)(Request *request, const MethodResult *result);
} Method;

/* --- parsers that several methods share */

/* s into `name`. */
int method_parse_name(sd_bus_message *message, MethodArgs *args, sd_bus_error *error);
/* The options `live` and `config`: true names what is changed; where none is true, false leaves the
 * other one. */
typedef struct {
    int live;
    int config;
} AffectOptions;

/* They begin a table of MethodOption, whose target has an AffectOptions as this member. */
#define METHOD_AFFECT_OPTIONS(target, member)                                                      \
    {"live", SD_BUS_TYPE_BOOLEAN, offsetof(target, member.live)},                                  \
    {                                                                                              \
        "config", SD_BUS_TYPE_BOOLEAN, offsetof(target, member.config)                             \
    }
/* `seen` is that of method_options_read(). */
int method_affect(const AffectOptions *given, uint64_t seen, Affect *ret, sd_bus_error *error);
/* a{sv} with these two options, into `affect`. */
int method_parse_affect(sd_bus_message *message, MethodArgs *args, sd_bus_error *error);
/* a{sv} with these two options and `force`, into `affect` and `force`. */
int method_parse_affect_and_force(sd_bus_message *message, MethodArgs *args, sd_bus_error *error);
/* a{sv} of which no option is known. */
int method_parse_no_options(sd_bus_message *message, sd_bus_error *error);
/* Index of `word` in the NULL-terminated list, or InvalidArgs that names the list. */
int method_find_word(const char *word, const char *const *words, const char *what,
                     sd_bus_error *error);
/* s, of which the index is returned. */
int method_parse_word(sd_bus_message *message, const char *const *words, const char *what,
                      sd_bus_error *error);
