/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager.h"

#include "consoles.h"
#include "hypervisor-display.h"
#include "hypervisor-traits.h"
#include "names.h"
#include "wire-rows.h"

#include <unistd.h>

#define ACTIONS ACTION_BIT(ACTION_CONSOLE)

/* --- calls -------------------------------------------------------------------------------- */

typedef struct {
    int codeset;
    uint32_t keys[SEND_KEYS_MAX];
    unsigned n_keys;
    uint32_t hold;
} Keys;

typedef struct {
    RequestCall base;
    unsigned number; /* of the screen or of the graphics device */
    Keys keys;

    int fd; /* what comes back */
    char *mime;
} DisplayCall;

static void
free_display_call(Call *call)
{
    DisplayCall *display = (DisplayCall *)call;

    if (display->fd >= 0)
        close(display->fd);
    g_free(display->mime);
    g_free(display);
}

static DisplayCall *
display_call_new(const Request *request, CallClass class, CallWork work)
{
    DisplayCall *display = request_call_new(request, sizeof *display, class, work);

    display->base.call.free = free_display_call;
    display->fd = -1;
    return display;
}

/* The call keeps its descriptor: the message has one of its own. */
static void
reply_descriptor(Request *request, int fd, const char *mime)
{
    sd_bus_message *reply = NULL;
    int r = request_new_reply(request, &reply);

    if (r >= 0)
        r = sd_bus_message_append(reply, "h", fd);
    if (r >= 0 && mime)
        r = sd_bus_message_append(reply, "s", mime);
    if (r >= 0) {
        request_reply_message(request, reply);
        return;
    }
    g_autoptr(Error) error =
        error_new(ERROR_OPERATION_FAILED, "The descriptor cannot be sent: %s", g_strerror(-r));
    sd_bus_message_unref(reply);
    request_fail(request, error);
}

static void
on_descriptor(Request *request, Call *call)
{
    DisplayCall *display = (DisplayCall *)call;

    reply_descriptor(request, display->fd, display->mime);
}

static void
on_done(Request *request, Call *call)
{
    request_reply(request);
}

/* --- Screenshot and OpenGraphics ---------------------------------------------------------- */

static bool
work_screenshot(Call *call, Hypervisor *h, Error **error)
{
    DisplayCall *display = (DisplayCall *)call;

    display->fd = hypervisor_screenshot(h, call->key, display->number, &display->mime, error);
    return display->fd >= 0;
}

static Call *
make_screenshot(Request *request)
{
    DisplayCall *display = display_call_new(request, CALL_DISPLAY, work_screenshot);

    display->number = GPOINTER_TO_UINT(request->args);
    return &display->base.call;
}

static void
run_screenshot(Request *request)
{
    request_call(request, make_screenshot, on_descriptor);
}

static bool
work_open_graphics(Call *call, Hypervisor *h, Error **error)
{
    DisplayCall *display = (DisplayCall *)call;

    display->fd = hypervisor_open_graphics(h, call->key, display->number, error);
    return display->fd >= 0;
}

static Call *
make_open_graphics(Request *request)
{
    DisplayCall *display = display_call_new(request, CALL_DISPLAY, work_open_graphics);

    display->number = GPOINTER_TO_UINT(request->args);
    return &display->base.call;
}

static void
run_open_graphics(Request *request)
{
    request_call(request, make_open_graphics, on_descriptor);
}

static int
start_numbered(sd_bus_message *message, const Domain *domain, const char *verb, RequestStep run,
               sd_bus_error *error)
{
    uint32_t number;
    int r = sd_bus_message_read(message, "u", &number);

    if (r < 0)
        return r;
    const DomainRequest request = {
        .kind = REQUEST_READ,
        .verb = verb,
        .actions = ACTIONS,
        .run = run,
        .args = GUINT_TO_POINTER(number),
    };
    return domain_bus_request(message, domain, &request, error);
}

static int
method_screenshot(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    return start_numbered(message, userdata, "Screenshot", run_screenshot, error);
}

static int
method_open_graphics(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    return start_numbered(message, userdata, "OpenGraphics", run_open_graphics, error);
}

/* --- OpenConsole -------------------------------------------------------------------------- */

static void
answer_console(Request *request, int fd)
{
    reply_descriptor(request, fd, NULL);
}

/* Where every connection may be a world of its own, a console's process would look into another. */
static bool
work_refuse_console(Call *call, Hypervisor *h, Error **error)
{
    return hypervisor_refuse_console(h, call->key, error);
}

static Call *
make_refuse_console(Request *request)
{
    return &display_call_new(request, CALL_READ, work_refuse_console)->base.call;
}

