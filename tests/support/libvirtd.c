/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libvirtd.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#define SCRIPT_BOUND_MS 120000

void
libvirtd_need(void)
{
    g_autofree char *control = g_find_program_in_path("libvirtd-ctl");

    if (control)
        return;
    g_printerr("skipped: this runs inside tests/support/libvirtd-env\n");
    exit(77);
}

static int
on_end(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    bool *ended = userdata;

    *ended = true;
    return sd_event_source_set_enabled(source, SD_EVENT_OFF);
}

/* Ends the test, with what libvirtd and all processes do instead. */
static void
fail_late(const char *script)
{
    const char *argv[] = {"libvirtd-ctl", "report", NULL};
    Process *p = process_spawn(argv, -1);

    (void)process_wait(p, SCRIPT_BOUND_MS);
    g_error("\"%s\" does not end within %d ms:\n%s", script, SCRIPT_BOUND_MS, process_stdout(p));
}

/* The loop turns while it runs, so that other calls go on. */
static void
await(World *w, Process *p, const char *script)
{
    gint64 deadline = g_get_monotonic_time() + SCRIPT_BOUND_MS * G_GINT64_CONSTANT(1000);
    sd_event_source *source;
    bool ended = false;
    int r = sd_event_add_io(world_event(w), &source, process_pidfd(p), EPOLLIN, on_end, &ended);

    g_assert_cmpint(r, >=, 0);
    while (!ended)
        if (!world_turn(w, deadline))
            fail_late(script);
    sd_event_source_unref(source);
}

static char *
shell_text(World *w, const char *script)
{
    const char *argv[] = {"bash", "-euc", "set -o pipefail; eval \"$1\"", "-", script, NULL};
    g_autoptr(Process) p = process_spawn(argv, -1);
    char *out;
    int status;

    if (w)
        await(w, p, script);
    status = process_wait(p, SCRIPT_BOUND_MS);
    if (status != 0) {
        g_autofree char *err = process_stderr(p);
        g_error("\"%s\" ended with status %d: %s", script, status, err);
    }
    out = process_stdout(p);
    return g_strchomp(out);
}

char *
shell(World *w, const char *format, ...)
{
    g_autofree char *script = NULL;
    va_list ap;

    va_start(ap, format);
    script = g_strdup_vprintf(format, ap);
    va_end(ap);
    return shell_text(w, script);
}

void
run(World *w, const char *format, ...)
{
    g_autofree char *script = NULL;
    g_autofree char *out = NULL;
    va_list ap;

    va_start(ap, format);
    script = g_strdup_vprintf(format, ap);
    va_end(ap);
    out = shell_text(w, script);
}

/* Not through libvirt: one that was killed may hold a domain locked for good. All processes that
 * can be seen are those of libvirtd-env. */
void
libvirtd_clean(void)
{
    run(NULL, "libvirtd-ctl kill 2>/dev/null || true\n" /* there is none, or it ends by itself */
              "[[ ! -e /mnt/vms-peer ]] || libvirtd-peer stop\n"
              "qemus=$(pidof qemu-system-x86_64) && kill -KILL $qemus || true\n"
              "rm -rf /run/libvirt/qemu /etc/libvirt/qemu /var/lib/libvirt/qemu\n"
              "libvirtd-ctl start");
}

void
libvirtd_wait_idle(World *w)
{
    run(w, "until virt-admin -q -c libvirtd:///system srv-threadpool-info libvirtd |\n"
           "    awk -F: '{ gsub(/ /, \"\", $1); is[$1] = $2 + 0 } END {\n"
           "        exit is[\"nWorkers\"] != is[\"freeWorkers\"] || is[\"jobQueueDepth\"] }'\n"
           "do\n"
           "    sleep 0.1\n"
           "done");
}

/* A call that comes to libvirtd before the thread for the one before has begun gets none of its
 * own: they begin at once, whatever else this machine does. */
void
libvirtd_slow_starts(void)
{
    run(NULL, "mkdir -p /etc/libvirt/hooks\n"
              "cat >/etc/libvirt/hooks/qemu <<'HOOK'\n"
              "#!/bin/sh\n"
              "case $1:$2 in\n"
              "slow*:prepare | held*:stopped)\n"
              "    touch /run/vms/hung.$1; while [ -e /run/vms/hang ]; do sleep 0.1; done ;;\n"
              "esac\n"
              "HOOK\n"
              "chmod +x /etc/libvirt/hooks/qemu\n"
              "rm -f /run/vms/hung.*\n"
              "touch /run/vms/hang\n"
              "libvirtd-ctl restart\n"
              "renice -n -20 -p $(libvirtd-ctl pid) >/dev/null");
}

