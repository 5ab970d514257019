/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "floor.h"

#include "measure.h"

#include <libvirt/virterror.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
    GMutex lock;
    int expected;
    double time;
} watched;

static void
fail(const char *what)
{
    virErrorPtr last = virGetLastError();

    g_error("%s: %s", what, last ? last->message : "libvirt says nothing");
}

static void
ignore_error(void *userdata, virErrorPtr error)
{
}

static gpointer
run_events(gpointer userdata)
{
    for (;;)
        if (virEventRunDefaultImpl() < 0)
            fail("libvirt's event loop");
    return NULL;
}

void
floor_start_events(void)
{
    if (virInitialize() < 0 || virEventRegisterDefaultImpl() < 0)
        fail("libvirt");
    virSetErrorFunc(NULL, ignore_error);
    g_thread_unref(g_thread_new("events", run_events, NULL));
}

void
floor_open(Floor *floor, const char *uri)
{
    floor->conn = virConnectOpen(uri);
    if (!floor->conn)
        fail(uri);
}

void
floor_close(Floor *floor)
{
    virConnectClose(floor->conn);
    floor->conn = NULL;
}

/* Name, UUID and state of all domains: one round trip. */
static void
list_states(Floor *floor)
{
    virDomainStatsRecordPtr *records = NULL;
    int n = virConnectGetAllDomainStats(floor->conn, VIR_DOMAIN_STATS_STATE, &records, 0);

    if (n < 0)
        fail("virConnectGetAllDomainStats");
    virDomainStatsRecordListFree(records);
}

static void
list_filtered(Floor *floor, unsigned filter)
{
    virDomainPtr *doms = NULL;
    int n = virConnectListAllDomains(floor->conn, &doms, filter);

    if (n < 0)
        fail("virConnectListAllDomains");
    for (int i = 0; i < n; i++)
        virDomainFree(doms[i]);
    free(doms);
}

/* And persistent, autostart, managed save, snapshots: one more round trip for each. */
static void
list_flags(Floor *floor)
{
    list_filtered(floor, VIR_CONNECT_LIST_DOMAINS_TRANSIENT);
    list_filtered(floor, VIR_CONNECT_LIST_DOMAINS_AUTOSTART);
    list_filtered(floor, VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE);
    list_filtered(floor, VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT);
}

/* The XML of each domain. */
static void
read_xml(Floor *floor)
{
    virDomainPtr *doms = NULL;
    int n = virConnectListAllDomains(floor->conn, &doms, 0);

    if (n < 0)
        fail("virConnectListAllDomains");
    for (int i = 0; i < n; i++) {
        char *xml = virDomainGetXMLDesc(doms[i], 0);

        if (!xml)
            fail("virDomainGetXMLDesc");
        free(xml);
        virDomainFree(doms[i]);
    }
    free(doms);
}

void
floor_look(Floor *floor, virDomainPtr dom)
{
    int state;

    if (virDomainGetState(dom, &state, NULL, 0) < 0)
        fail("virDomainGetState");
}

/* --- the bare program --------------------------------------------------------------------- */

typedef struct {
    bool connect;
    char uri[256];
} Question;

static FloorTimes
measure(Floor *floor)
{
    FloorTimes times;
    double begin = now_ms();

    list_states(floor);
    times.names = now_ms() - begin;
    list_flags(floor);
    times.bulk = now_ms() - begin;
    return times;
}

static FloorTimes
measure_connect(const char *uri)
{
    Floor floor;
    FloorTimes times;
    double begin = now_ms();

    floor_open(&floor, uri);
    double opened = now_ms() - begin;
    times = measure(&floor);
    times.names += opened;
    times.bulk += opened;
    read_xml(&floor);
    times.all = now_ms() - begin;
    floor_close(&floor);
    return times;
}

/* In a process that has never talked to libvirt, as the service is one. */
static FloorTimes
measure_first_connect(const char *uri)
{
    FloorTimes times = {0};
    int fds[2];

    if (pipe(fds) < 0)
        g_error("pipe: %m");
    pid_t pid = fork();
    if (pid == 0) {
        if (virInitialize() < 0)
            fail("libvirt");
        times = measure_connect(uri);
        _exit(write(fds[1], &times, sizeof times) != sizeof times);
    }
    if (pid < 0 || read(fds[0], &times, sizeof times) != sizeof times)
        g_error("connecting failed");
    (void)waitpid(pid, NULL, 0);
    close(fds[0]);
    close(fds[1]);
    return times;
}

