/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Methods that change a real guest's devices, settings and snapshots: while it runs and while it is
 * off, where they are refused, with the text of hostile callers, and with a libvirtd that dies in
 * the middle.
 */

#include "libvirtd-guest.h"
#include "value.h"

#include <string.h>

#define MAC    "52:54:00:aa:bb:cc"
#define SECRET "sesam-42" /* VNC has no longer ones */

/* One call, its result and what has to be true afterwards. */
typedef struct Try {
    const char *method;    /* Interface.Method */
    const char *type;      /* of all arguments */
    const char *arguments; /* as GVariant writes them */
    const char *error;     /* NULL: it succeeds */
    const char *words;     /* in the error's message; NULL: any */
    const char *check;     /* a shell command that succeeds then; NULL: none */
} Try;

#define INVALID_ARGS     SD_BUS_ERROR_INVALID_ARGS
#define INVALID_STATE    VMS_ERROR_PREFIX "InvalidState"
#define OPERATION_FAILED VMS_ERROR_PREFIX "OperationFailed"
#define NOT_AVAILABLE    VMS_ERROR_PREFIX "NotAvailable"

/* Defines a guest with one of each device that the methods change. */
static void
define(World *w, const char *name)
{
    run(w,
        "qemu-img create -q -f qcow2 /run/vms/%s.qcow2 8M\n"
        "domain-xml --vcpus 2 --nic --disk /run/vms/%s.qcow2 --graphics %s bare |\n"
        "    sed -e \"s#<interface type='user'>#&<mac address='" MAC "'/>#\" \\\n"
        "        -e \"s#<graphics type='vnc'#& passwd='before'#\" \\\n"
        "        -e \"s# model='none'/>#/><disk type='file' device='cdrom'>"
        "<target dev='hdc' bus='ide'/></disk>#\" >/run/vms/%s.xml\n"
        "virsh -q define /run/vms/%s.xml",
        name, name, name, name, name);
}

static Guest *
begin(bool running)
{
    libvirtd_clean();
    Service *s = service_new("--uri=qemu:///system", "--log-level=debug", NULL);

    define(s->world, "web");
    if (running)
        guest_start(s->world, "web");
    Guest *g = guest_new(s, guest_path(s->world, "web"));
    guest_wait_state(g, running ? "running" : "shutoff");
    return g;
}

static Call *
send_try(Client *c, const char *path, const Try *t)
{
    const char *dot = strchr(t->method, '.');
    g_autofree char *interface =
        g_strdup_printf(VMS_BUS_NAME ".%.*s", (int)(dot - t->method), t->method);
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) arguments =
        g_variant_parse(G_VARIANT_TYPE(t->type), t->arguments, NULL, NULL, &error);
    sd_bus_message *m = client_message(c, path, interface, dot + 1);

    g_assert_no_error(error);
    g_assert_cmpint(value_append_body(m, arguments), ==, 0);
    return client_send_message(c, m);
}

/* A job's result is that of the call. */
static void
check_job(Service *s, Call *call, const Try *t)
{
    if (call->error_name || !g_str_has_prefix(call->body, VMS_JOB_PREFIX))
        return;
    g_autofree char *end = service_job_end(s, call);
    if ((strstr(end, " done ") != NULL) != !t->error || (t->words && !strstr(end, t->words)))
        g_error("%s: %s", t->arguments, end);
}

static void
try_one(Guest *g, const Try *t)
{
    g_autoptr(Call) call = send_try(g->service->client, g->path, t);

    call_wait(call);
    g_test_message("%s %s: %s", t->method, t->arguments,
                   call->error_name ? call->error_message : "done");
    if (!t->error)
        assert_ok(call);
    else if (call->error_name && t->words)
        assert_error_says(call, t->error, t->words);
    else if (call->error_name)
        assert_error(call, t->error);
    else
        g_assert_true(g_str_has_prefix(call->body, VMS_JOB_PREFIX));
    check_job(g->service, call, t);
    if (t->check)
        run(g->service->world, "%s", t->check);
}

static void
try_all(Guest *g, const Try *tries, size_t n)
{
    for (size_t i = 0; i < n; i++)
        try_one(g, &tries[i]);
}

#define LIVE       "{'live': <true>}"
#define CONFIG     "{'config': <true>}"
#define NOW(what)  "virsh dumpxml --security-info web | grep \"" what "\" >/dev/null"
#define NEXT(what) "virsh dumpxml --inactive --security-info web | grep \"" what "\" >/dev/null"
#define NOT(what)  "! " what

