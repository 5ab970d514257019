/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmsctl screenshot */
#include "command.h"
#include "png.h"

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
        failure_set(error, EXIT_FAILED, "There is no picture");
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

/* Hypervisors differ in what they make; a file that is called .png is to be one. */
static GBytes *
convert(GBytes *picture, const char *file)
{
    gsize size;
    const guint8 *data = g_bytes_get_data(picture, &size);
    GBytes *png = g_str_has_suffix(file, ".png") ? png_from_ppm(data, size) : NULL;

    return png ? png : g_bytes_ref(picture);
}

static bool
write_picture(const char *file, GBytes *picture, GError **error)
{
    gsize size;
    const char *data = g_bytes_get_data(picture, &size);

    if (!g_str_equal(file, "-"))
        return g_file_set_contents(file, data, (gssize)size, error);
    if (fwrite(data, 1, size, stdout) == size)
        return true;
    failure_set(error, EXIT_FAILED, "Cannot write: %s", g_strerror(errno));
    return false;
}

static GBytes *
take_picture(Client *client, const char *vm, GError **error)
{
    g_autofree char *path = client_find_vm(client, vm, error);
    g_autoptr(GVariant) reply =
        path ? client_change(client, path, VMS_DISPLAY_INTERFACE, "Screenshot",
                             g_variant_new("(u)", (guint32)screen), error)
             : NULL;
    const char *type;
    gint32 fd;

    if (!reply)
        return NULL;
    g_variant_get(reply, "(h&s)", &fd, &type);
    GBytes *picture = read_picture(fd, error);
    (void)close(fd);
    return picture;
}

static ExitStatus
run(Client *client, const Command *command, char **arguments)
{
    const char *vm = arguments[0], *file = arguments[1];
    g_autoptr(GError) error = NULL;

    if (screen < 0)
        failure_set(&error, EXIT_USAGE, "There is no screen %d", screen);
    else if (client->options->host)
        failure_set(&error, EXIT_NOT_OFFERED,
                    "A picture cannot be fetched from another host; log in there first");
    if (error)
        return failure_report(NULL, error);

    g_autoptr(GBytes) picture = take_picture(client, vm, &error);
    if (!picture)
        return failure_report(vm, error);
    g_autoptr(GBytes) converted = convert(picture, file);
    return write_picture(file, converted, &error) ? EXIT_OK : failure_report(NULL, error);
}

const Command command_screenshot = {run, options, NULL};
