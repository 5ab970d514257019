/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "interfaces.h"

#include "context.h"
#include "hypervisor-device.h"
#include "method-options.h"
#include "names.h"
#include "request.h"

/* --- ChangeMedia -------------------------------------------------------------------------- */

typedef struct {
    AffectOptions affect;
    int force;
} MediaOptions;

#define MEDIA_FORCE 1U

/* The target into `text`, the medium into `source`, the options. */
static int
parse_change_media(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    static const MethodOption options[] = {
        METHOD_AFFECT_OPTIONS(MediaOptions, affect),
        {"force", SD_BUS_TYPE_BOOLEAN, offsetof(MediaOptions, force)},
        {NULL},
    };
    MediaOptions given = {0};
    uint64_t seen = 0;
    const char *source;
    int r = method_parse_text(message, args, error);

    if (r >= 0)
        r = sd_bus_message_read(message, "s", &source);
    if (r >= 0)
        r = method_options_read(message, options, &given, &seen, error);
    if (r < 0)
        return r;
    args->source = g_strdup(source);
    args->flags = given.force ? MEDIA_FORCE : 0;
    return method_affect(&given.affect, seen, &args->affect, error);
}

/* root opens the medium; there is none to open when a drive is emptied. */
static uint64_t
change_media_actions(const Request *request)
{
    return ACTION_BIT(*request->args->source ? ACTION_CONFIGURE : ACTION_ADJUST);
}

static bool
work_change_media(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
                  Error **error)
{
    return hypervisor_change_media(h, uuid, args->text, args->source,
                                   (args->flags & MEDIA_FORCE) != 0, args->affect, error);
}

/* --- the tables --------------------------------------------------------------------------- */

static const Method methods[] = {
    {
        .name = "ChangeMedia",
        .call = "virDomainUpdateDeviceFlags",
        .in = "ssa{sv}",
        .out = "",
        .names = "target\0source\0options\0",
        .kind = METHOD_CHANGE,
        .class = CALL_CHANGE,
        .more_actions = change_media_actions,
        .parse = parse_change_media,
        .work = work_change_media,
    },
    {NULL},
};

const Interface bus_storage_interface = {
    .name = VMS_STORAGE_INTERFACE,
    .methods = methods,
};