static void
run_open_console(Request *request)
{
    if (hypervisor_traits_of_uri(request->manager->uri) & TRAIT_SEPARATE_WORLDS)
        request_call(request, make_refuse_console, on_done);
    else
        console_open(request);
}

static int
method_open_console(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const char *device;
    int r = sd_bus_message_read(message, "s", &device);

    if (r < 0)
        return r;
    const DomainRequest request = {
        .kind = REQUEST_READ,
        .verb = "OpenConsole",
        .actions = ACTIONS,
        .run = run_open_console,
        .args = console_args_new(device, answer_console),
        .free_args = console_args_free,
    };
    return domain_bus_request(message, userdata, &request, error);
}

/* --- SendKeys ----------------------------------------------------------------------------- */

static bool
work_send_keys(Call *call, Hypervisor *h, Error **error)
{
    const Keys *keys = &((DisplayCall *)call)->keys;

    return hypervisor_send_keys(h, call->key, keys->codeset, keys->keys, keys->n_keys, keys->hold,
                                error);
}

static Call *
make_send_keys(Request *request)
{
    DisplayCall *display = display_call_new(request, CALL_CHANGE, work_send_keys);

    display->keys = *(const Keys *)request->args;
    return &display->base.call;
}

static void
run_send_keys(Request *request)
{
    request_call(request, make_send_keys, on_done);
}

static int
read_keys(sd_bus_message *message, Keys *keys, sd_bus_error *error)
{
    const char *codeset;
    const void *codes;
    size_t size;
    int r = sd_bus_message_read(message, "s", &codeset);

    if (r >= 0)
        r = sd_bus_message_read_array(message, SD_BUS_TYPE_UINT32, &codes, &size);
    if (r >= 0)
        r = sd_bus_message_read(message, "u", &keys->hold);
    if (r < 0)
        return r;
    keys->codeset = hypervisor_codeset(codeset);
    if (keys->codeset < 0)
        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "Unknown codeset '%s'", codeset);
    if (size == 0 || size > sizeof keys->keys)
        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                 "One to %d keys can be pressed together", SEND_KEYS_MAX);
    memcpy(keys->keys, codes, size);
    keys->n_keys = (unsigned)(size / sizeof keys->keys[0]);
    return 0;
}

static int
method_send_keys(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Keys keys = {0};
    int r = read_keys(message, &keys, error);

    if (r < 0)
        return r;
    const DomainRequest request = {
        .kind = REQUEST_CHANGE,
        .verb = "SendKeys",
        .actions = ACTIONS,
        .run = run_send_keys,
        .args = g_memdup2(&keys, sizeof keys),
        .free_args = g_free,
    };
    return domain_bus_request(message, userdata, &request, error);
}

/* --- InjectNmi ---------------------------------------------------------------------------- */

static bool
work_inject_nmi(Call *call, Hypervisor *h, Error **error)
{
    return hypervisor_inject_nmi(h, call->key, error);
}

static Call *
make_inject_nmi(Request *request)
{
    return &display_call_new(request, CALL_CHANGE, work_inject_nmi)->base.call;
}

static void
run_inject_nmi(Request *request)
{
    request_call(request, make_inject_nmi, on_done);
}

static int
method_inject_nmi(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const DomainRequest request = {
        .kind = REQUEST_CHANGE,
        .verb = "InjectNmi",
        .actions = ACTIONS,
        .run = run_inject_nmi,
    };
    return domain_bus_request(message, userdata, &request, error);
}

/* --- the vtable --------------------------------------------------------------------------- */

static void
put_graphics(Wire *wire, const void *object)
{
    const DomainConfig *config = &((const Domain *)object)->config;

    wire_put_dictionaries(wire, domain_config_rows(config, HARDWARE_GRAPHICS));
}

static const PropertyWriter values[] = {{"Graphics", put_graphics}, {NULL}};

static const sd_bus_vtable display_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Graphics", "aa{sv}", object_server_get, 0,
                    SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_METHOD_WITH_ARGS("Screenshot", SD_BUS_ARGS("u", screen),
                            SD_BUS_RESULT("h", picture, "s", mime_type), method_screenshot,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("OpenConsole", SD_BUS_ARGS("s", device), SD_BUS_RESULT("h", console),
                            method_open_console, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("OpenGraphics", SD_BUS_ARGS("u", index), SD_BUS_RESULT("h", connection),
                            method_open_graphics, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("SendKeys", SD_BUS_ARGS("s", codeset, "au", keycodes, "u", hold_ms),
                            SD_BUS_NO_RESULT, method_send_keys, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("InjectNmi", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_inject_nmi,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

int
display_bus_register(Manager *m)
{
    return domain_bus_add_interface(m, VMS_DISPLAY_INTERFACE, display_vtable, values);
}