#define PINS(arguments)    "Config.SetCpuPins", "(a(us)a{sv})", arguments
#define BOOT(arguments)    "Config.SetBootOrder", "(asa{sv})", arguments
#define LINK(arguments)    "Config.SetLink", "(sba{sv})", arguments
#define ATTACH(arguments)  "Config.AttachHostDevice", "(sa{sv})", arguments
#define DETACH(arguments)  "Config.DetachHostDevice", "(sa{sv})", arguments
#define UPDATE(arguments)  "Config.UpdateDevice", "(sa{sv})", arguments
#define PASSWD(arguments)  "Display.SetPassword", "(usa{sv})", arguments
#define MEDIA(arguments)   "Storage.ChangeMedia", "(ssa{sv})", arguments
#define CREATE(arguments)  "Snapshots.Create", "(sa{sv})", arguments
#define REVERT(arguments)  "Snapshots.Revert", "(sa{sv})", arguments
#define DELETE(arguments)  "Snapshots.Delete", "(sa{sv})", arguments
#define MIGRATE(arguments) "Migration.Migrate", "(sa{sv})", arguments
#define TIME(arguments)    "Guest.SetTime", "(a{sv})", arguments

#define CDROM                                                                                      \
    "<disk type=\"file\" device=\"cdrom\"><source file=\"/run/vms/web.xml\"/>"                     \
    "<target dev=\"hdc\" bus=\"ide\"/></disk>"

/*
 * Kills libvirtd and starts it anew, once it waits for the QEMU of each of these domains, which was
 * stopped and then goes on.
 */
static void
kill_in_the_middle(World *w, const char *const *names)
{
    g_autofree char *all = g_strjoinv(" ", (char **)names);

    run(w,
        "for name in %s; do\n"
        "    until virsh domcontrol $name | grep -E 'occupied|job' >/dev/null; do sleep 0.02; "
        "done\n"
        "done\n"
        "libvirtd-ctl kill\n"
        "for name in %s; do kill -CONT $(libvirtd-ctl qemu-pid $name); done\n"
        "libvirtd-ctl start",
        all, all);
}

/* --- while it runs, and while it is off --------------------------------------------------- */

static void
test_running(void)
{
    static const Try tries[] = {
        {PINS("([(0, '0'), (1, '0-1,^1')], " CONFIG ")"), .check = NEXT("vcpu='1' cpuset='0'")},
        {PINS("([(0, '0'), (7, '0')], " CONFIG ")"), OPERATION_FAILED, "vCPU 7"},
        {BOOT("(['nic:" MAC "', 'disk:vda'], {})"), .check = NEXT("<boot order='1'/>")},
        {BOOT("(['hd'], " LIVE ")"), INVALID_ARGS, "runs"},
        {LINK("('" MAC "', false, {})"), .check =
                                             "virsh domif-getlink web " MAC
                                             " | grep down >/dev/null\n" NEXT("link state='down'")},
        {LINK("('" MAC "', true, " LIVE ")"),
         .check =
             "virsh domif-getlink web " MAC " | grep up >/dev/null\n" NEXT("link state='down'")},
        /* Two of the same make are told apart by their addresses. */
        {ATTACH("('1:4', " CONFIG ")"), .check = NEXT("bus='1' device='4'")},
        {ATTACH("('1:5', " CONFIG ")"), .check = NEXT("bus='1' device='5'")},
        {DETACH("('1:4', {})"), .check = NEXT("bus='1' device='5'")},
        {DETACH("('1:4', {})"), OPERATION_FAILED, "no host device 1:4"},
        {ATTACH("('0000:7f:1f.7', " CONFIG ")"), .check = NEXT("slot='0x1f' function='0x7'")},
        {DETACH("('0000:7F:1f.7', " CONFIG ")"), .check = NOT(NEXT("bus='0x7f'"))},
        /* libvirt finds no such device; neither configuration is changed. */
        {ATTACH("('120:99', {})"), OPERATION_FAILED, NULL, NOT(NEXT("bus='120'"))},
        {UPDATE("('" CDROM "', {'force': <true>, 'live': <true>})"), .check = NOW("web.xml")},
        {UPDATE("('<disk/>', {'force': <'yes'>})"), INVALID_ARGS, "force"},
        {PASSWD("(0, 'a&<b', {})"),
         .check = NOW("passwd='a&amp;&lt;b'") "\n" NEXT("passwd='a&amp;&lt;b'")},
        {PASSWD("(0, '" SECRET "', {'live': <true>, 'valid_for': <uint64 3600000000>})"),
         .check = NOW("passwd='" SECRET "'") "\n" NOW("passwdValidTo='20")},
        {PASSWD("(0, '', " LIVE ")"), .check = NOT(NOW(SECRET))},
        {PASSWD("(1, '" SECRET "', {})"), OPERATION_FAILED, "no graphics device 1"},
        {TIME("(@a{sv} {},)"), OPERATION_FAILED, "agent"},
        {CREATE("('q', {'disk_only': <true>, 'quiesce': <true>})"), OPERATION_FAILED, "agent"},
    };
    g_autoptr(Guest) g = begin(true);

    try_all(g, tries, G_N_ELEMENTS(tries));
}

