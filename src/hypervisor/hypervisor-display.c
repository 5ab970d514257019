/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor-display.h"

#include "hypervisor-private.h"
#include "units.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/* A longer stream is an error; no screen is this large. */
#define PICTURE_MAX   (128 * MIB)
#define PICTURE_CHUNK (256 * KIB)
#define PICTURE_SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

typedef virStreamPtr VirStream;
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(VirStream, virStreamFree, NULL)

static const struct {
    const char *name;
    int codeset;
} codesets[] = {
    {"linux", VIR_KEYCODE_SET_LINUX},   {"xt", VIR_KEYCODE_SET_XT},
    {"atset1", VIR_KEYCODE_SET_ATSET1}, {"atset2", VIR_KEYCODE_SET_ATSET2},
    {"atset3", VIR_KEYCODE_SET_ATSET3}, {"os_x", VIR_KEYCODE_SET_OSX},
    {"xt_kbd", VIR_KEYCODE_SET_XT_KBD}, {"usb", VIR_KEYCODE_SET_USB},
    {"win32", VIR_KEYCODE_SET_WIN32},   {"qnum", VIR_KEYCODE_SET_QNUM},
    {"rfb", VIR_KEYCODE_SET_RFB},
};

int
hypervisor_codeset(const char *name)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(codesets); i++)
        if (g_str_equal(codesets[i].name, name))
            return codesets[i].codeset;
    return -1;
}

/* --- screenshots -------------------------------------------------------------------------- */

static bool
fail_keeping(int code, Error **error)
{
    *error = error_new(ERROR_OPERATION_FAILED, "Keeping the picture failed: %s", g_strerror(code));
    return false;
}

static bool
write_all(int fd, const char *data, size_t size, Error **error)
{
    while (size > 0) {
        ssize_t n = write(fd, data, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_keeping(errno, error);
        data += n;
        size -= (size_t)n;
    }
    return true;
}

/* Copy the stream into the file until the stream ends. */
static bool
receive_picture(virStreamPtr stream, int fd, Error **error)
{
    g_autofree char *chunk = g_malloc(PICTURE_CHUNK);
    size_t total = 0;

    for (;;) {
        int n = virStreamRecv(stream, chunk, PICTURE_CHUNK);

        if (n < 0)
            return hypervisor_fail(error);
        if (n == 0)
            return true;
        total += (size_t)n;
        if (total > PICTURE_MAX)
            return fail_keeping(EFBIG, error);
        if (!write_all(fd, chunk, (size_t)n, error))
            return false;
    }
}

static bool
take_picture(virDomainPtr dom, virStreamPtr stream, unsigned screen, int fd, char **ret_mime,
             Error **error)
{
    g_autofree char *mime = virDomainScreenshot(dom, stream, screen, 0);

    if (!mime)
        return hypervisor_fail(error);
    if (!receive_picture(stream, fd, error)) {
        virStreamAbort(stream);
        return false;
    }
    if (virStreamFinish(stream) < 0)
        return hypervisor_fail(error);
    if (lseek(fd, 0, SEEK_SET) < 0 || fcntl(fd, F_ADD_SEALS, PICTURE_SEALS) < 0)
        return fail_keeping(errno, error);
    *ret_mime = g_steal_pointer(&mime);
    return true;
}

int
hypervisor_screenshot(Hypervisor *h, const char *uuid, unsigned screen, char **ret_mime,
                      Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);

    if (!dom)
        return -1;
    g_auto(VirStream) stream = virStreamNew(h->conn, 0);
    if (!stream) {
        hypervisor_fail(error);
        return -1;
    }
    int fd = memfd_create("screenshot", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) {
        fail_keeping(errno, error);
        return -1;
    }
    if (!take_picture(dom, stream, screen, fd, ret_mime, error)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* --- the rest ----------------------------------------------------------------------------- */

int
hypervisor_open_graphics(Hypervisor *h, const char *uuid, unsigned index, Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);
    int fd = dom ? virDomainOpenGraphicsFD(dom, index, 0) : -1;

    if (dom && fd < 0)
        hypervisor_fail(error);
    return fd;
}

bool
hypervisor_refuse_console(Hypervisor *h, const char *uuid, Error **error)
{
    virDomainPtr dom = hypervisor_domain(h, uuid, error);

    if (!dom)
        return false;
    g_auto(VirStream) stream = virStreamNew(h->conn, 0);
    if (!stream || virDomainOpenConsole(dom, NULL, stream, 0) < 0)
        return hypervisor_fail(error);
    virStreamAbort(stream);
    *error = error_new(ERROR_OPERATION_FAILED, "Consoles of this hypervisor cannot be used");
    return false;
}

bool
hypervisor_send_keys(Hypervisor *h, const char *uuid, int codeset, const uint32_t *keys,
                     unsigned n_keys, uint32_t hold, Error **error)
{
    unsigned copy[SEND_KEYS_MAX];
    virDomainPtr dom = hypervisor_begin_change(h, uuid, error);

    if (!dom)
        return false;
    n_keys = MIN(n_keys, SEND_KEYS_MAX);
    for (unsigned i = 0; i < n_keys; i++)
        copy[i] = keys[i];
    return virDomainSendKey(dom, (unsigned)codeset, hold, copy, (int)n_keys, 0) == 0 ||
           hypervisor_fail(error);
}

bool
hypervisor_inject_nmi(Hypervisor *h, const char *uuid, Error **error)
{
    virDomainPtr dom = hypervisor_begin_change(h, uuid, error);

    if (!dom)
        return false;
    return virDomainInjectNMI(dom, 0) == 0 || hypervisor_fail(error);
}
