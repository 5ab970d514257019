/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launch.h"

#include "config.h"
#include "env-file.h"
#include "privileges.h"
#include "units.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#define OPTIONS_VARIABLE "VMS_OPTIONS"

/* In bytes; a longer file is refused. */
#define SETTINGS_MAX (64 * KIB)

bool
launch_is_due(const Options *options)
{
    const struct passwd *user;

    if (geteuid() != 0 || !options->drop_root)
        return false;
    /* A service that is built to run as root is started once. */
    user = getpwnam(SERVICE_USER);
    return !user || user->pw_uid != 0;
}

static char *
settings_file(const Options *options)
{
    return options->instance ? g_strdup_printf(CONFDIR "/unraid-vms/%s.conf", options->instance)
                             : g_strdup(CONFDIR "/unraid-vms.conf");
}

static Error *
cannot_read(const char *file, const char *why)
{
    return error_new(ERROR_OPERATION_FAILED, "Reading %s failed: %s", file, why);
}

/* NULL in TEXT where there is no file. */
static Error *
read_settings(const char *file, char **text)
{
    gsize length = 0;
    ssize_t n = 1;

    *text = NULL;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return errno == ENOENT ? NULL : cannot_read(file, g_strerror(errno));
    g_autofree char *buffer = g_malloc(SETTINGS_MAX + 1);
    while (n > 0 && length <= SETTINGS_MAX) {
        n = read(fd, buffer + length, SETTINGS_MAX + 1 - length);
        length += n > 0 ? (gsize)n : 0;
    }
    int problem = n < 0 ? errno : 0;
    close(fd);
    if (problem || length > SETTINGS_MAX)
        return cannot_read(file, problem ? g_strerror(problem) : "it is larger than 64 KiB");
    buffer[length] = '\0';
    *text = g_steal_pointer(&buffer);
    return NULL;
}

static void
set_variable(const char *name, const char *value, void *userdata)
{
    g_setenv(name, value, TRUE);
}

char **
launch_arguments(char **argv, const char *vms_options)
{
    g_auto(GStrv) words = env_file_words(vms_options ? vms_options : "");
    g_autoptr(GStrvBuilder) arguments = g_strv_builder_new();

    g_strv_builder_add(arguments, argv[0]);
    g_strv_builder_addv(arguments, (const char **)words);
    g_strv_builder_addv(arguments, (const char **)argv + 1);
    return g_strv_builder_end(arguments);
}

Error *
launch(const Options *options, char **argv)
{
    g_autofree char *file = settings_file(options);
    g_autofree char *text = NULL;
    Error *error = read_settings(file, &text);

    if (error)
        return error;
    if (text)
        env_file_parse(text, set_variable, NULL);
    g_auto(GStrv) arguments = launch_arguments(argv, g_getenv(OPTIONS_VARIABLE));
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    error = privileges_become(SERVICE_USER, LIBVIRT_GROUP);
    if (error)
        return error;
    (void)execv(program ? program : argv[0], arguments);
    return error_new(ERROR_OPERATION_FAILED, "Running the program as %s failed: %s", SERVICE_USER,
                     g_strerror(errno));
}
