/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * libFuzzer: the options (a{sv}) of a method, as StopWithOptions and its like take them. What is
 * read is what was written, and exactly what the table allows is read.
 */

#include "method-options.h"

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define TEXT_CHARACTERS "abcdefghijklmnopqrstuvwxyz_-%/ ABCXYZ0123456789"

typedef struct {
    uint64_t timeout;
    int force;
    const char *text;
} Target;

static const MethodOption table[] = {
    {"timeout", 't', offsetof(Target, timeout)},
    {"force", 'b', offsetof(Target, force)},
    {"text", 's', offsetof(Target, text)},
    {NULL, 0, 0},
};

/* The bytes that are left to be read, and what the message then says. */
typedef struct {
    const uint8_t *data;
    size_t size;
    bool allowed;
    uint64_t seen;
    Target target;
    GPtrArray *kept;
} Input;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int r)
{
    if (r < 0)
        abort();
}

static uint8_t
next_byte(Input *in)
{
    if (in->size == 0)
        return 0;
    in->size--;
    return *in->data++;
}

/* ASCII: which UTF-8 a message may carry is sd-bus's own to check. */
static char *
next_text(Input *in)
{
    size_t wanted = next_byte(in);
    size_t length = MIN(wanted, in->size);
    g_autofree char *raw = g_strndup((const char *)in->data, length);
    char *text = g_strdup(g_strcanon(raw, TEXT_CHARACTERS, '?'));

    in->data += length;
    in->size -= length;
    g_ptr_array_add(in->kept, text);
    return text;
}

static int
row_of(const char *name)
{
    for (int i = 0; table[i].name; i++)
        if (strcmp(table[i].name, name) == 0)
            return i;
    return -1;
}

/* The value that the table would have, in the type that the input chooses. */
static void
append_value(sd_bus_message *m, Input *in, char type)
{
    uint64_t number = (uint64_t)next_byte(in) << 56 | next_byte(in);
    int truth = (int)(number & 1);

    if (type == 't') {
        in->target.timeout = number;
        must(sd_bus_message_append(m, "v", "t", number));
    } else if (type == 'b') {
        in->target.force = truth;
        must(sd_bus_message_append(m, "v", "b", truth));
    } else if (type == 's') {
        in->target.text = next_text(in);
        must(sd_bus_message_append(m, "v", "s", in->target.text));
    } else if (type == 'u') {
        must(sd_bus_message_append(m, "v", "u", (uint32_t)number));
    } else if (type == 'v') {
        must(sd_bus_message_append(m, "v", "v", "t", number));
    } else {
        must(sd_bus_message_append(m, "v", "a{sv}", 1, "timeout", "t", number));
    }
}

static void
append_option(sd_bus_message *m, Input *in)
{
    uint8_t choice = next_byte(in);
    const char *name = choice % 4 < 3 ? table[choice % 4].name : next_text(in);
    char type = "tbsuva"[next_byte(in) % 6];
    int row = row_of(name);

    if (row < 0 || table[row].type != type || in->seen & (UINT64_C(1) << row))
        in->allowed = false;
    else
        in->seen |= UINT64_C(1) << row;
    must(sd_bus_message_open_container(m, 'e', "sv"));
    must(sd_bus_message_append(m, "s", name));
    append_value(m, in, type);
    must(sd_bus_message_close_container(m));
}

/* A bus with nobody at its other end: messages are made on it and go nowhere. */
static sd_bus *
bus_of_nobody(void)
{
    static sd_bus *bus;
    int pair[2];

    if (bus)
        return bus;
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair));
    must(sd_bus_new(&bus));
    must(sd_bus_set_fd(bus, pair[0], pair[0]));
    must(sd_bus_start(bus));
    return bus;
}

static void
check(sd_bus_message *m, const Input *in)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    Target target = {0};
    uint64_t seen = 0;
    int r = method_options_read(m, table, &target, &seen, &error);

    if (in->allowed != (r >= 0))
        abort();
    if (r < 0 && !sd_bus_error_has_name(&error, SD_BUS_ERROR_INVALID_ARGS))
        abort();
    if (r >= 0 &&
        (seen != in->seen || target.timeout != in->target.timeout ||
         target.force != in->target.force || g_strcmp0(target.text, in->target.text) != 0))
        abort();
    sd_bus_error_free(&error);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(g_free);
    Input in = {.data = data, .size = size, .allowed = true, .kept = kept};
    sd_bus_message *m = NULL;

    must(sd_bus_message_new_method_call(bus_of_nobody(), &m, NULL, "/", "a.b", "C"));
    must(sd_bus_message_open_container(m, 'a', "{sv}"));
    for (int i = 0; i < 80 && in.size > 0; i++)
        append_option(m, &in);
    must(sd_bus_message_close_container(m));
    must(sd_bus_message_seal(m, 1, 0));
    check(m, &in);
    sd_bus_message_unref(m);
    return 0;
}
