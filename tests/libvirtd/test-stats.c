/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* GetStats and Usage with real guests, and with guests whose process does not answer. */

#include "canonical.h"
#include "libvirtd.h"

#include <limits.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

static Service *
service_with_guests(const char *const *names)
{
    Service *s;

    libvirtd_clean();
    s = service_new("--uri=qemu:///system", "--stop-timeout=2", NULL);
    for (; *names; names++) {
        g_autofree char *options = g_strdup_printf("--nic --disk /run/vms/%s.img", *names);

        run(s->world, "truncate -s 8M /run/vms/%s.img", *names);
        guest_define(s->world, options, *names, "bare");
        guest_start(s->world, *names);
    }
    return s;
}

static void
freeze(Service *s, const char *name)
{
    run(s->world, "kill -STOP $(libvirtd-ctl qemu-pid %s)", name);
}

static void
thaw(Service *s, const char *name)
{
    run(s ? s->world : NULL, "kill -CONT $(libvirtd-ctl qemu-pid %s)", name);
}

static Call *
send_all(Service *s)
{
    return manager_send(s, "GetStats", "asa{sv}", 0, 0);
}

/* The figures of one domain in the answer, as text; NULL if there are none. */
static char *
figures_of(Service *s, Call *call, const char *name)
{
    g_autofree char *path = guest_path(s->world, name);
    g_autofree char *key = g_strdup_printf("\"%s\": {", path);

    assert_ok(call);
    const char *found = strstr(call->body, key);
    if (!found)
        return NULL;
    found += strlen(key);
    return g_strndup(found, strcspn(found, "}"));
}

static bool
has(const char *figures, const char *name)
{
    g_autofree char *key = g_strdup_printf("\"%s\": ", name);

    return strstr(figures, key) != NULL;
}

/* Each figure of the list, and all values that it has in the test guest. */
static void
check_figures(const char *text, const char *const *figures)
{
    for (; *figures; figures++)
        if (!has(text, *figures))
            g_error("%s is missing in %s", *figures, text);
    g_assert_nonnull(strstr(text, "\"state.state\": <1>"));
    g_assert_nonnull(strstr(text, "\"block.count\": <1>"));
    g_assert_nonnull(strstr(text, "\"block.0.name\": <\"vda\">"));
}

/* Its capacity is known, so whether libvirt opens its image is known, too. */
static bool
has_capacity(Service *s, const char *name)
{
    g_autofree char *path = guest_path(s->world, name);
    const char *disks = mirror_get(s->mirror, path, VMS_CONFIG_INTERFACE, "Disks");

    return disks && strstr(disks, "\"capacity\": <8388608>");
}

/* Of an image that libvirt would open, what needs no opening; of others all. */
static void
test_figures(void)
{
    static const char *const names[] = {"allocated", "sparse", NULL};
    static const char *const figures[] = {
        "state.state",      "state.reason", "cpu.time",     "balloon.current",
        "balloon.maximum",  "vcpu.current", "vcpu.maximum", "vcpu.0.state",
        "net.count",        "block.count",  "block.0.name", "block.0.rd.reqs",
        "block.0.rd.bytes", NULL,
    };
    char event[sizeof(struct inotify_event) + NAME_MAX + 1];
    g_autoptr(Service) s = NULL;

    run(NULL, "fallocate -l 8M /run/vms/allocated.img");
    s = service_with_guests(names);
    guest_define(s->world, "", "off", "bare");
    wait_for(s->world, has_capacity(s, "allocated") && has_capacity(s, "sparse"));
    int opened = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    g_assert_cmpint(inotify_add_watch(opened, "/run/vms/sparse.img", IN_OPEN), >=, 0);
    g_autoptr(Call) call = send_all(s);
    g_autofree char *allocated = figures_of(s, call, "allocated");
    g_autofree char *sparse = figures_of(s, call, "sparse");
    check_figures(allocated, figures);
    g_assert_nonnull(strstr(allocated, "\"block.0.capacity\": <8388608>"));
    g_assert_true(has(allocated, "block.0.path"));
    check_figures(sparse, figures);
    g_assert_false(has(sparse, "block.0.capacity"));
    g_assert_cmpint(read(opened, event, sizeof event), ==, -1);
    run(NULL, ": </run/vms/sparse.img");
    g_assert_cmpint(read(opened, event, sizeof event), >, 0);
    close(opened);

    /* The same as libvirt's own client says. */
    g_autofree char *path = guest_path(s->world, "off");
    wait_for(s->world, mirror_is(s->mirror, path, "State", "shutoff"));
    g_autoptr(Call) balloon = manager_call(s, "GetStats", "asa{sv}", 2, "balloon", "state", 0);
    g_autofree char *text = figures_of(s, balloon, "off");
    g_autofree char *expected =
        shell(s->world, "virsh domstats --raw --state --balloon off | "
                        "sed -n 's/^ *\\([a-z.]*\\)=\\(.*\\)/\"\\1\": <\\2>/p' | LC_ALL=C sort | "
                        "paste -sd, | sed 's/,/, /g'");
    g_assert_cmpstr(text, ==, expected);
}

