/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The other side of a descriptor that the service has handed out: what came through it so far, and
 * waiting for what is to come while the world's loop runs.
 */

#include "client.h"

/* The descriptor in a reply, which must be its first argument; a copy, to be closed. */
int call_descriptor(Call *call);

typedef struct Stream {
    World *world;
    int fd;
    GString *text; /* that has been read, and not looked at yet; NUL bytes become '?' */
    bool ended;
    bool held; /* reads nothing */
    sd_event_source *source;
} Stream;

/* Takes over the descriptor. */
Stream *stream_new(World *w, int fd);
/* Closes it. */
void stream_free(Stream *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Stream, stream_free)

/* Read nothing from now on, or read again. */
void stream_hold(Stream *s, bool hold);
void stream_write(Stream *s, const char *text);
/* Until the text has come, which is taken away with all before it. */
void stream_wait(Stream *s, const char *text);
/* Until the other side has closed. */
void stream_wait_end(Stream *s);
