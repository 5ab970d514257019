/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmsctl screenshot */
#include "command.h"
#include "terminal-text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int screen;

static const GOptionEntry options[] = {
    {"screen", 0, 0, G_OPTION_ARG_INT, &screen, "Which screen (0)", "NUMBER"},
    {NULL},
};

/* The contents of the descriptor, from its beginning. */
static GBytes *
read_picture(int fd, GError **error)
{
    struct stat info;

    if (fstat(fd, &info) < 0 || info.st_size <= 0) {
        failure_set(error, EXIT_FAILED, "The picture is empty");
        return NULL;
    }
    gsize size = (gsize)info.st_size;
    void *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) {
        failure_set(error, EXIT_FAILED, "Cannot read the picture: %s", g_strerror(errno));
        return NULL;
    }
    GBytes *bytes = g_bytes_new(data, size);
    (void)munmap(data, size);
    return bytes;
}

static bool
write_to(FILE *stream, GBytes *picture, GError **error)
{
    gsize size;
    const char *data = g_bytes_get_data(picture, &size);

    if (fwrite(data, 1, size, stream) == size && fflush(stream) == 0)
        return true;
    failure_set(error, EXIT_FAILED, "Cannot write: %s", g_strerror(errno));
    return false;
}

/* A device or a FIFO is written to: a new file in its place would be the end of it. */
static bool
write_special(const char *file, GBytes *picture, GError **error)
{
    FILE *stream = fopen(file, "we");

    if (!stream) {
        failure_set(error, EXIT_FAILED, "Cannot open %s: %s", file, g_strerror(errno));
        return false;
    }
    bool ok = write_to(stream, picture, error);
    (void)fclose(stream);
    return ok;
}

static bool
write_picture(const char *file, GBytes *picture, GError **error)
{
    gsize size;
    const char *data = g_bytes_get_data(picture, &size);

    if (g_str_equal(file, "-"))
        return write_to(stdout, picture, error);
    if (g_file_test(file, G_FILE_TEST_EXISTS) && !g_file_test(file, G_FILE_TEST_IS_REGULAR))
        return write_special(file, picture, error);
    return g_file_set_contents(file, data, (gssize)size, error);
}

/* TYPE is the picture's MIME type. */
static GBytes *
take_picture(Client *client, const char *vm, char **type, GError **error)
{
    g_autofree char *path = client_find_vm(client, vm, error);
    g_autoptr(GVariant) reply =
        path ? client_change(client, path, VMS_DISPLAY_INTERFACE, "Screenshot",
                             g_variant_new("(u)", (guint32)screen), error)
             : NULL;
    gint32 fd;

    if (!reply)
        return NULL;
    g_variant_get(reply, "(hs)", &fd, type);
    GBytes *picture = read_picture(fd, error);
    (void)close(fd);
    return picture;
}

static bool
check(const Client *client, const char *file, GError **error)
{
    if (screen < 0)
        failure_set(error, EXIT_USAGE, "The number of a screen cannot be negative");
    else if (g_str_equal(file, "-") && isatty(STDOUT_FILENO))
        failure_set(error, EXIT_USAGE, "A picture cannot be written to a terminal");
    else if (client->options->host)
        failure_set(error, EXIT_NOT_OFFERED,
                    "A picture cannot be fetched from another host; log in there first");
    else
        return true;
    return false;
}

/* The file has the format that the hypervisor makes, even if its name says another. */
static void
warn_of_name(const char *file, const char *type)
{
    g_autofree char *safe = terminal_text_escape(type);

    if (g_str_has_suffix(file, ".png") && !g_str_equal(type, "image/png"))
        fprintf(stderr, "vmsctl: The picture is no PNG; its type is %s\n", safe);
}

static ExitStatus
run(Client *client, const Command *command, char **arguments)
{
    const char *vm = arguments[0], *file = arguments[1];
    g_autoptr(GError) error = NULL;
    g_autofree char *type = NULL;

    if (!check(client, file, &error))
        return failure_report(NULL, error);
    g_autoptr(GBytes) picture = take_picture(client, vm, &type, &error);
    if (!picture)
        return failure_report(vm, error);
    if (!write_picture(file, picture, &error))
        return failure_report(NULL, error);
    warn_of_name(file, type);
    return EXIT_OK;
}

const Command command_screenshot = {run, options, NULL};
