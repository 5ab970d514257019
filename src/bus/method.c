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

    g_free(args->name);
    g_free(args->xml);
    g_free(args->device);
    free_secret(args->secret);
    operation_payload_unref((OperationPayload *)args->operation.payload);
    disk_operation_spec_unref(args->disk_operation);
    g_free(args->subject_name);
    g_free(args->subject_uuid);
    g_free(args->text);
    g_clear_pointer(&args->pins, g_array_unref);
    g_strfreev(args->boot_order);
    g_clear_pointer(&args->keycodes, g_array_unref);
    g_strfreev(args->mountpoints);
    g_free(args->medium);
}

void
method_args_unref(MethodArgs *args)
{
    if (args)
        g_rc_box_release_full(args, clear_args);
}

int
method_parse_name(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    return method_read_text(message, &args->name);
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

typedef struct {
    AffectOptions affect;
    int force;
} ChangeOptions;

static int
parse_change_options(sd_bus_message *message, const MethodOption *options, MethodArgs *args,
                     sd_bus_error *error)
{
    ChangeOptions given = {0};
    uint64_t seen = 0;
    int r = method_options_read(message, options, &given, &seen, error);

    if (r < 0)
        return r;
    args->force = given.force;
    return method_affect(&given.affect, seen, &args->affect, error);
}

int
method_parse_affect(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    static const MethodOption options[] = {METHOD_AFFECT_OPTIONS(ChangeOptions, affect), {NULL}};

    return parse_change_options(message, options, args, error);
}

int
method_parse_affect_and_force(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    static const MethodOption options[] = {
        METHOD_AFFECT_OPTIONS(ChangeOptions, affect),
        {"force", SD_BUS_TYPE_BOOLEAN, offsetof(ChangeOptions, force)},
        {NULL},
    };

    return parse_change_options(message, options, args, error);
}

int
method_parse_no_options(sd_bus_message *message, sd_bus_error *error)
{
    static const MethodOption none[] = {{NULL}};

    return method_options_read(message, none, NULL, NULL, error);
}

int
method_find_word(const char *word, const char *const *words, const char *what, sd_bus_error *error)
{
    g_autofree char *known = NULL;

    for (int i = 0; words[i]; i++)
        if (g_str_equal(words[i], word))
            return i;
    known = g_strjoinv(", ", (char **)words);
    return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "Unknown %s '%s': one of %s", what,
                             word, known);
}

int
method_parse_word(sd_bus_message *message, const char *const *words, const char *what,
                  sd_bus_error *error)
{
    const char *word;
    int r = sd_bus_message_read(message, "s", &word);

    return r < 0 ? r : method_find_word(word, words, what, error);
}