static void
test_off(void)
{
    static const Try tries[] = {
        {PINS("([(1, '0')], {})"), .check = NEXT("vcpu='1' cpuset='0'")},
        {PINS("([(1, '0')], " LIVE ")"), INVALID_STATE, "not running"},
        {BOOT("(['disk:vda'], {})"), .check = NEXT("<boot order='1'/>")},
        {LINK("('" MAC "', false, {})"), .check = NEXT("link state='down'")},
        {LINK("('" MAC "', true, " LIVE ")"), INVALID_STATE, "not running"},
        {ATTACH("('1:4', {})"), .check = NEXT("bus='1' device='4'")},
        {ATTACH("('1:5', " LIVE ")"), INVALID_STATE, "not running"},
        {DETACH("('1:4', " LIVE ")"), INVALID_STATE, "not running"},
        {DETACH("('1:4', {})"), .check = NOT(NEXT("<hostdev"))},
        {UPDATE("('" CDROM "', {'force': <true>})"), .check = NEXT("web.xml")},
        {UPDATE("('" CDROM "', {'force': <true>, 'live': <true>})"), INVALID_STATE, "not running"},
        {PASSWD("(0, '" SECRET "', {})"), .check = NEXT("passwd='" SECRET "'")},
        {PASSWD("(0, '" SECRET "', " LIVE ")"), INVALID_STATE, "not running"},
        {TIME("(@a{sv} {},)"), INVALID_STATE, "not running"},
        {CREATE("('m', {'memory_file': <'/run/vms/m'>})"), OPERATION_FAILED, "",
         "! test -e /run/vms/m"},
        /* A guest that is off is at rest. */
        {CREATE("('q', {'disk_only': <true>, 'quiesce': <true>})")},
        {REVERT("('none', {'force': <true>})"), OPERATION_FAILED, "none"},
        {MIGRATE("('qemu+ext:///system?command=/bin/true', {})"), INVALID_ARGS},
    };
    g_autoptr(Guest) g = begin(false);

    try_all(g, tries, G_N_ELEMENTS(tries));
}

/* --- passwords ---------------------------------------------------------------------------- */

/* A screen that was started without a password gets one with the next start; and it is nowhere
 * to be read. */
