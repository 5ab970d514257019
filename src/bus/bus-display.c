/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "interfaces.h"

#include "clock.h"
#include "context.h"
#include "hypervisor-device.h"
#include "hypervisor-display.h"
#include "hypervisor-traits.h"
#include "method-options.h"
#include "names.h"
#include "request.h"
#include "units.h"
#include "wire-rows.h"

/* --- Screenshot and OpenGraphics ---------------------------------------------------------- */

static int
parse_index(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    return sd_bus_message_read(message, "u", &args->index);
}

static bool
work_screenshot(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
                Error **error)
{
    char *mime = NULL;

    result->fd = hypervisor_screenshot(h, uuid, args->index, &mime, error);
    if (mime)
        result->value = g_variant_new_take_string(mime);
    return result->fd >= 0;
}

/* The result's own descriptor is closed after this. */
static void
reply_picture(Request *request, const MethodResult *result)
{
    if (request->answered || pictures_give(request->service->pictures, request->uid, result->fd)) {
        request_reply_result(request, result);
        return;
    }
    g_autoptr(Error) error =
        error_new(ERROR_LIMITS_EXCEEDED, "Too many pictures are still open: close some of them");
    request_fail(request, error);
}

static bool
work_open_graphics(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
                   Error **error)
{
    result->fd = hypervisor_open_graphics(h, uuid, args->index, error);
    return result->fd >= 0;
}

/* --- OpenConsole -------------------------------------------------------------------------- */

static int
parse_console(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    static const MethodOption options[] = {
        {"force", SD_BUS_TYPE_BOOLEAN, offsetof(MethodArgs, force)},
        {NULL},
    };
    int r = method_read_text(message, &args->device);

    return r < 0 ? r : method_options_read(message, options, args, NULL, error);
}

static void open_console(Request *request);

static void
on_console(void *userdata, CallOutcome outcome, void *answer, const Error *error)
{
    Request *request = userdata;

    if (request_check(request, outcome, error, open_console))
        request_reply_result(request, &(MethodResult){.fd = *(int *)answer});
}

static void
open_console(Request *request)
{
    const ConsoleTarget target = {
        .domain_uuid = request->domain_uuid,
        .domain_name = request->domain_name,
        .device = request->args->device,
        .force = request->args->force != 0,
        .caller = request->caller.sender,
        .uid = request->uid,
    };

    request->phase = PHASE_ASKING;
    if (request_domain(request))
        consoles_open(request->service->core->consoles, &target, &request->pending, on_console,
                      request);
}

/* Where each connection has domains of its own, the console's process would not find this one. */
static bool
work_refuse_console(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
                    Error **error)
{
    return hypervisor_refuse_console(h, uuid, error);
}

static void
run_open_console(Request *request)
{
    if (hypervisor_traits_of_uri(request->service->core->uri) & TRAIT_SEPARATE_WORLDS)
        request_call(request);
    else
        request_connect(request, open_console);
}

/* --- SetPassword -------------------------------------------------------------------------- */

typedef struct {
    AffectOptions affect;
    uint64_t valid_for;
} PasswordOptions;

#define VALID_FOR_MAX  (UINT64_C(100) * 366 * 24 * 3600 * SEC)
#define SEEN_VALID_FOR (1U << 2)

static int
read_password_options(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    static const MethodOption options[] = {
        METHOD_AFFECT_OPTIONS(PasswordOptions, affect),
        {"valid_for", SD_BUS_TYPE_UINT64, offsetof(PasswordOptions, valid_for)},
        {NULL},
    };
    PasswordOptions given = {0};
    uint64_t seen = 0;
    int r = method_options_read(message, options, &given, &seen, error);

    if (r < 0)
        return r;
    if (given.valid_for > VALID_FOR_MAX)
        return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                "Option 'valid_for' is in microseconds, and at most a century");
    if (seen & SEEN_VALID_FOR)
        args->valid_until = clock_realtime_usec() + given.valid_for;
    return method_affect(&given.affect, seen, &args->affect, error);
}

static int
parse_password(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    int r = sd_bus_message_read(message, "u", &args->index);

    if (r >= 0)
        r = method_read_text(message, &args->secret);
    return r < 0 ? r : read_password_options(message, args, error);
}

static bool
work_set_password(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
                  Error **error)
{
    return hypervisor_set_graphics_password(h, uuid, args->index, args->secret, args->valid_until,
                                            args->affect, error);
}

/* --- SendKeys and InjectNmi --------------------------------------------------------------- */

