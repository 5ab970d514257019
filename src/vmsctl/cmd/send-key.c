/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmsctl send-key */
#include "command.h"
#include "text.h"

#include <linux/input-event-codes.h>
#include <string.h>

static int hold_msec;
static char *codeset;

static const GOptionEntry options[] = {
    {"hold", 0, 0, G_OPTION_ARG_INT, &hold_msec, "How long the keys are held down", "MSEC"},
    {"codeset", 0, 0, G_OPTION_ARG_STRING, &codeset,
     "The code set of numbers (linux; others as in virsh)", "NAME"},
    {NULL},
};

typedef struct Key {
    const char *name;
    guint32 code;
} Key;

static const Key keys[] = {
    {"a", KEY_A},
    {"b", KEY_B},
    {"c", KEY_C},
    {"d", KEY_D},
    {"e", KEY_E},
    {"f", KEY_F},
    {"g", KEY_G},
    {"h", KEY_H},
    {"i", KEY_I},
    {"j", KEY_J},
    {"k", KEY_K},
    {"l", KEY_L},
    {"m", KEY_M},
    {"n", KEY_N},
    {"o", KEY_O},
    {"p", KEY_P},
    {"q", KEY_Q},
    {"r", KEY_R},
    {"s", KEY_S},
    {"t", KEY_T},
    {"u", KEY_U},
    {"v", KEY_V},
    {"w", KEY_W},
    {"x", KEY_X},
    {"y", KEY_Y},
    {"z", KEY_Z},
    {"0", KEY_0},
    {"1", KEY_1},
    {"2", KEY_2},
    {"3", KEY_3},
    {"4", KEY_4},
    {"5", KEY_5},
    {"6", KEY_6},
    {"7", KEY_7},
    {"8", KEY_8},
    {"9", KEY_9},
    {"f1", KEY_F1},
    {"f2", KEY_F2},
    {"f3", KEY_F3},
    {"f4", KEY_F4},
    {"f5", KEY_F5},
    {"f6", KEY_F6},
    {"f7", KEY_F7},
    {"f8", KEY_F8},
    {"f9", KEY_F9},
    {"f10", KEY_F10},
    {"f11", KEY_F11},
    {"f12", KEY_F12},
    {"ctrl", KEY_LEFTCTRL},
    {"alt", KEY_LEFTALT},
    {"altgr", KEY_RIGHTALT},
    {"shift", KEY_LEFTSHIFT},
    {"meta", KEY_LEFTMETA},
    {"super", KEY_LEFTMETA},
    {"win", KEY_LEFTMETA},
    {"menu", KEY_COMPOSE},
    {"esc", KEY_ESC},
    {"escape", KEY_ESC},
    {"enter", KEY_ENTER},
    {"return", KEY_ENTER},
    {"space", KEY_SPACE},
    {"tab", KEY_TAB},
    {"backspace", KEY_BACKSPACE},
    {"delete", KEY_DELETE},
    {"del", KEY_DELETE},
    {"insert", KEY_INSERT},
    {"home", KEY_HOME},
    {"end", KEY_END},
    {"pageup", KEY_PAGEUP},
    {"pagedown", KEY_PAGEDOWN},
    {"up", KEY_UP},
    {"down", KEY_DOWN},
    {"left", KEY_LEFT},
    {"right", KEY_RIGHT},
    {"capslock", KEY_CAPSLOCK},
    {"numlock", KEY_NUMLOCK},
    {"scrolllock", KEY_SCROLLLOCK},
    {"print", KEY_SYSRQ},
    {"sysrq", KEY_SYSRQ},
    {"pause", KEY_PAUSE},
    {"minus", KEY_MINUS},
    {"equal", KEY_EQUAL},
    {"comma", KEY_COMMA},
    {"dot", KEY_DOT},
    {"slash", KEY_SLASH},
    {"backslash", KEY_BACKSLASH},
    {"semicolon", KEY_SEMICOLON},
    {"apostrophe", KEY_APOSTROPHE},
    {"grave", KEY_GRAVE},
    {"leftbrace", KEY_LEFTBRACE},
    {"rightbrace", KEY_RIGHTBRACE},
    {"power", KEY_POWER},
    {"sleep", KEY_SLEEP},
    {"mute", KEY_MUTE},
    {"volumeup", KEY_VOLUMEUP},
    {"volumedown", KEY_VOLUMEDOWN},
};

/* One digit is the key with that digit; a longer number, or "#N", is a code. */
static bool
parse_key(const char *name, guint32 *code, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
        if (g_ascii_strcasecmp(keys[i].name, name) == 0) {
            *code = keys[i].code;
            return true;
        }
    if (*name == '#')
        name++;
    if (g_ascii_isdigit(*name) && text_parse_unsigned(name, code, error))
        return true;
    g_clear_error(error);
    failure_set(error, EXIT_USAGE,
                "There is no key \"%s\"; keys are a to z, 0 to 9, f1 to f12, ctrl, alt, shift, "
                "enter, esc, tab, …, or #CODE",
                name);
    return false;
}

/* "ctrl-alt-delete" as an array of codes, floating. */
static GVariant *
parse_keys(const char *text, GError **error)
{
    g_auto(GStrv) names = g_strsplit_set(text, "-+", -1);
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("au"));
    for (char **name = names; *name; name++) {
        guint32 code = 0;

        if (!parse_key(*name, &code, error)) {
            g_variant_builder_clear(&builder);
            return NULL;
        }
        g_variant_builder_add(&builder, "u", code);
    }
    return g_variant_builder_end(&builder);
}

static GPtrArray *
parse_all(char **texts, GError **error)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify)g_variant_unref);

    for (; *texts; texts++) {
        GVariant *codes = parse_keys(*texts, error);

        if (!codes)
            return NULL;
        g_ptr_array_add(all, g_variant_ref_sink(codes));
    }
    return g_steal_pointer(&all);
}

static ExitStatus
run(Client *client, const Command *command, char **arguments)
{
    g_autoptr(GError) error = NULL;
    /* All arguments are checked before the first key is pressed. */
    g_autoptr(GPtrArray) all = parse_all(arguments + 1, &error);
    g_autofree char *path = NULL;

    if (all && hold_msec < 0)
        failure_set(&error, EXIT_USAGE, "The time to hold keys cannot be negative");
    if (!all || error)
        return failure_report(NULL, error);
    path = client_find_vm(client, arguments[0], &error);
    for (unsigned i = 0; path && i < all->len; i++) {
        g_autoptr(GVariant) reply =
            client_change(client, path, VMS_DISPLAY_INTERFACE, "SendKeys",
                          g_variant_new("(s@aut)", codeset ? codeset : "linux",
                                        (GVariant *)all->pdata[i], (guint64)hold_msec * 1000),
                          &error);

        if (!reply)
            break;
    }
    return error ? failure_report(arguments[0], error) : EXIT_OK;
}

const Command command_send_key = {run, options, NULL};
