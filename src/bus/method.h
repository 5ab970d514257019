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
#include "hypervisor-config.h"
#include "lane-pool.h"
#include "operation-spec.h"

#include <systemd/sd-bus.h>

typedef struct Request Request;

typedef enum {
    METHOD_READ,      /* not done in time: Timeout */
    METHOD_CHANGE,    /* not done in time: StillRunning, and it goes on */
    METHOD_OPERATION, /* likewise, naming the job */
} MethodKind;

/*
 * The arguments of a call; each parser says which members it fills. They are parsed on the loop and
 * do not change after that, so that a lane may read them. Reference counted, on the loop only.
 */
typedef struct {
    uint64_t number;
    unsigned flags;
    Affect affect;
    char *text;
    char *source;    /* of a medium */
    char *secret;    /* erased when it is freed */
    GArray *numbers; /* uint32_t */
    GArray *pins;    /* CpuPin */
    char **texts;    /* NULL where there are none */
    OperationSpec operation;
    DiskOperationSpec *disk_operation;
    bool timeout_is_default; /* the operation's; it is the domain's own */
    /* polkit is asked about this domain, where the method is no domain's. */
    char *subject_name;
    char *subject_uuid;
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

/* s into `text`. */
int method_parse_text(sd_bus_message *message, MethodArgs *args, sd_bus_error *error);
/* as into `texts`. */
int method_parse_texts(sd_bus_message *message, MethodArgs *args, sd_bus_error *error);
/* u into `number`. */
int method_parse_number(sd_bus_message *message, MethodArgs *args, sd_bus_error *error);
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
/* a{sv} with these two options. */
int method_parse_affect(sd_bus_message *message, Affect *ret, sd_bus_error *error);
/* a{sv} of which no option is known. */
int method_parse_no_options(sd_bus_message *message, sd_bus_error *error);
/* Index of `name` in the NULL-terminated list, or InvalidArgs that names the list. */
int method_parse_word(const char *name, const char *const *words, const char *what,
                      sd_bus_error *error);