static void
test_password(void)
{
    g_autoptr(Guest) g = begin(false);
    World *w = g->service->world;
    static const Try tries[] = {
        {PASSWD("(0, '" SECRET "', " LIVE ")"), OPERATION_FAILED},
        {PASSWD("(0, '" SECRET "', {})"), .check = NEXT("passwd='" SECRET "'")},
        {PASSWD("(0, '" SECRET "\\n', {})"), INVALID_ARGS, "character"},
        {PASSWD("(9, '" SECRET "', {})"), OPERATION_FAILED},
        {PASSWD("(0, '" SECRET "', {'live': <'" SECRET "'>})"), INVALID_ARGS},
    };

    run(w, "sed -i \"s# passwd='before'##\" /run/vms/web.xml; virsh -q define /run/vms/web.xml");
    guest_start(w, "web");
    guest_wait_state(g, "running");
    for (size_t i = 0; i < G_N_ELEMENTS(tries); i++) {
        g_autoptr(Call) call = send_try(g->service->client, g->path, &tries[i]);

        call_wait(call);
        g_assert_true(!call->error_message || !strstr(call->error_message, SECRET));
        try_one(g, &tries[i]);
    }
    g_autoptr(Call) stop = domain_call(g->service, g->path, "ForceStop", NULL);
    assert_ok(stop);
    guest_start(w, "web");
    guest_wait_state(g, "running");
    try_one(g, &(Try){PASSWD("(0, '" SECRET "', " LIVE ")")});

    g_autoptr(Call) all =
        client_call(g->service->client, VMS_ROOT_PATH, "org.freedesktop.DBus.ObjectManager",
                    "GetManagedObjects", NULL);
    g_autoptr(Call) xml = domain_call(g->service, g->path, "GetXml", "a{sv}", 0);
    g_autoptr(Call) debug =
        client_call(g->service->client, VMS_ROOT_PATH, VMS_DEBUG_INTERFACE, "GetState", NULL);
    g_autofree char *log = process_stderr(world_service(w));
    assert_ok(all);
    assert_ok(xml);
    assert_ok(debug);
    g_assert_null(strstr(all->body, SECRET));
    g_assert_null(strstr(xml->body, SECRET));
    g_assert_null(strstr(debug->body, SECRET));
    g_assert_nonnull(strstr(log, "SetPassword of \"web\" is done"));
    g_assert_null(strstr(log, SECRET));
    /* "[-]": the command does not find itself. */
    run(w, "! grep -l 'sesam[-]42' /proc/[0-9]*/cmdline 2>/dev/null");
}

/* --- snapshots ---------------------------------------------------------------------------- */

static void
assert_list(Guest *g, const char *words)
{
    g_autoptr(Call) list = snapshots_call(g->service, g->path, "List", NULL);

    assert_ok(list);
    if (!strstr(list->body, words))
        g_error("%s lacks %s", list->body, words);
}

static void
test_snapshots(void)
{
    static const Try tries[] = {
        {CREATE("('in', {})")},
        {CREATE("('one', {'disks': <['vdz']>, 'disk_only': <true>})"), OPERATION_FAILED, "vdz"},
        {CREATE("('one', {'disks': <['vdb']>, 'disk_only': <true>})"),
         .check = "virsh domblklist web | grep vdb.*/run/vms/b.one >/dev/null\n"
                  "virsh domblklist web | grep vda.*web.qcow2 >/dev/null"},
        {CREATE("('mem', {'memory_file': <'/run/vms/memory'>, 'disks': <['vda', 'vdb']>})"),
         .check = "test -s /run/vms/memory\n"
                  "virsh domblklist web | grep vda.*/run/vms/web.mem >/dev/null"},
        {CREATE("('rel', {'memory_file': <'memory'>})"), OPERATION_FAILED},
        {CREATE("('both', {'memory_file': <'/m'>, 'disk_only': <true>})"), INVALID_ARGS,
         "Only one"},
    };
    g_autoptr(Guest) g = begin(false);
    World *w = g->service->world;

    run(w, "qemu-img create -q -f qcow2 /run/vms/b.qcow2 8M\n"
           "virsh -q attach-disk web /run/vms/b.qcow2 vdb --subdriver qcow2 --config");
    guest_start(w, "web");
    guest_wait_state(g, "running");
    try_all(g, tries, G_N_ELEMENTS(tries));
    assert_list(g, "\"external\": <false>, \"memory\": <true>, \"name\": <\"in\">");
    assert_list(g, "\"external\": <true>, \"memory\": <false>, \"name\": <\"one\">");
    assert_list(g, "\"external\": <true>, \"memory\": <true>, \"name\": <\"mem\">");
    /* The virtual machine goes on. */
    g_assert_true(mirror_is(g->service->mirror, g->path, "State", "running"));
}

/* From a guest that runs to one that was off, and runs afterwards. */
static void
test_revert_force(void)
{
    static const Try tries[] = {
        {REVERT("('off', {'force': <true>})"), .check = "virsh domstate web | grep 'shut off'"},
        {REVERT("('off', {'force': <true>, 'running': <true>})"),
         .check = "virsh domstate web | grep running"},
        {REVERT("('off', {'paused': <true>, 'running': <true>})"), INVALID_ARGS, "Only one"},
    };
    g_autoptr(Guest) g = begin(false);

    try_one(g, &(Try){CREATE("('off', {})")});
    guest_start(g->service->world, "web");
    guest_wait_state(g, "running");
    try_all(g, tries, G_N_ELEMENTS(tries));
    g_assert_true(mirror_is(g->service->mirror, g->path, "State", "running"));
}

/* --- migration ---------------------------------------------------------------------------- */

