/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "options.h"

#include "config.h"
#include "log.h"
#include "names.h"
#include "units.h"

#include <glib.h>
#include <string.h>

#define DEFAULT_URI              "qemu:///system"
#define DEFAULT_STOP_TIMEOUT_SEC 10

static gboolean option_system;
static gboolean option_session;
static gboolean option_version;
static char *option_address;
static char *option_name;
static char *option_instance;
static char *option_uri;
static char **option_pid_files;
static char *option_stop_timeout;
static char *option_guest_info;
static char *option_log_level;
static gboolean option_drop_root;

static const GOptionEntry entries[] = {
    {"system", 0, 0, G_OPTION_ARG_NONE, &option_system, "Serve the system bus (the default)", NULL},
    {"session", 0, 0, G_OPTION_ARG_NONE, &option_session, "Serve the session bus", NULL},
    {"address", 0, 0, G_OPTION_ARG_STRING, &option_address, "Serve the bus at this D-Bus address",
     "ADDRESS"},
    {"name", 0, 0, G_OPTION_ARG_STRING, &option_name, "Bus name to own (" VMS_BUS_NAME ")", "NAME"},
    {"instance", 0, 0, G_OPTION_ARG_STRING, &option_instance,
     "Own " VMS_BUS_NAME ".INSTANCE instead", "INSTANCE"},
    {"uri", 0, 0, G_OPTION_ARG_STRING, &option_uri,
     "libvirt connection (else $LIBVIRT_URI, $LIBVIRT_DEFAULT_URI, " DEFAULT_URI ")", "URI"},
    {"pid-file", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &option_pid_files,
     "PID file of libvirt to watch, instead of the usual ones; may be repeated", "PATH"},
    {"stop-timeout", 0, 0, G_OPTION_ARG_STRING, &option_stop_timeout,
     "How long Stop waits for a guest before it forces it (10)", "SECONDS"},
    {"guest-info", 0, 0, G_OPTION_ARG_STRING, &option_guest_info,
     "yes or no: publish host name, OS and addresses of the guests (yes)", "WHETHER"},
    {"log-level", 0, 0, G_OPTION_ARG_STRING, &option_log_level,
     "error, warning, notice, info or debug (info)", "LEVEL"},
    {"drop-root", 0, 0, G_OPTION_ARG_NONE, &option_drop_root,
     "As root: read the settings file and become the service's user", NULL},
    {"version", 0, 0, G_OPTION_ARG_NONE, &option_version, "Show the version and exit", NULL},
    {NULL},
};

static bool
is_name_element(const char *element)
{
    if (*element == '\0' || g_ascii_isdigit(*element))
        return false;
    for (; *element; element++)
        if (!g_ascii_isalnum(*element) && *element != '_' && *element != '-')
            return false;
    return true;
}

bool
options_instance_of_name(const char *bus_name, const char **ret_instance)
{
    *ret_instance = NULL;
    if (strlen(bus_name) > 255)
        return false;
    if (g_str_equal(bus_name, VMS_BUS_NAME))
        return true;
    if (!g_str_has_prefix(bus_name, VMS_BUS_NAME "."))
        return false;
    *ret_instance = bus_name + strlen(VMS_BUS_NAME ".");
    return is_name_element(*ret_instance);
}

static bool
bad(Options *options, const char *what, const char *value)
{
    options->message = g_strdup_printf("%s: %s", what, value);
    return false;
}

static bool
take_name(Options *options)
{
    const char *instance;

    if (option_name && option_instance)
        return bad(options, "Only one of --name and --instance can be given", option_name);
    if (option_instance && !is_name_element(option_instance))
        return bad(options,
                   "An instance's name consists of letters, digits, '_' and '-', and does not "
                   "begin with a digit",
                   option_instance);
    options->name = option_instance ? g_strconcat(VMS_BUS_NAME ".", option_instance, NULL)
                                    : g_strdup(option_name ? option_name : VMS_BUS_NAME);
    if (!options_instance_of_name(options->name, &instance))
        return bad(options, "The bus name has to be " VMS_BUS_NAME " or " VMS_BUS_NAME ".INSTANCE",
                   options->name);
    options->instance = g_strdup(instance);
    return true;
}