static FloorTimes
measure_list(Floor *floor, const char *uri)
{
    unsigned long version;

    /* Without an event loop the end of a connection is noticed only by a call on it. */
    if (floor->conn && virConnectGetLibVersion(floor->conn, &version) < 0)
        floor_close(floor);
    if (!floor->conn)
        floor_open(floor, uri);
    return measure(floor);
}

static G_GNUC_NORETURN void
serve(int fd)
{
    Floor floor = {NULL};
    Question question;

    (void)signal(SIGPIPE, SIG_IGN); /* libvirtd may have gone */
    virSetErrorFunc(NULL, ignore_error);
    while (read(fd, &question, sizeof question) == sizeof question) {
        FloorTimes times = question.connect ? measure_first_connect(question.uri)
                                            : measure_list(&floor, question.uri);

        if (write(fd, &times, sizeof times) != sizeof times)
            break;
    }
    _exit(0);
}

int
floor_fork(void)
{
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
        g_error("socketpair: %m");
    pid_t pid = fork();
    if (pid < 0)
        g_error("fork: %m");
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(fds[0]);
        serve(fds[1]);
    }
    close(fds[1]);
    return fds[0];
}

FloorTimes
floor_ask(int fd, const char *uri, bool connect)
{
    Question question = {.connect = connect};
    FloorTimes times;

    g_strlcpy(question.uri, uri, sizeof question.uri);
    if (write(fd, &question, sizeof question) != sizeof question ||
        read(fd, &times, sizeof times) != sizeof times)
        g_error("the floor has ended");
    return times;
}

/* A domain as dashboards define them: a disk, a network card, graphics and metadata. */
static const char domain_xml[] =
    "<domain type='qemu'>"
    "<name>machine-%05u</name>"
    "<uuid>00000000-0000-4000-8000-%012x</uuid>"
    "<title>Machine number %u</title>"
    "<description>One of many, to be measured with</description>"
    "<metadata><vmtemplate xmlns='http://unraid' name='Debian' icon='debian.png' os='debian'/>"
    "</metadata>"
    "<memory unit='MiB'>16</memory><vcpu>1</vcpu>"
    "<os><type arch='x86_64' machine='pc'>hvm</type></os>"
    "<features><acpi/></features>"
    "<devices>"
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/>"
    "<source file='/var/lib/libvirt/images/%u.img'/><target dev='vda' bus='virtio'/></disk>"
    "<interface type='user'><model type='virtio'/></interface>"
    "<graphics type='vnc' autoport='yes' listen='127.0.0.1'/>"
    "<video><model type='vga'/></video>"
    "</devices></domain>";

void
floor_define(Floor *floor, unsigned i)
{
    g_autofree char *xml = g_strdup_printf(domain_xml, i, i, i, i);
    virDomainPtr dom = virDomainDefineXML(floor->conn, xml);

    if (!dom)
        fail("virDomainDefineXML");
    virDomainFree(dom);
}

/* --- events ------------------------------------------------------------------------------- */

static int
on_lifecycle(virConnectPtr conn, virDomainPtr dom, int event, int detail, void *userdata)
{
    double now = now_ms();

    g_mutex_lock(&watched.lock);
    if (event == watched.expected && watched.time == 0)
        watched.time = now;
    g_mutex_unlock(&watched.lock);
    return 0;
}

void
floor_watch(Floor *floor)
{
    /* libvirt calls it with the event's own arguments; see src/hypervisor/hypervisor-events.c. */
    virConnectDomainEventGenericCallback callback =
        (virConnectDomainEventGenericCallback)(void (*)(void))on_lifecycle;

    if (virConnectDomainEventRegisterAny(floor->conn, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE, callback,
                                         NULL, NULL) < 0)
        fail("virConnectDomainEventRegisterAny");
}

void
floor_expect(int event)
{
    g_mutex_lock(&watched.lock);
    watched.expected = event;
    watched.time = 0;
    g_mutex_unlock(&watched.lock);
}

double
floor_event_time(void)
{
    g_mutex_lock(&watched.lock);
    double time = watched.time;
    g_mutex_unlock(&watched.lock);
    return time;
}