/* Its disk goes with it, into a file that is there already; a libvirtd that dies meanwhile leaves
 * it where it is. */
static void
test_copy_storage(void)
{
    const Try move = {MIGRATE("('qemu+tcp://192.0.2.2/system', {'live': <true>, "
                              "'copy_storage': <true>, 'persist_destination': <true>})")};
    g_autoptr(Guest) g = begin(true);
    World *w = g->service->world;

    run(w, "libvirtd-peer start\n"
           "nsenter -m -r -t $(</mnt/vms-peer/pid) bash -c 'mkdir -p /run/vms\n"
           "    qemu-img create -q -f qcow2 /run/vms/web.qcow2 8M'");
    run(w, "kill -STOP $(libvirtd-ctl qemu-pid web)");
    g_autoptr(Call) lost = send_try(g->service->client, g->path, &move);
    assert_ok(lost);
    kill_in_the_middle(w, (const char *[]){"web", NULL});
    g_autofree char *end = service_job_end(g->service, lost);
    g_assert_true(g_str_has_prefix(end, "Migrate failed "));
    g_assert_true(mirror_is(g->service->mirror, g->path, "State", "running"));
    /* The other side learns it from the connection that breaks. */
    run(w,
        "until [[ -z $(virsh -c qemu+tcp://192.0.2.2/system list --name) ]]; do sleep 0.1; done");

    try_one(g, &move);
    g_autofree char *there =
        shell(w, "virsh -c qemu+tcp://192.0.2.2/system list --name --persistent");
    g_assert_cmpstr(there, ==, "web");
    g_assert_true(mirror_is(g->service->mirror, g->path, "State", "shutoff"));
    run(w, "libvirtd-peer stop");
}

/* --- hostile callers ---------------------------------------------------------------------- */

#define LONG "@LONG@" /* a path of 5,000 characters */

/* Nobody's words become XML, and what is refused changes nothing. */
static void
test_hostile(void)
{
    static const Try tries[] = {
        {PINS("([(0, '0\\n'), (1, '../1')], {})"), INVALID_ARGS},
        {PINS("([(0, '" LONG "')], {})"), INVALID_ARGS},
        {PINS("([(4294967295, '0')], {})"), OPERATION_FAILED},
        {BOOT("(['disk:vda', 'disk:vda'], {})"), INVALID_ARGS},
        {BOOT("(['disk:../vda'], {})"), OPERATION_FAILED},
        {BOOT("(['disk:\\'/><boot dev=\\'hd'], {})"), OPERATION_FAILED},
        {BOOT("(['" LONG "'], {})"), INVALID_ARGS},
        {LINK("('" MAC "\\n', true, {})"), OPERATION_FAILED, "no network interface"},
        {LINK("('\\'/><mac address=\\'" MAC "', true, {})"), OPERATION_FAILED},
        {LINK("('" LONG "', true, {})"), OPERATION_FAILED},
        {ATTACH("('1:4\\n', {})"), INVALID_ARGS, "neither PCI"},
        {ATTACH("('../../1:4', {})"), INVALID_ARGS, "neither PCI"},
        {ATTACH("('" LONG "', {})"), INVALID_ARGS, "neither PCI"},
        {ATTACH("('usb://1:4', {})"), INVALID_ARGS, "neither PCI"},
        {DETACH("('0000:01:00.0\\'/>', {})"), INVALID_ARGS, "neither PCI"},
        {UPDATE("('<disk><![CDATA[\\n', {'force': <true>})"), OPERATION_FAILED},
        {UPDATE("('<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/shadow\">]><disk/>', {})"),
         INVALID_ARGS, "DOCTYPE"},
        {UPDATE("('" LONG "', {'force': <true>})"), OPERATION_FAILED},
        {PASSWD("(0, 'a\\nb', {})"), INVALID_ARGS, "character"},
        {PASSWD("(4294967295, 'x', {})"), OPERATION_FAILED, "no graphics device"},
        {MEDIA("('hdc', '../../etc/shadow', {})"), INVALID_ARGS, "no absolute path"},
        {MEDIA("('hdc', 'gopher://attic/a.iso', {})"), INVALID_ARGS, "no absolute path"},
        {MEDIA("('hdc', '/a\\nb', {})"), INVALID_ARGS, "character"},
        {MEDIA("('hdc', '" LONG "', {'live': <true>})"), OPERATION_FAILED},
        {MEDIA("('\\'/><target dev=\\'hdc', '', {})"), OPERATION_FAILED, "no disk"},
        {CREATE("('../up', {})"), OPERATION_FAILED},
        {CREATE("('x', {'memory_file': <'../up'>})"), OPERATION_FAILED},
        {CREATE("('x', {'memory_file': <'" LONG "'>})"), OPERATION_FAILED},
        {CREATE("('x', {'memory_file': <'nbd://attic/x'>})"), OPERATION_FAILED},
        {CREATE("('x', {'disks': <['vda\\'/><disk name=\\'vda']>})"), OPERATION_FAILED},
        {REVERT("('../up\\n', {'force': <true>})"), OPERATION_FAILED},
        {DELETE("('" LONG "', {})"), OPERATION_FAILED},
        {MIGRATE("('gopher://attic/system', {'copy_storage': <true>})"), INVALID_ARGS},
        {MIGRATE("('qemu+ext://attic/system', {})"), INVALID_ARGS},
        {MIGRATE("('qemu+tcp://attic/system\\n', {})"), INVALID_ARGS},
    };
    g_autoptr(Guest) g = begin(true);
    g_autofree char *name = g_strnfill(4999, 'x');
    g_autofree char *before = shell(g->service->world, "virsh dumpxml --security-info web; "
                                                       "virsh dumpxml --inactive web; ls /run/vms");

    for (size_t i = 0; i < G_N_ELEMENTS(tries); i++) {
        g_auto(GStrv) parts = g_strsplit(tries[i].arguments, LONG, -1);
        g_autofree char *path = g_strconcat("/", name, NULL);
        g_autofree char *arguments = g_strjoinv(path, parts);
        Try t = tries[i];

        t.arguments = arguments;
        try_one(g, &t);
    }
    g_autofree char *after = shell(g->service->world, "virsh dumpxml --security-info web; "
                                                      "virsh dumpxml --inactive web; ls /run/vms");
    g_assert_cmpstr(before, ==, after);
}

