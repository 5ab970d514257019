/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "floor.h"

#include "measure.h"

#include <libvirt/virterror.h>
#include <stdlib.h>

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

int
floor_list(Floor *floor)
{
    virDomainStatsRecordPtr *records = NULL;
    int n = virConnectGetAllDomainStats(floor->conn, VIR_DOMAIN_STATS_STATE, &records, 0);

    if (n < 0)
        fail("virConnectGetAllDomainStats");
    virDomainStatsRecordListFree(records);
    return n;
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

void
floor_flags(Floor *floor)
{
    list_filtered(floor, VIR_CONNECT_LIST_DOMAINS_TRANSIENT);
    list_filtered(floor, VIR_CONNECT_LIST_DOMAINS_AUTOSTART);
}

void
floor_xml(Floor *floor)
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

/* What a dashboard's machines look like: a disk, a network card, a picture and metadata. */
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
    if (virConnectDomainEventRegisterAny(floor->conn, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                         VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle), NULL, NULL) < 0)
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
