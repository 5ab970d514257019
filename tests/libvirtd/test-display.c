/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Screens and keyboards of real guests. */

#include "libvirtd.h"
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define INVALID_ARGS     "org.freedesktop.DBus.Error.InvalidArgs"
#define INVALID_STATE    VMS_ERROR_PREFIX "InvalidState"
#define OPERATION_FAILED VMS_ERROR_PREFIX "OperationFailed"
#define SEALS            (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

#define display_call(s, path, member, ...)                                                         \
    client_call((s)->client, path, VMS_DISPLAY_INTERFACE, member, __VA_ARGS__)

static Service *
service_with_guest(const char *mode)
{
    Service *s;

    libvirtd_clean();
    s = service_new("--uri=qemu:///system", "--stop-timeout=2", NULL);
    guest_define(s->world, "--graphics", "web", mode);
    guest_start(s->world, "web");
    if (!g_str_equal(mode, "bare"))
        guest_wait(s->world, "web", "VMS-GUEST-READY");
    return s;
}

/* --- screenshots -------------------------------------------------------------------------- */

typedef struct {
    unsigned width, height;
    char *contents;
    const char *pixels; /* three bytes each */
} Picture;

static void
picture_free(Picture *p)
{
    g_free(p->contents);
    g_free(p);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Picture, picture_free)

static void
assert_sealed(int fd)
{
    g_assert_cmpint(fcntl(fd, F_GET_SEALS), ==, SEALS);
    g_assert_cmpint(lseek(fd, 0, SEEK_CUR), ==, 0);
    g_assert_cmpint(write(fd, "x", 1), ==, -1);
    g_assert_cmpint(errno, ==, EPERM);
    g_assert_cmpint(ftruncate(fd, 0), ==, -1);
    g_assert_cmpint(errno, ==, EPERM);
}

static void
save(int fd, const char *file)
{
    struct stat st;

    g_assert_cmpint(fstat(fd, &st), ==, 0);
    g_assert_cmpint(st.st_size, >, 0);
    void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    g_assert_true(map != MAP_FAILED);
    g_assert_true(g_file_set_contents(file, map, (gssize)st.st_size, NULL));
    munmap(map, (size_t)st.st_size);
}

/* Which of the two kinds it is depends on the versions of libvirt and QEMU. */
static char *
convert(Service *s, const char *file, const char *mime)
{
    char *ppm;

    if (g_str_equal(mime, "image/x-portable-pixmap"))
        return g_strdup(file);
    g_assert_cmpstr(mime, ==, "image/png");
    ppm = g_strconcat(file, ".ppm", NULL);
    run(s->world, "'%s/support/png-to-ppm' '%s' '%s'", g_getenv("VMS_TESTS"), file, ppm);
    return ppm;
}

/* For whoever wants to see it: VMS_TEST_PICTURES is a directory. */
static void
keep(Service *s, const char *file, const char *name)
{
    if (g_getenv("VMS_TEST_PICTURES"))
        run(s->world, "cp '%s' '%s/%s'", file, g_getenv("VMS_TEST_PICTURES"), name);
}

static Picture *
take_picture(Service *s, const char *path, const char *name)
{
    g_autofree char *file = g_build_filename(world_directory(s->world), name, NULL);
    g_autoptr(Call) call =
        client_call(s->client, path, VMS_DISPLAY_INTERFACE, "Screenshot", "u", 0);
    int fd = call_descriptor(call);
    Picture *p = g_new0(Picture, 1);
    gsize size;
    int header = 0;

    assert_sealed(fd);
    save(fd, file);
    close(fd);
    keep(s, file, name);
    g_autofree char *ppm = convert(s, file, strchr(call->body, ' ') + 1);
    g_assert_true(g_file_get_contents(ppm, &p->contents, &size, NULL));
    int n = sscanf(p->contents, "P6 %u %u 255%n", &p->width, &p->height, &header);
    g_assert_cmpint(n, ==, 2);
    p->pixels = p->contents + header + 1;
    g_assert_cmpuint(size, ==, (size_t)header + 1 + 3 * (size_t)p->width * p->height);
    return p;
}