/* --- libvirtd that is killed in the middle ------------------------------------------------ */

/* The name of the domain is that of the row: each has its own, so that none waits for another. */
typedef struct Killed {
    const char *name;
    const char *prepare; /* a shell command; NULL: none */
    Try call;            /* `check` is in the XML of the next start if it was done */
    bool removes;        /* or is not */
} Killed;

#define STICK                                                                                      \
    "<hostdev mode='subsystem' type='usb'><source><address bus='1' "                               \
    "device='4'/></source></hostdev>"

/* Each waits for a QEMU that stands still. */
static const Killed waiting[] = {
    {"link", NULL, {LINK("('" MAC "', false, {})"), .check = "link state='down'"}},
    {"password", NULL, {PASSWD("(0, '" SECRET "', {})"), .check = SECRET}},
    {"media", NULL, {MEDIA("('hdc', '/run/vms/web.xml', {})"), .check = "/run/vms/web.xml"}},
    {"update", NULL, {UPDATE("('" CDROM "', {'force': <true>})"), .check = "/run/vms/web.xml"}},
    {"memory", NULL, {CREATE("('m', {'memory_file': <'/run/vms/m'>})"), .check = "none"}},
    {"disks", NULL, {CREATE("('d', {'disk_only': <true>, 'disks': <['vda']>})"), .check = "none"}},
    {"revert",
     "virsh -q snapshot-create-as revert before",
     {REVERT("('before', {'force': <true>})"), .check = "none"}},
};

/* Each waits for a libvirtd that does. */
static const Killed unsent[] = {
    {"pins", NULL, {PINS("([(1, '0')], {})"), .check = "cpuset='0'"}},
    {"boot", NULL, {BOOT("(['disk:vda'], {})"), .check = "<boot order='1'/>"}},
    {"usb", NULL, {ATTACH("('1:4', {})"), .check = "bus='1' device='4'"}},
    {"unplug",
     "virsh -q attach-device unplug --config <(echo \"" STICK "\")",
     {DETACH("('1:4', {})"), .check = "bus='1' device='4'"},
     .removes = true},
};

static void
define_all(Guest *g, const Killed *rows, size_t n, bool running)
{
    World *w = g->service->world;

    for (size_t i = 0; i < n; i++) {
        define(w, rows[i].name);
        if (running)
            guest_start(w, rows[i].name);
        if (rows[i].prepare)
            run(w, "%s", rows[i].prepare);
        g_autofree char *path = guest_path(w, rows[i].name);
        wait_for(w, mirror_is(g->service->mirror, path, "State", running ? "running" : "shutoff"));
    }
}

