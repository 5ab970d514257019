/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "message-size.h"

#include <errno.h>
#include <string.h>

#define VALUE_SIZE 64

typedef struct {
    size_t size;
    size_t limit;
} Measure;

/* Each function returns a positive number as long as there is more to measure, else 0 or a negative
 * errno. */

static int
add(Measure *measure, size_t size)
{
    measure->size += size;
    return measure->size <= measure->limit ? 1 : -EMSGSIZE;
}

static int
measure_basic(sd_bus_message *message, char type, Measure *measure)
{
    union {
        const char *text;
        uint64_t number;
    } value = {0};
    int r = sd_bus_message_read_basic(message, type, &value);

    if (r <= 0)
        return r;
    return add(measure, VALUE_SIZE + (strchr("sog", type) ? strlen(value.text) : 0));
}

/* Of numbers, which sd-bus hands out as they are. */
static int
measure_array(sd_bus_message *message, char type, Measure *measure)
{
    const void *numbers;
    size_t size;
    int r = sd_bus_message_read_array(message, type, &numbers, &size);

    return r <= 0 ? r : add(measure, VALUE_SIZE + size);
}

static int measure_rest(sd_bus_message *message, Measure *measure);

static int
measure_container(sd_bus_message *message, char type, const char *contents, Measure *measure)
{
    int r = add(measure, VALUE_SIZE);

    if (r > 0)
        r = sd_bus_message_enter_container(message, type, contents);
    if (r > 0)
        r = measure_rest(message, measure);
    if (r >= 0)
        r = sd_bus_message_exit_container(message);
    return r < 0 ? r : 1;
}

/* The rest of the open container; 0 at its end. sd-bus bounds the depth. */
static int
measure_rest(sd_bus_message *message, Measure *measure)
{
    const char *contents;
    char type;
    int r;

    while ((r = sd_bus_message_peek_type(message, &type, &contents)) > 0) {
        if (type == SD_BUS_TYPE_ARRAY && strchr("ynqiuxtd", *contents))
            r = measure_array(message, *contents, measure);
        else if (strchr("arve", type))
            r = measure_container(message, type, contents, measure);
        else
            r = measure_basic(message, type, measure);
        if (r <= 0)
            return r;
    }
    return r;
}

int
message_size(sd_bus_message *message, size_t limit, size_t *ret)
{
    Measure measure = {.limit = limit};
    int r = sd_bus_message_rewind(message, 1);

    if (r >= 0)
        r = measure_rest(message, &measure);
    *ret = measure.size;
    return r < 0 ? r : 0;
}
