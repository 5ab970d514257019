/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "message-size.h"

#include <stdbool.h>
#include <string.h>

/* Numbers are at most this long, and a string has a length of its own. */
#define BASIC_SIZE 8

static size_t
basic_size(sd_bus_message *message, char type)
{
    union {
        const char *text;
        uint64_t number;
    } value = {0};

    if (sd_bus_message_read_basic(message, type, &value) <= 0)
        return 0;
    if (type == SD_BUS_TYPE_STRING || type == SD_BUS_TYPE_OBJECT_PATH ||
        type == SD_BUS_TYPE_SIGNATURE)
        return BASIC_SIZE + strlen(value.text);
    return BASIC_SIZE;
}

/* What is left of the container that is open. How deep it may go sd-bus has seen to. */
static size_t
container_size(sd_bus_message *message)
{
    size_t size = BASIC_SIZE;
    const char *contents;
    char type;

    while (sd_bus_message_peek_type(message, &type, &contents) > 0) {
        if (!strchr("arve", type)) {
            size_t more = basic_size(message, type);

            if (more == 0)
                break;
            size += more;
            continue;
        }
        if (sd_bus_message_enter_container(message, type, contents) <= 0)
            break;
        size += container_size(message);
        if (sd_bus_message_exit_container(message) < 0)
            break;
    }
    return size;
}

size_t
message_size(sd_bus_message *message)
{
    if (sd_bus_message_rewind(message, true) < 0)
        return 0;
    return container_size(message);
}
