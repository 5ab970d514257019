/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "replies.h"

#include <errno.h>

/* About what an error or the header of a reply takes. */
#define MESSAGE_BYTES ((size_t)256)

struct Replies {
    sd_bus *bus;
    RawMessenger *messenger;
    Callers *callers;
    Unread *unread;
};

Replies *
replies_new(sd_bus *bus, RawMessenger *messenger, Callers *callers, Unread *unread)
{
    Replies *replies = g_new0(Replies, 1);

    *replies = (Replies){bus, messenger, callers, unread};
    return replies;
}

void
replies_free(Replies *replies)
{
    g_free(replies);
}

bool
replies_expect(Replies *replies, const char *sender)
{
    uid_t uid = callers_find(replies->callers, sender);

    unread_meet(replies->unread, sender);
    unread_add(replies->unread, sender, uid, MESSAGE_BYTES);
    return uid == CALLER_UID_UNKNOWN || !unread_is_deaf(replies->unread, uid);
}

static UnreadVerdict
check(const Replies *replies, const Caller *caller, size_t bytes)
{
    uid_t uid = callers_find(replies->callers, caller->sender);

    if (uid != CALLER_UID_UNKNOWN)
        return unread_check(replies->unread, uid, bytes);
    return unread_check_unknown(replies->unread, caller->sender, bytes);
}

int
replies_send(Replies *replies, const Caller *caller, const char *signature, const Wire *body)
{
    if (!caller->expects_reply)
        return 0;
    switch (check(replies, caller, body->size)) {
    case UNREAD_ASK:
        return -EAGAIN;
    case UNREAD_REFUSE:
        return -EDQUOT;
    case UNREAD_SEND:
        break;
    }

    int r = raw_message_reply(replies->messenger, replies->bus, caller, signature, body);
    if (r >= 0)
        unread_add(replies->unread, caller->sender, callers_find(replies->callers, caller->sender),
                   body->size);
    return r;
}

bool
replies_wait(Replies *replies, const Caller *caller, Pending *pending, WaiterDone done,
             void *userdata)
{
    uid_t uid = callers_find(replies->callers, caller->sender);

    if (uid == CALLER_UID_UNKNOWN)
        return callers_ask(replies->callers, caller->sender, 0, pending, done, userdata);
    unread_ask(replies->unread, uid, pending, done, userdata);
    return true;
}

Error *
replies_error(int r)
{
    switch (r) {
    case -EMSGSIZE:
        return error_new(ERROR_LIMITS_EXCEEDED, "The answer is too long for a message");
    case -EDQUOT:
    case -EAGAIN:
        return error_new(ERROR_LIMITS_EXCEEDED, "Too many earlier answers have not been read yet");
    default:
        return error_new(ERROR_OPERATION_FAILED, "The answer cannot be sent: %s", g_strerror(-r));
    }
}
