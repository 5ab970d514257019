/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keys that are typed while a command draws on the terminal: read one by one, and not shown. It
 * also tells when to draw again: when the terminal's size changes, and when the command comes back
 * to the foreground.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-event.h>
#include <termios.h>

typedef struct KeyboardEvents {
    void (*typed)(char key, void *data);
    void (*redraw)(void *data);
} KeyboardEvents;

typedef struct Keyboard {
    const KeyboardEvents *events;
    void *data;
    sd_event_source *input; /* NULL: standard input is no terminal */
    struct termios before;
} Keyboard;

/* Events come from LOOP. */
void keyboard_open(Keyboard *keyboard, sd_event *loop, const KeyboardEvents *events, void *data);
/* Leaves the terminal as it was. */
void keyboard_close(Keyboard *keyboard);
