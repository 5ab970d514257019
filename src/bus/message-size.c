/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "message-size.h"

#include <stdbool.h>
#include <string.h>

#define VALUE_SIZE 64

typedef struct {
    size_t size;
    size_t limit;
} Measure;

/* False where there is nothing more to measure: the limit is exceeded, or the message is broken. */
static bool
add(Measure *measure, size_t size)
{
    measure->size += size;
    return measure->size <= measure->limit;
}

static bool
measure_basic(sd_bus_message *message, char type, Measure *measure)
{
    union {
        const char *text;
        uint64_t number;
    } value = {0};

    if (sd_bus_message_read_basic(message, type, &value) <= 0)
        return false;
    return add(measure, VALUE_SIZE + (strchr("sog", type) ? strlen(value.text) : 0));
}

/* Of numbers, which sd-bus hands out as they are. */
static bool
measure_array(sd_bus_message *message, char type, Measure *measure)
{
    const void *numbers;
    size_t size;

    return sd_bus_message_read_array(message, type, &numbers, &size) > 0 &&
           add(measure, VALUE_SIZE + size);
}

static bool measure_rest(sd_bus_message *message, Measure *measure);

static bool
measure_container(sd_bus_message *message, char type, const char *contents, Measure *measure)
{
    return add(measure, VALUE_SIZE) &&
           sd_bus_message_enter_container(message, type, contents) > 0 &&
           measure_rest(message, measure) && sd_bus_message_exit_container(message) >= 0;
}

/* The rest of the open container. sd-bus bounds the depth. */
static bool
measure_rest(sd_bus_message *message, Measure *measure)
{
    const char *contents;
    char type;
    bool more = true;

    while (more && sd_bus_message_peek_type(message, &type, &contents) > 0) {
        if (type == SD_BUS_TYPE_ARRAY && strchr("ynqiuxtd", *contents))
            more = measure_array(message, *contents, measure);
        else if (strchr("arve", type))
            more = measure_container(message, type, contents, measure);
        else
            more = measure_basic(message, type, measure);
    }
    return more;
}

size_t
message_size(sd_bus_message *message, size_t limit)
{
    Measure measure = {.limit = limit};

    if (sd_bus_message_rewind(message, true) >= 0)
        (void)measure_rest(message, &measure);
    return measure.size;
}
