/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "method.h"

#include "method-options.h"

#include <string.h>

MethodArgs *
method_args_new(void)
{
    return g_rc_box_new0(MethodArgs);
}

MethodArgs *
method_args_ref(MethodArgs *args)
{
    return g_rc_box_acquire(args);
}

static void
free_secret(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    g_free(secret);
}

static void
clear_args(gpointer data)
{
    MethodArgs *args = data;

    g_free(args->text);
    g_free(args->source);
    free_secret(args->secret);
    g_clear_pointer(&args->numbers, g_array_unref);
    g_clear_pointer(&args->pins, g_array_unref);
    g_strfreev(args->texts);
    operation_payload_unref((OperationPayload *)args->operation.payload);
    disk_operation_spec_unref(args->disk_operation);
    g_free(args->subject_name);
    g_free(args->subject_uuid);
}

void
method_args_unref(MethodArgs *args)
{
    if (args)
        g_rc_box_release_full(args, clear_args);
}

int
method_parse_text(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    const char *text;
    int r = sd_bus_message_read(message, "s", &text);

    if (r >= 0)
        args->text = g_strdup(text);
    return r;
}

int
method_parse_texts(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    return method_read_texts(message, &args->texts);
}

int
method_parse_number(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    uint32_t number;
    int r = sd_bus_message_read(message, "u", &number);

    if (r >= 0)
        args->number = number;
    return r;
}

/* Of method_options_read(). */
enum {
    SEEN_LIVE = 1 << 0,
    SEEN_CONFIG = 1 << 1,
};

int
method_affect(const AffectOptions *given, uint64_t seen, Affect *ret, sd_bus_error *error)
{
    seen &= SEEN_LIVE | SEEN_CONFIG;
    *ret = (given->live ? AFFECT_LIVE : 0) | (given->config ? AFFECT_CONFIG : 0);
    if (*ret || seen == 0)
        return 0;
    if (seen == (SEEN_LIVE | SEEN_CONFIG))
        return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                "Neither live nor config: nothing is left to change");
    *ret = seen == SEEN_LIVE ? AFFECT_CONFIG : AFFECT_LIVE;
    return 0;
}

int
method_parse_affect(sd_bus_message *message, Affect *ret, sd_bus_error *error)
{
    typedef struct {
        AffectOptions affect;
    } Options;
    static const MethodOption options[] = {METHOD_AFFECT_OPTIONS(Options, affect), {NULL}};
    Options given = {0};
    uint64_t seen = 0;
    int r = method_options_read(message, options, &given, &seen, error);

    return r < 0 ? r : method_affect(&given.affect, seen, ret, error);
}

int
method_parse_no_options(sd_bus_message *message, sd_bus_error *error)
{
    static const MethodOption none[] = {{NULL}};

    return method_options_read(message, none, NULL, NULL, error);
}

int
method_parse_word(const char *name, const char *const *words, const char *what, sd_bus_error *error)
{
    g_autofree char *known = NULL;

    for (int i = 0; words[i]; i++)
        if (g_str_equal(words[i], name))
            return i;
    known = g_strjoinv(", ", (char **)words);
    return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "Unknown %s '%s': one of %s", what,
                             name, known);
}