/* Frozen ones contribute what needs no waiting, the others everything, and nobody waits long. */
static void
test_frozen(void)
{
    static const char *const names[] = {"web", "stuck", "stone", NULL};
    g_autoptr(Service) s = service_with_guests(names);

    freeze(s, "stuck");
    freeze(s, "stone");
    for (unsigned i = 0; i < 3; i++) {
        g_autoptr(Call) call = send_all(s);
        g_autofree char *well = figures_of(s, call, "web");
        g_autofree char *stuck = figures_of(s, call, "stuck");
        g_autofree char *stone = figures_of(s, call, "stone");

        g_assert_true(has(well, "balloon.current"));
        /* While the first one finds out the others' may be late, too. */
        g_assert_true(i == 0 || has(well, "block.0.rd.bytes"));
        g_assert_true(has(stuck, "state.state"));
        g_assert_true(has(stuck, "net.count"));
        g_assert_true(has(stone, "state.state"));
        /* The first to ask finds out, a second for each; after that it is known. */
        g_assert_cmpint(call_duration_ms(call), <, i == 0 ? 8000 : 1500);
    }
    /* Those who ask for what needs no guest wait for none. */
    g_autoptr(Call) quick = manager_call(s, "GetStats", "asa{sv}", 1, "state", 0);
    assert_ok(quick);
    g_assert_cmpint(call_duration_ms(quick), <, 1500);

    thaw(s, "stuck");
    thaw(s, "stone");
    gint64 deadline = g_get_monotonic_time() + BOUND_MS * G_GINT64_CONSTANT(1000);
    for (;;) {
        g_autoptr(Call) call = send_all(s);
        g_autofree char *stuck = figures_of(s, call, "stuck");
        g_autofree char *stone = figures_of(s, call, "stone");

        if (has(stuck, "block.0.rd.bytes") && has(stone, "block.0.rd.bytes"))
            break;
        g_assert_cmpint(g_get_monotonic_time(), <, deadline);
    }
}

/* Many at once; and the service ends in good order while a question hangs. */
static void
test_many_callers(void)
{
    static const char *const names[] = {"web", "stuck", NULL};
    g_autoptr(Service) s = service_with_guests(names);
    g_autoptr(GPtrArray) calls =
        g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))call_free);

    freeze(s, "stuck");
    for (unsigned i = 0; i < 200; i++)
        g_ptr_array_add(calls, send_all(s));
    for (unsigned i = 0; i < calls->len; i++) {
        assert_ok((Call *)calls->pdata[i]);
        g_assert_cmpint(call_duration_ms(calls->pdata[i]), <, 10000);
    }
    g_ptr_array_set_size(calls, 0);
    service_free(g_steal_pointer(&s));
    thaw(NULL, "stuck");
}

/* --- Usage -------------------------------------------------------------------------------- */

typedef struct {
    unsigned n;
    char *last; /* the domains of the last tick */
} Ticks;

static int
on_usage(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Ticks *ticks = userdata;
    uint64_t timestamp;

    g_assert_cmpint(sd_bus_message_read(message, "t", &timestamp), >, 0);
    g_free(ticks->last);
    ticks->last = canonical_next(message);
    ticks->n++;
    return 0;
}

/* The figures of one domain in the last tick. */
static char *
usage_of(Service *s, const Ticks *ticks, const char *name)
{
    g_autofree char *path = guest_path(s->world, name);
    const char *found = ticks->last ? strstr(ticks->last, path) : NULL;

    return found ? g_strndup(found, strcspn(found, "}")) : g_strdup("");
}

static bool
usage_has(Service *s, const Ticks *ticks, const char *name, const char *words)
{
    g_autofree char *usage = usage_of(s, ticks, name);

    return strstr(usage, words) != NULL;
}

/* Rates of guests that run, also where libvirt would open the image, and without the disks of one
 * that hangs. */
static void
test_usage(void)
{
    static const char *const names[] = {"allocated", "sparse", NULL};
    static const char *const keys[] = {"\"cpu\": <", "\"disk_read\": <", "\"disk_write\": <",
                                       "\"stale\": <false>"};
    Ticks ticks = {0};
    sd_bus_slot *slot;
    g_autoptr(Service) s = NULL;

    run(NULL, "fallocate -l 8M /run/vms/allocated.img");
    s = service_with_guests(names);
    wait_for(s->world, has_capacity(s, "allocated") && has_capacity(s, "sparse"));
    g_assert_cmpint(sd_bus_match_signal(s->client->bus, &slot, NULL, VMS_ROOT_PATH,
                                        VMS_MANAGER_INTERFACE, "Usage", on_usage, &ticks),
                    >=, 0);
    g_autoptr(Call) call =
        manager_call(s, "SubscribeUsage", "ta{sv}", G_GUINT64_CONSTANT(1000000), 0);
    assert_ok(call);
    wait_for(s->world, ticks.n == 1);
    /* A tick leaves out what does not come in time. */
    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++)
        for (unsigned k = 0; names[k]; k++)
            wait_for(s->world, usage_has(s, &ticks, names[k], keys[i]));
    /* libvirt tells no memory of a domain that one of its own jobs occupies. */
    wait_for(s->world, usage_has(s, &ticks, "allocated", "\"memory_rss\": <"));
    wait_for(s->world, usage_has(s, &ticks, "sparse", "\"memory_rss\": <"));
    freeze(s, "allocated");
    wait_for(s->world, !usage_has(s, &ticks, "allocated", "\"disk_read\""));
    wait_for(s->world, usage_has(s, &ticks, "sparse", "\"disk_read\""));
    g_assert_false(usage_has(s, &ticks, "allocated", "\"disk_read\""));
    thaw(s, "allocated");
    sd_bus_slot_unref(slot);
    g_free(ticks.last);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    libvirtd_need();
    libvirtd_add_func("/libvirtd/stats/figures", test_figures);
    libvirtd_add_func("/libvirtd/stats/usage", test_usage);
    libvirtd_add_func("/libvirtd/stats/frozen", test_frozen);
    libvirtd_add_func("/libvirtd/stats/many-callers", test_many_callers);
    return g_test_run();
}
