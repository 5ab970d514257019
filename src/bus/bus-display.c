/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "interfaces.h"

#include "context.h"
#include "hypervisor-display.h"
#include "hypervisor-traits.h"
#include "names.h"
#include "request.h"
#include "wire-rows.h"

/* --- Screenshot and OpenGraphics ---------------------------------------------------------- */

static bool
work_screenshot(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
                Error **error)
{
    char *mime = NULL;

    result->fd = hypervisor_screenshot(h, uuid, (unsigned)args->number, &mime, error);
    if (mime)
        result->value = g_variant_new_take_string(mime);
    return result->fd >= 0;
}

static bool
work_open_graphics(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
                   Error **error)
{
    result->fd = hypervisor_open_graphics(h, uuid, (unsigned)args->number, error);
    return result->fd >= 0;
}

/* --- OpenConsole -------------------------------------------------------------------------- */

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
        .device = request->args->text,
        .caller = request->caller.sender,
        .uid = request->uid,
    };

    request->phase = PHASE_ASKING;
    if (request_domain(request))
        consoles_open(request->service->core->consoles, &target, &request->pending, on_console,
                      request);
}

/* Where every connection may see other domains, a console's process would look into another one. */
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

/* --- SendKeys and InjectNmi --------------------------------------------------------------- */

/* The codeset into `flags`, the keys into `numbers`, how long they are held into `number` (ms). */
static int
parse_keys(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    const char *codeset;
    const void *codes;
    size_t size;
    uint32_t hold;
    int r = sd_bus_message_read(message, "s", &codeset);

    if (r >= 0)
        r = sd_bus_message_read_array(message, SD_BUS_TYPE_UINT32, &codes, &size);
    if (r >= 0)
        r = sd_bus_message_read(message, "u", &hold);
    if (r < 0)
        return r;
    int number = hypervisor_codeset(codeset);
    if (number < 0)
        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "Unknown codeset '%s'", codeset);
    if (size == 0 || size > SEND_KEYS_MAX * sizeof(uint32_t))
        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                 "One to %d keys can be pressed together", SEND_KEYS_MAX);
    args->flags = (unsigned)number;
    args->number = hold;
    args->numbers = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_array_append_vals(args->numbers, codes, (guint)(size / sizeof(uint32_t)));
    return 0;
}

static bool
work_send_keys(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
               Error **error)
{
    return hypervisor_send_keys(h, uuid, (int)args->flags,
                                (const uint32_t *)(const void *)args->numbers->data,
                                args->numbers->len, (uint32_t)args->number, error);
}

static bool
work_inject_nmi(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
                Error **error)
{
    return hypervisor_inject_nmi(h, uuid, error);
}

/* Nothing of the domain that is published has changed. */
static void
reply_without_refresh(Request *request, const MethodResult *result)
{
    request_reply_result(request, result);
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
        .parse = method_parse_number,
        .work = work_screenshot,
    },
    {
        .name = "OpenConsole",
        .call = "virDomainOpenConsole",
        .in = "s",
        .out = "h",
        .names = "device\0console\0",
        .kind = METHOD_READ,
        .class = CALL_READ,
        CONSOLE_ACTION,
        .parse = method_parse_text,
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
        .parse = method_parse_number,
        .work = work_open_graphics,
    },
    {
        .name = "SendKeys",
        .call = "virDomainSendKey",
        .in = "sauu",
        .out = "",
        .names = "codeset\0keycodes\0hold_ms\0",
        .kind = METHOD_CHANGE,
        .class = CALL_CHANGE,
        CONSOLE_ACTION,
        .parse = parse_keys,
        .work = work_send_keys,
        .then = reply_without_refresh,
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
        .then = reply_without_refresh,
    },
    {NULL},
};

const Interface bus_display_interface = {
    .name = VMS_DISPLAY_INTERFACE,
    .properties = properties,
    .methods = methods,
};