#define HOLD_USEC_MAX (60 * SEC)

static int
parse_keys(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    const char *codeset;
    const void *codes;
    size_t size;
    uint64_t hold;
    int r = sd_bus_message_read(message, "s", &codeset);

    if (r >= 0)
        r = sd_bus_message_read_array(message, SD_BUS_TYPE_UINT32, &codes, &size);
    if (r >= 0)
        r = sd_bus_message_read(message, "t", &hold);
    if (r < 0)
        return r;
    args->codeset = hypervisor_codeset(codeset);
    if (args->codeset < 0)
        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "Unknown codeset '%s'", codeset);
    if (size == 0 || size > SEND_KEYS_MAX * sizeof(uint32_t))
        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                 "One to %d keys can be pressed together", SEND_KEYS_MAX);
    if (hold > HOLD_USEC_MAX)
        return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                "Keys can be held for a minute at most");
    args->hold_msec = (uint32_t)((hold + 999) / 1000);
    args->keycodes = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_array_append_vals(args->keycodes, codes, (guint)(size / sizeof(uint32_t)));
    return 0;
}

static bool
work_send_keys(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
               Error **error)
{
    return hypervisor_send_keys(h, uuid, args->codeset,
                                (const uint32_t *)(const void *)args->keycodes->data,
                                args->keycodes->len, args->hold_msec, error);
}

static bool
work_inject_nmi(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
                Error **error)
{
    return hypervisor_inject_nmi(h, uuid, error);
}

/* --- the tables --------------------------------------------------------------------------- */

static void
write_graphics(Wire *wire, const void *object)
{
    const DomainConfig *config = &((const Domain *)object)->config;

    wire_put_dictionaries(wire, domain_config_rows(config, HARDWARE_GRAPHICS));
}

static const Property properties[] = {
    {"Graphics", "aa{sv}", DOMAIN_PROPERTY_GRAPHICS, write_graphics, 0},
    {NULL},
};

#define CONSOLE_ACTION .actions = ACTION_BIT(ACTION_CONSOLE)

static const Method methods[] = {
    {
        .name = "Screenshot",
        .call = "virDomainScreenshot",
        .in = "u",
        .out = "hs",
        .names = "screen\0picture\0mime_type\0",
        .kind = METHOD_READ,
        .class = CALL_DISPLAY,
        CONSOLE_ACTION,
        .parse = parse_index,
        .work = work_screenshot,
        .then = reply_picture,
    },
    {
        .name = "OpenConsole",
        .call = "virDomainOpenConsole",
        .in = "sa{sv}",
        .out = "h",
        .names = "device\0options\0console\0",
        .kind = METHOD_READ,
        .class = CALL_READ,
        CONSOLE_ACTION,
        .parse = parse_console,
        .run = run_open_console,
        .work = work_refuse_console,
    },
    {
        .name = "OpenGraphics",
        .call = "virDomainOpenGraphicsFD",
        .in = "u",
        .out = "h",
        .names = "index\0connection\0",
        .kind = METHOD_READ,
        .class = CALL_DISPLAY,
        CONSOLE_ACTION,
        .parse = parse_index,
        .work = work_open_graphics,
    },
    {
        .name = "SetPassword",
        .call = "virDomainUpdateDeviceFlags",
        .in = "usa{sv}",
        .out = "",
        .names = "index\0password\0options\0",
        .is_sensitive = true,
        .kind = METHOD_CHANGE,
        .class = CALL_CHANGE,
        CONSOLE_ACTION,
        .parse = parse_password,
        .work = work_set_password,
    },
    {
        .name = "SendKeys",
        .call = "virDomainSendKey",
        .in = "saut",
        .out = "",
        .names = "codeset\0keycodes\0hold_usec\0",
        .kind = METHOD_CHANGE,
        .class = CALL_CHANGE,
        CONSOLE_ACTION,
        .parse = parse_keys,
        .work = work_send_keys,
        .then = request_reply_result,
    },
    {
        .name = "InjectNmi",
        .call = "virDomainInjectNMI",
        .in = "",
        .out = "",
        .names = "",
        .kind = METHOD_CHANGE,
        .class = CALL_CHANGE,
        CONSOLE_ACTION,
        .work = work_inject_nmi,
        .then = request_reply_result,
    },
    {NULL},
};

const Interface bus_display_interface = {
    .name = VMS_DISPLAY_INTERFACE,
    .properties = properties,
    .methods = methods,
};
