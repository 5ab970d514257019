/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "held-reads.h"

#include "bus-error.h"
#include "sd-bus-cleanup.h"

#include <errno.h>

/* A held message keeps its attachments. */
#define HELD_PER_CALLER_MAX 16
#define HELD_MAX            256

struct HeldReads {
    Replies *replies;
    HeldReadAgain again;
    void *userdata;
    GQueue held; /* HeldRead */
};

typedef struct {
    HeldReads *reads;
    sd_bus_message *message;
    Pending pending;
    GList link;
} HeldRead;

static void
held_read_free(HeldRead *held)
{
    g_queue_unlink(&held->reads->held, &held->link);
    pending_cancel(&held->pending);
    sd_bus_message_unref(held->message);
    g_free(held);
}

static void
on_reader_known(void *userdata, CallOutcome outcome, void *answer, const Error *error)
{
    HeldRead *held = userdata;
    HeldReads *reads = held->reads;
    g_autoptr(sd_bus_message) message = sd_bus_message_ref(held->message);
    g_auto(sd_bus_error) failure = SD_BUS_ERROR_NULL;
    int r = error ? sd_bus_error_set(&failure, bus_error_name(error->kind), error->message) : 0;

    held_read_free(held);
    if (r >= 0)
        r = sd_bus_message_rewind(message, true);
    if (r >= 0)
        r = reads->again(reads->userdata, message, &failure);
    if (r == 0)
        r = -ENOENT;
    if (r < 0)
        (void)sd_bus_reply_method_errno(message, r, &failure);
}

static bool
may_hold(const HeldReads *reads, const char *sender)
{
    unsigned n = 0;

    for (const GList *link = reads->held.head; link; link = link->next) {
        const HeldRead *held = link->data;

        n += g_str_equal(sd_bus_message_get_sender(held->message), sender);
    }
    return n == 0 || (n < HELD_PER_CALLER_MAX && reads->held.length < HELD_MAX);
}

/* Positive, or -EAGAIN. */
static int
hold(HeldReads *reads, sd_bus_message *message, const Caller *caller)
{
    if (!may_hold(reads, caller->sender))
        return -EAGAIN;

    HeldRead *held = g_new0(HeldRead, 1);
    held->reads = reads;
    held->message = sd_bus_message_ref(message);
    held->link.data = held;
    g_queue_push_tail_link(&reads->held, &held->link);
    if (replies_wait(reads->replies, caller, &held->pending, on_reader_known, held))
        return 1;
    held_read_free(held);
    return -EAGAIN;
}

int
held_reads_reply(HeldReads *reads, sd_bus_message *message, const char *signature, const Wire *body,
                 sd_bus_error *error)
{
    g_auto(Caller) caller = caller_of(message);
    int r = replies_send(reads->replies, &caller, signature, body);

    if (r == -EAGAIN)
        r = hold(reads, message, &caller);
    if (r >= 0)
        return 1;
    g_autoptr(Error) failure = replies_error(r);
    return sd_bus_error_set(error, bus_error_name(failure->kind), failure->message);
}

HeldReads *
held_reads_new(Replies *replies, HeldReadAgain again, void *userdata)
{
    HeldReads *reads = g_new0(HeldReads, 1);

    reads->replies = replies;
    reads->again = again;
    reads->userdata = userdata;
    g_queue_init(&reads->held);
    return reads;
}

void
held_reads_free(HeldReads *reads)
{
    GList *link;

    if (!reads)
        return;
    while ((link = g_queue_peek_head_link(&reads->held)))
        held_read_free(link->data);
    g_free(reads);
}
