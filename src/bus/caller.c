/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "caller.h"

#include "sd-bus-cleanup.h"

Caller
caller_of(sd_bus_message *message)
{
    const char *sender = sd_bus_message_get_sender(message);
    Caller caller = {
        .sender = g_strdup(sender ? sender : ""),
        .expects_reply = sd_bus_message_get_expect_reply(message) > 0,
        .interactive = sd_bus_message_get_allow_interactive_authorization(message) > 0,
    };

    (void)sd_bus_message_get_cookie(message, &caller.serial);
    return caller;
}

void
caller_clear(Caller *caller)
{
    g_clear_pointer(&caller->sender, g_free);
}

/*
 * sd-bus makes a reply from the message of the call, of which it reads only the sender, the serial
 * and the no-reply flag. This message has just these.
 */
static int
new_stub(const Caller *caller, sd_bus *bus, sd_bus_message **ret)
{
    g_autoptr(sd_bus_message) stub = NULL;
    int r = sd_bus_message_new(bus, &stub, SD_BUS_MESSAGE_METHOD_CALL);

    if (r >= 0 && *caller->sender)
        r = sd_bus_message_set_sender(stub, caller->sender);
    if (r >= 0)
        r = sd_bus_message_set_expect_reply(stub, caller->expects_reply);
    if (r >= 0)
        r = sd_bus_message_seal(stub, caller->serial, 0);
    if (r >= 0)
        *ret = g_steal_pointer(&stub);
    return r;
}

int
caller_new_reply(const Caller *caller, sd_bus *bus, sd_bus_message **ret)
{
    g_autoptr(sd_bus_message) stub = NULL;
    int r = new_stub(caller, bus, &stub);

    return r < 0 ? r : sd_bus_message_new_method_return(stub, ret);
}

int
caller_reply_error(const Caller *caller, sd_bus *bus, const sd_bus_error *error)
{
    g_autoptr(sd_bus_message) stub = NULL;
    int r = new_stub(caller, bus, &stub);

    return r < 0 ? r : sd_bus_reply_method_error(stub, error);
}