/* How many pixels differ. */
static unsigned
compare(const Picture *a, const Picture *b)
{
    unsigned n = 0;

    g_assert_cmpuint(a->width, ==, b->width);
    g_assert_cmpuint(a->height, ==, b->height);
    for (size_t i = 0; i < (size_t)a->width * a->height; i++)
        n += memcmp(a->pixels + 3 * i, b->pixels + 3 * i, 3) != 0;
    return n;
}

/* Those that are part of a letter on a text screen. */
static unsigned
count_lit(const Picture *p)
{
    unsigned n = 0;

    for (size_t i = 0; i < (size_t)p->width * p->height; i++)
        n += (unsigned char)p->pixels[3 * i] > 100 && (unsigned char)p->pixels[3 * i + 1] > 100;
    return n;
}

/* --- keys --------------------------------------------------------------------------------- */

static void
press(Service *s, const char *path, const char *codeset, guint32 code)
{
    g_autoptr(Call) call = client_call(s->client, path, VMS_DISPLAY_INTERFACE, "SendKeys", "saut",
                                       codeset, 1, code, (guint64)20000);

    assert_ok(call);
}

/* In the guest's shell on the serial console: until its screen, as text, has this. */
static void
wait_for_screen(Stream *serial, const char *pattern)
{
    static unsigned n;
    g_autofree char *command = g_strdup_printf(
        "until grep -q -e '%s' /dev/vcs1; do usleep 50000; done; echo seen-$((%u + 1))\n", pattern,
        n);
    g_autofree char *answer = g_strdup_printf("seen-%u", ++n);

    stream_write(serial, command);
    stream_wait(serial, answer);
}

/* After the prompt on the screen: each letter once the one before it is there, since a keyboard
 * holds few. */
static void
type(Service *s, const char *path, Stream *serial, const char *prompt, const char *letters)
{
    /* Linux numbers the keys by their places on the keyboard. */
    static const char *const rows[] = {"1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", " "};
    static const guint32 first[] = {2, 16, 30, 44, 57};

    for (size_t n = 0; letters[n]; n++) {
        for (unsigned row = 0; row < G_N_ELEMENTS(rows); row++) {
            const char *found = strchr(rows[row], letters[n]);
            if (found)
                press(s, path, "linux", first[row] + (guint32)(found - rows[row]));
        }
        g_autofree char *seen = g_strdup_printf("%s%.*s", prompt, (int)(n + 1), letters);
        wait_for_screen(serial, seen);
    }
    /* Enter, as a USB keyboard says it. */
    press(s, path, "usb", 40);
}

static Stream *
log_in_on_serial(Service *s, const char *path)
{
    g_autoptr(Call) call =
        client_call(s->client, path, VMS_DISPLAY_INTERFACE, "OpenConsole", "sa{sv}", "", 0);
    Stream *serial = stream_new(s->world, call_descriptor(call));

    stream_write(serial, "\n");
    stream_wait(serial, "login: ");
    stream_write(serial, "root\n");
    stream_wait(serial, "# ");
    return serial;
}

/* A login on a dark text screen; what is typed appears there, and the shell behind it obeys. */
static void
test_screen_and_keys(void)
{
    g_autoptr(Service) s = service_with_guest("obey");
    g_autofree char *path = guest_path(s->world, "web");
    g_autoptr(Stream) serial = log_in_on_serial(s, path);

    wait_for_screen(serial, "guest login:");
    g_autoptr(Picture) before = take_picture(s, path, "login");
    g_assert_cmpuint(before->width, >=, 640);
    g_assert_cmpuint(before->height, >=, 400);
    g_assert_cmpuint(count_lit(before), >, 300);
    g_assert_cmpuint(count_lit(before), <, before->width * before->height / 4);

    type(s, path, serial, "guest login: ", "root");
    wait_for_screen(serial, "~ #");
    type(s, path, serial, "~ # ", "seq 47");
    wait_for_screen(serial, " 46  *47 ");
    g_autoptr(Picture) after = take_picture(s, path, "shell");
    g_assert_cmpuint(compare(before, after), >, 300);
    /* The same screen is the same picture. */
    g_autoptr(Picture) again = take_picture(s, path, "again");
    g_assert_cmpuint(compare(after, again), <, 200); /* the cursor blinks */
}