static void
take_uri(Options *options)
{
    const char *candidates[] = {
        option_uri,
        g_getenv("LIBVIRT_URI"),
        g_getenv("LIBVIRT_DEFAULT_URI"),
        DEFAULT_URI,
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(candidates) && !options->uri; i++)
        if (candidates[i] && *candidates[i])
            options->uri = g_strdup(candidates[i]);
}

static bool
take_stop_timeout(Options *options)
{
    guint64 seconds = DEFAULT_STOP_TIMEOUT_SEC;

    if (option_stop_timeout &&
        !g_ascii_string_to_unsigned(option_stop_timeout, 10, 0, G_MAXUINT32, &seconds, NULL))
        return bad(options, "--stop-timeout takes a whole number of seconds", option_stop_timeout);
    options->stop_timeout_usec = seconds * SEC;
    return true;
}

static bool
take_pid_files(Options *options)
{
    options->pid_files = g_strdupv(option_pid_files);
    for (char **path = options->pid_files; path && *path; path++) {
        char *given = *path;

        if (*given == '\0')
            return bad(options, "--pid-file takes a path", "it is empty");
        *path = g_canonicalize_filename(given, NULL);
        g_free(given);
    }
    return true;
}

static bool
take_log_level(Options *options)
{
    options->log_level = log_level_from_string(option_log_level ? option_log_level : "info");
    if (options->log_level < 0)
        return bad(options, "--log-level takes error, warning, notice, info or debug",
                   option_log_level);
    return true;
}

static bool
take_guest_info(Options *options)
{
    options->guest_info = !option_guest_info || g_str_equal(option_guest_info, "yes");
    if (!options->guest_info && !g_str_equal(option_guest_info, "no"))
        return bad(options, "--guest-info takes yes or no", option_guest_info);
    return true;
}

static bool
take(Options *options)
{
    if (option_system + option_session + (option_address != NULL) > 1)
        return bad(options, "Only one of --system, --session and --address can be given",
                   option_address ? option_address : "--session");
    if (option_address && !*option_address)
        return bad(options, "--address takes a D-Bus address", "it is empty");
    if (option_uri && !*option_uri)
        return bad(options, "--uri takes a libvirt connection URI", "it is empty");
    take_uri(options);
    if (!take_name(options) || !take_stop_timeout(options) || !take_log_level(options) ||
        !take_guest_info(options) || !take_pid_files(options))
        return false;
    options->address = g_strdup(option_address);
    options->session = option_session;
    options->drop_root = option_drop_root;
    return true;
}

OptionsResult
options_parse(Options *options, int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;

    *options = (Options){.log_level = -1};
    g_option_context_set_summary(context, "The virtual machines of libvirt on D-Bus.");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        options->message = g_strdup(error->message);
        return OPTIONS_BAD;
    }
    if (argc > 1) {
        bad(options, "Unexpected argument", argv[1]);
        return OPTIONS_BAD;
    }
    if (option_version) {
        g_print("unraid-vmsd %s\n", PROJECT_VERSION);
        return OPTIONS_DONE;
    }
    return take(options) ? OPTIONS_RUN : OPTIONS_BAD;
}

static void
clear_raw_options(void)
{
    g_clear_pointer(&option_address, g_free);
    g_clear_pointer(&option_name, g_free);
    g_clear_pointer(&option_instance, g_free);
    g_clear_pointer(&option_uri, g_free);
    g_clear_pointer(&option_pid_files, g_strfreev);
    g_clear_pointer(&option_stop_timeout, g_free);
    g_clear_pointer(&option_guest_info, g_free);
    g_clear_pointer(&option_log_level, g_free);
}

void
options_clear(Options *options)
{
    clear_raw_options();
    g_free(options->address);
    g_free(options->name);
    g_free(options->instance);
    g_free(options->uri);
    g_strfreev(options->pid_files);
    g_free(options->message);
}