static void
send_all(Guest *g, const Killed *rows, size_t n, GPtrArray *calls)
{
    for (size_t i = 0; i < n; i++) {
        g_autofree char *path = guest_path(g->service->world, rows[i].name);

        g_ptr_array_add(calls, send_try(g->service->client, path, &rows[i].call));
    }
}

/* Either it was done, or it is said that it was not, or that nobody knows. */
static void
assert_truth(Guest *g, const Killed *row, Call *call)
{
    call_wait(call);
    g_autofree char *done = shell(g->service->world,
                                  "virsh dumpxml --inactive --security-info %s | "
                                  "grep \"%s\" >/dev/null && echo %d || echo %d",
                                  row->name, row->call.check, !row->removes, row->removes);

    g_test_message("%s: %s", row->name, call->error_name ? call->error_message : call->body);
    g_assert_true(!call->error_message || !strstr(call->error_message, SECRET));
    if (!call->error_name && g_str_has_prefix(call->body, VMS_JOB_PREFIX)) {
        g_autofree char *end = service_job_end(g->service, call);
        g_assert_nonnull(strstr(end, " failed "));
    } else if (!call->error_name) {
        g_assert_cmpstr(done, ==, "1");
    } else if (g_str_equal(call->error_name, NOT_AVAILABLE)) {
        g_assert_cmpstr(done, ==, "0");
    } else {
        assert_error_says(call, OPERATION_FAILED, "it may have been carried out");
    }
}

static void
test_killed_waiting(void)
{
    g_autoptr(Guest) g = begin(false);
    World *w = g->service->world;
    g_autoptr(GPtrArray) calls = g_ptr_array_new_with_free_func((GDestroyNotify)call_free);
    const char *names[G_N_ELEMENTS(waiting) + 1] = {NULL};

    libvirtd_make_workers();
    define_all(g, waiting, G_N_ELEMENTS(waiting), true);
    for (size_t i = 0; i < G_N_ELEMENTS(waiting); i++) {
        names[i] = waiting[i].name;
        run(w, "kill -STOP $(libvirtd-ctl qemu-pid %s)", names[i]);
    }
    send_all(g, waiting, G_N_ELEMENTS(waiting), calls);
    kill_in_the_middle(w, names);
    for (size_t i = 0; i < calls->len; i++)
        assert_truth(g, &waiting[i], calls->pdata[i]);
    run(w, "[[ -z $(virsh snapshot-list --name memory)$(virsh snapshot-list --name disks) ]]");
}

static void
test_killed_unsent(void)
{
    g_autoptr(Guest) g = begin(false);
    World *w = g->service->world;
    g_autoptr(GPtrArray) calls = g_ptr_array_new_with_free_func((GDestroyNotify)call_free);

    define_all(g, unsent, G_N_ELEMENTS(unsent), false);
    libvirtd(w, "freeze");
    send_all(g, unsent, G_N_ELEMENTS(unsent), calls);
    /* Its answer comes after those calls were taken. */
    g_autoptr(Call) ping =
        client_call(g->service->client, VMS_ROOT_PATH, "org.freedesktop.DBus.Peer", "Ping", NULL);
    assert_ok(ping);
    libvirtd(w, "kill");
    libvirtd(w, "start");
    for (size_t i = 0; i < calls->len; i++)
        assert_truth(g, &unsent[i], calls->pdata[i]);
    client_wait_available(g->service->client, true);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    libvirtd_need();
    libvirtd_add_func("/libvirtd/methods/running", test_running);
    libvirtd_add_func("/libvirtd/methods/off", test_off);
    libvirtd_add_func("/libvirtd/methods/password", test_password);
    libvirtd_add_func("/libvirtd/methods/snapshots", test_snapshots);
    libvirtd_add_func("/libvirtd/methods/revert-force", test_revert_force);
    libvirtd_add_func("/libvirtd/methods/copy-storage", test_copy_storage);
    libvirtd_add_func("/libvirtd/methods/hostile", test_hostile);
    libvirtd_add_func("/libvirtd/methods/killed/waiting", test_killed_waiting);
    libvirtd_add_func("/libvirtd/methods/killed/unsent", test_killed_unsent);
    return g_test_run();
}
