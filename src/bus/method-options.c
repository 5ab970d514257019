/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "method-options.h"

#include <glib.h>

#define OPTIONS_MAX 64

static int
find_option(const MethodOption *options, const char *name)
{
    for (int i = 0; options[i].name; i++)
        if (g_str_equal(options[i].name, name))
            return i;
    return -1;
}

int
method_read_text(sd_bus_message *message, char **ret)
{
    const char *text;
    int r = sd_bus_message_read(message, "s", &text);

    if (r >= 0)
        *ret = g_strdup(text);
    return r;
}

/* sd_bus_message_read_strv() allocates with malloc(). */
int
method_read_texts(sd_bus_message *message, char ***ret)
{
    g_autoptr(GStrvBuilder) texts = g_strv_builder_new();
    const char *text;
    int r = sd_bus_message_enter_container(message, 'a', "s");

    while (r >= 0 && (r = sd_bus_message_read(message, "s", &text)) > 0)
        g_strv_builder_add(texts, text);
    if (r >= 0)
        r = sd_bus_message_exit_container(message);
    if (r >= 0)
        *ret = g_strv_builder_end(texts);
    return r;
}

static int
read_texts_in_variant(sd_bus_message *message, char ***ret)
{
    int r = sd_bus_message_enter_container(message, 'v', "as");

    if (r >= 0)
        r = method_read_texts(message, ret);
    return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int
read_value(sd_bus_message *message, const MethodOption *option, void *target, sd_bus_error *error)
{
    const char basic[] = {option->type, '\0'};
    const char *type = option->type == METHOD_OPTION_TEXTS ? "as" : basic;
    const char *contents;
    char container;
    int r = sd_bus_message_peek_type(message, &container, &contents);

    if (r < 0)
        return r;
    if (!g_str_equal(contents, type))
        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                 "Option '%s' has to be of type '%s'", option->name, type);
    if (option->type == METHOD_OPTION_TEXTS)
        return read_texts_in_variant(message, G_STRUCT_MEMBER_P(target, option->offset));
    return sd_bus_message_read(message, "v", type, G_STRUCT_MEMBER_P(target, option->offset));
}

static int
read_option(sd_bus_message *message, const MethodOption *options, void *target, uint64_t *seen,
            sd_bus_error *error)
{
    const char *name;
    int r = sd_bus_message_read(message, "s", &name);

    if (r < 0)
        return r;
    int i = find_option(options, name);
    if (i < 0 || i >= OPTIONS_MAX)
        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "Unknown option '%s'", name);
    if (*seen & (UINT64_C(1) << i))
        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "Option '%s' is given twice",
                                 name);
    *seen |= UINT64_C(1) << i;
    return read_value(message, &options[i], target, error);
}

int
method_options_read(sd_bus_message *message, const MethodOption *options, void *target,
                    uint64_t *ret_seen, sd_bus_error *error)
{
    uint64_t seen = 0;
    int r = sd_bus_message_enter_container(message, 'a', "{sv}");

    if (r < 0)
        return r;
    while ((r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
        r = read_option(message, options, target, &seen, error);
        if (r < 0)
            return r;
        r = sd_bus_message_exit_container(message);
        if (r < 0)
            return r;
    }
    if (ret_seen)
        *ret_seen = seen;
    return r < 0 ? r : sd_bus_message_exit_container(message);
}

#define FLAGS_MAX 16

int
method_options_read_flags(sd_bus_message *message, const MethodFlag *flags, unsigned *ret,
                          sd_bus_error *error)
{
    MethodOption options[FLAGS_MAX + 1] = {{NULL}};
    int given[FLAGS_MAX] = {0};
    unsigned n = 0;

    for (; n < FLAGS_MAX && flags[n].name; n++)
        options[n] = (MethodOption){flags[n].name, SD_BUS_TYPE_BOOLEAN, n * sizeof given[0]};
    int r = method_options_read(message, options, given, NULL, error);
    if (r < 0)
        return r;
    *ret = 0;
    for (unsigned i = 0; i < n; i++)
        *ret |= given[i] ? flags[i].flag : 0;
    return 0;
}