static void
test_nmi(void)
{
    g_autoptr(Service) s = service_with_guest("obey");
    g_autofree char *path = guest_path(s->world, "web");
    g_autoptr(Stream) serial = log_in_on_serial(s, path);
    g_autoptr(Call) call = client_call(s->client, path, VMS_DISPLAY_INTERFACE, "InjectNmi", NULL);

    assert_ok(call);
    stream_write(serial, "until dmesg | grep -q 'NMI received'; do usleep 50000; done; "
                         "echo nmi-$((6 * 7))\n");
    stream_wait(serial, "nmi-42");
}

/* --- graphics servers --------------------------------------------------------------------- */

static void
assert_graphics(Service *s, const char *path, const char *value)
{
    wait_for(s->world,
             g_strcmp0(mirror_get(s->mirror, path, VMS_DISPLAY_INTERFACE, "Graphics"), value) == 0);
    assert_property(s->client, path, VMS_DISPLAY_INTERFACE, "Graphics", value);
}

static void
test_graphics(void)
{
    g_autoptr(Service) s = service_with_guest("bare");
    g_autofree char *path = guest_path(s->world, "web");

    assert_graphics(s, path,
                    "[{\"listen\": <\"127.0.0.1\">, \"port\": <5900>, \"type\": <\"vnc\">}]");
    g_autoptr(Call) call =
        client_call(s->client, path, VMS_DISPLAY_INTERFACE, "OpenGraphics", "u", 0);
    {
        g_autoptr(Stream) vnc = stream_new(s->world, call_descriptor(call));
        stream_wait(vnc, "RFB 003.");
    }
    g_autoptr(Call) second =
        client_call(s->client, path, VMS_DISPLAY_INTERFACE, "OpenGraphics", "u", 1);
    assert_error(second, OPERATION_FAILED);

    g_autoptr(Call) stop = domain_call(s, path, "ForceStop", NULL);
    assert_ok(stop);
    assert_graphics(s, path, "[{\"listen\": <\"127.0.0.1\">, \"type\": <\"vnc\">}]");
    g_autoptr(Call) off =
        client_call(s->client, path, VMS_DISPLAY_INTERFACE, "OpenGraphics", "u", 0);
    assert_error_says(off, INVALID_STATE, "not running");
    g_autoptr(Call) dark =
        client_call(s->client, path, VMS_DISPLAY_INTERFACE, "Screenshot", "u", 0);
    assert_error_says(dark, INVALID_STATE, "not running");

    /* A web socket, and a second server of another kind. */
    run(s->world, "domain-xml --graphics web bare | sed 's#<graphics .*#"
                  "<graphics type=\"vnc\" port=\"5944\" websocket=\"5744\" listen=\"::1\"/>"
                  "<graphics type=\"vnc\" socket=\"/run/vms/web.vnc\"/>"
                  "#' >/run/vms/web.xml; virsh -q define /run/vms/web.xml");
    assert_graphics(s, path,
                    "[{\"listen\": <\"::1\">, \"port\": <5944>, \"type\": <\"vnc\">, "
                    "\"websocket\": <5744>}, "
                    "{\"socket\": <\"/run/vms/web.vnc\">, \"type\": <\"vnc\">}]");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    libvirtd_need();
    libvirtd_add_func("/libvirtd/display/screen-and-keys", test_screen_and_keys);
    libvirtd_add_func("/libvirtd/display/nmi", test_nmi);
    libvirtd_add_func("/libvirtd/display/graphics", test_graphics);
    return g_test_run();
}