void
libvirtd_make_workers(void)
{
    run(NULL, "virt-admin -q -c libvirtd:///system srv-threadpool-set libvirtd --min-workers 20");
}

void
libvirtd_slow_saves(void)
{
    run(NULL, "touch /run/vms/slow-saves\n"
              "grep -q gzip /etc/libvirt/qemu.conf || {\n"
              "    printf '%%s_image_format = \"gzip\"\\n' save snapshot >>/etc/libvirt/qemu.conf\n"
              "    libvirtd-ctl pid >/dev/null 2>&1 && libvirtd-ctl stop\n"
              "    libvirtd-ctl start\n"
              "}");
}

void
libvirtd_fast_saves(void)
{
    run(NULL, "rm -f /run/vms/slow-saves");
}

void
libvirtd(World *w, const char *verb)
{
    run(w, "libvirtd-ctl %s", verb);
}

void
guest_define(World *w, const char *options, const char *name, const char *mode)
{
    run(w, "virsh -q define <(domain-xml %s %s %s)", options, name, mode);
}

void
guest_create(World *w, const char *options, const char *name, const char *mode)
{
    run(w, "virsh -q create <(domain-xml %s %s %s)", options, name, mode);
}

void
guest_start(World *w, const char *name)
{
    run(w, "virsh -q start %s", name);
}

void
guest_wait(World *w, const char *name, const char *text)
{
    run(w, "libvirtd-ctl wait-console %s '%s'", name, text);
}

char *
guest_path(World *w, const char *name)
{
    g_autofree char *uuid =
        shell(w, "domain-xml %s bare | sed -n 's:.*<uuid>\\(.*\\)</uuid>:\\1:p'", name);

    return domain_path(uuid);
}

static const char *
state_of_virsh(const char *text)
{
    static const char *const states[][2] = {
        {"no state", "nostate"}, {"running", "running"},         {"idle", "idle"},
        {"paused", "paused"},    {"in shutdown", "shutdown"},    {"shut off", "shutoff"},
        {"crashed", "crashed"},  {"pmsuspended", "pmsuspended"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(states); i++)
        if (g_str_equal(states[i][0], text))
            return states[i][1];
    g_error("virsh says \"%s\"", text);
}

/* Appends the domain as ListDomains writes it, and looks for it in the mirror. */
static void
compare_domain(Service *s, GString *list, const char *uuid, const char *name, const char *state)
{
    g_autofree char *path = domain_path(uuid);

    if (!mirror_is(s->mirror, path, "State", state) || !mirror_is(s->mirror, path, "Name", name))
        g_error("virsh says %s is %s, the signals say %s is %s", name, state,
                mirror_get(s->mirror, path, VMS_DOMAIN_INTERFACE, "Name"),
                mirror_get(s->mirror, path, VMS_DOMAIN_INTERFACE, "State"));
    g_string_append_printf(list, "%s(\"%s\", \"%s\", \"%s\", \"%s\")", list->len > 1 ? ", " : "",
                           uuid, name, state, path);
}

/* A guest is asked at its own times. */
static guint
count_news(const Mirror *m, guint64 mark)
{
    guint n = 0;

    for (guint i = 0; i < m->signals->len; i++) {
        const Signal *signal = m->signals->pdata[i];

        n += signal->sequence > mark && !(g_str_equal(signal->member, "PropertiesChanged") &&
                                          g_str_has_prefix(signal->body, VMS_GUEST_INTERFACE " "));
    }
    return n;
}

void
assert_equals_virsh(Service *s)
{
    g_autofree char *text =
        shell(s->world, "virsh list --all --name | sed '/^$/d' | LC_ALL=C sort |"
                        " while read -r name; do\n"
                        "    echo \"$(virsh domuuid \"$name\")|$name|"
                        "$(virsh domstate \"$name\")\"\n"
                        "done | sed '/^$/d'");
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autoptr(GString) list = g_string_new("[");
    guint64 mark;

    for (char **line = lines; *line && **line; line++) {
        g_auto(GStrv) words = g_strsplit(*line, "|", 3);
        g_assert_cmpuint(g_strv_length(words), ==, 3);
        compare_domain(s, list, words[0], words[1], state_of_virsh(words[2]));
    }
    g_string_append(list, "]");

    mark = mirror_mark(s->mirror);
    g_autoptr(Call) call = manager_call(s, "ListDomains", NULL);
    assert_ok(call);
    g_assert_cmpstr(call->body, ==, list->str);
    g_assert_cmpuint(count_news(s->mirror, mark), ==, 0);
    mirror_check(s->mirror);
}
