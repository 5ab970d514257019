/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device-edit.h"

#include "domain-xml-hostdev.h"
#include "units.h"
#include "xml.h"

#include <libxml/uri.h>
#include <stdio.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlURI, xmlFreeURI)

/* --- finding devices ---------------------------------------------------------------------- */

xmlNode *
device_edit_devices(xmlDoc *domain)
{
    return (xmlNode *)xml_child(xmlDocGetRootElement(domain), "devices");
}

/* The first device of this kind with this attribute of this child. */
static xmlNode *
find_device(xmlDoc *domain, const char *kind, const char *child, const char *attribute,
            const char *value)
{
    const xmlNode *devices = device_edit_devices(domain);

    for (xmlNode *node = devices ? devices->children : NULL; node; node = node->next) {
        if (!xml_is_element(node, kind))
            continue;
        g_autofree char *text = xml_child_attribute(node, child, attribute);
        if (*text && g_ascii_strcasecmp(text, value) == 0)
            return node;
    }
    return NULL;
}

xmlNode *
device_edit_disk(xmlDoc *domain, const char *target)
{
    return find_device(domain, "disk", "target", "dev", target);
}

xmlNode *
device_edit_nic(xmlDoc *domain, const char *mac)
{
    return find_device(domain, "interface", "mac", "address", mac);
}

static xmlDoc *
parse_domain(const char *xml, Error **error)
{
    xmlDoc *domain = xml_parse(xml, "domain");

    if (!domain)
        *error = error_new(ERROR_OPERATION_FAILED, "libvirt's XML of the domain cannot be read");
    return domain;
}

/* --- making XML --------------------------------------------------------------------------- */

/* Whether XML can hold the text. It is checked here, since libvirt's error about XML that it cannot
 * read quotes that XML, passwords included. */
static bool
is_xml_text(const char *text)
{
    if (!g_utf8_validate(text, -1, NULL))
        return false;
    for (; *text; text = g_utf8_next_char(text)) {
        gunichar c = g_utf8_get_char(text);

        if (c < 0x20 || c == 0x7f || (c & 0xfffe) == 0xfffe)
            return false;
    }
    return true;
}

static bool
check_text(const char *what, const char *text, Error **error)
{
    if (is_xml_text(text))
        return true;
    *error = error_new(ERROR_INVALID_ARGS, "The %s has a character that XML cannot hold", what);
    return false;
}

static void
set(xmlNode *node, const char *attribute, const char *value)
{
    xmlSetProp(node, BAD_CAST attribute, BAD_CAST value);
}

static void
remove_attribute(xmlNode *node, const char *attribute)
{
    xmlUnsetProp(node, BAD_CAST attribute);
}

static xmlNode *
add(xmlNode *parent, const char *name)
{
    return xmlNewChild(parent, NULL, BAD_CAST name, NULL);
}

static void
remove_children(xmlNode *parent, const char *name)
{
    for (xmlNode *next, *node = parent->children; node; node = next) {
        next = node->next;
        if (!xml_is_element(node, name))
            continue;
        xmlUnlinkNode(node);
        xmlFreeNode(node);
    }
}

static char *
to_text(xmlNode *node)
{
    xmlBuffer *buffer = xmlBufferCreate();

    xmlNodeDump(buffer, node->doc, node, 0, 0);
    char *text = g_strdup((const char *)xmlBufferContent(buffer));
    xmlBufferFree(buffer);
    return text;
}

/* A device of its own document. */
static xmlDoc *
new_device(const char *kind)
{
    xmlDoc *doc = xmlNewDoc(BAD_CAST "1.0");

    xmlDocSetRootElement(doc, xmlNewDocNode(doc, NULL, BAD_CAST kind, NULL));
    return doc;
}

/* --- media -------------------------------------------------------------------------------- */

static void
set_path(xmlNode *disk, const char *path)
{
    bool is_device = g_str_has_prefix(path, "/dev/");

    set(disk, "type", is_device ? "block" : "file");
    set(add(disk, "source"), is_device ? "dev" : "file", path);
}

static void
set_url(xmlNode *disk, const xmlURI *url)
{
    xmlNode *source = add(disk, "source");
    xmlNode *host = add(source, "host");
    const char *path = url->path ? url->path : "";

    set(disk, "type", "network");
    set(source, "protocol", url->scheme);
    set(source, "name", *path == '/' ? path + 1 : path);
    if (url->query_raw)
        set(source, "query", url->query_raw);
    set(host, "name", url->server);
    if (url->port > 0) {
        char port[16];

        (void)snprintf(port, sizeof port, "%d", url->port);
        set(host, "port", port);
    }
}

static bool
is_media_url(const xmlURI *url)
{
    static const char *const schemes[] = {"http", "https", "ftp", "ftps", "tftp", NULL};

    return url->scheme && g_strv_contains(schemes, url->scheme) && url->server && *url->server &&
           !url->user;
}

static bool
set_volume(xmlNode *disk, const char *name)
{
    const char *slash = strchr(name, '/');

    if (!slash || slash == name || slash[1] == '\0' || strpbrk(slash + 1, "/") || strchr(name, ':'))
        return false;

    g_autofree char *pool = g_strndup(name, (gsize)(slash - name));
    xmlNode *source = add(disk, "source");
    set(disk, "type", "volume");
    set(source, "pool", pool);
    set(source, "volume", slash + 1);
    return true;
}

static bool
set_media(xmlNode *disk, const char *text, Error **error)
{
    g_autoptr(xmlURI) url = strstr(text, "://") ? xmlParseURI(text) : NULL;

    remove_children(disk, "source");
    remove_children(disk, "backingStore");
    if (*text == '\0')
        return true;
    if (*text == '/')
        set_path(disk, text);
    else if (url && is_media_url(url))
        set_url(disk, url);
    else if (!set_volume(disk, text)) {
        *error =
            error_new(ERROR_INVALID_ARGS, "The medium is no absolute path, POOL/VOLUME or URL of "
                                          "http, https, ftp, ftps or tftp");
        return false;
    }
    return true;
}

char *
device_edit_media(const char *xml, const char *target, const char *source, Error **error)
{
    g_autoptr(xmlDoc) domain = NULL;

    if (!check_text("medium", source, error) || !(domain = parse_domain(xml, error)))
        return NULL;

    xmlNode *disk = device_edit_disk(domain, target);
    g_autofree char *device = xml_attribute(disk, "device");
    if (!g_str_equal(device, "cdrom") && !g_str_equal(device, "floppy")) {
        *error = error_new(ERROR_OPERATION_FAILED,
                           disk ? "The disk \"%s\" has no removable media"
                                : "The domain has no disk \"%s\"",
                           target);
        return NULL;
    }
    return set_media(disk, source, error) ? to_text(disk) : NULL;
}

char *
device_edit_copy(const char *destination, const char *format, Error **error)
{
    if (!check_text("destination", destination, error) || !check_text("format", format, error))
        return NULL;
    if (*destination != '/') {
        *error = error_new(ERROR_INVALID_ARGS, "The destination has to be an absolute path");
        return NULL;
    }

    g_autoptr(xmlDoc) doc = new_device("disk");
    xmlNode *disk = xmlDocGetRootElement(doc);
    set_path(disk, destination);
    if (*format)
        set(add(disk, "driver"), "type", format);
    return to_text(disk);
}

/* --- links -------------------------------------------------------------------------------- */

char *
device_edit_link(const char *xml, const char *mac, bool up, Error **error)
{
    g_autoptr(xmlDoc) domain = parse_domain(xml, error);

    if (!domain)
        return NULL;

    xmlNode *nic = device_edit_nic(domain, mac);
    if (!nic) {
        *error = error_new(ERROR_OPERATION_FAILED, "The domain has no network interface %s", mac);
        return NULL;
    }
    remove_children(nic, "link");
    set(add(nic, "link"), "state", up ? "up" : "down");
    return to_text(nic);
}

/* --- passwords ---------------------------------------------------------------------------- */

static xmlNode *
find_graphics(xmlDoc *domain, unsigned index)
{
    const xmlNode *devices = device_edit_devices(domain);

    for (xmlNode *node = devices ? devices->children : NULL; node; node = node->next)
        if (xml_is_element(node, "graphics") && index-- == 0)
            return node;
    return NULL;
}

char *
device_edit_password(const char *xml, unsigned index, const char *password, uint64_t until,
                     bool *ret_had_one, Error **error)
{
    g_autoptr(xmlDoc) domain = NULL;

    if (!check_text("password", password, error) || !(domain = parse_domain(xml, error)))
        return NULL;

    xmlNode *graphics = find_graphics(domain, index);
    if (!graphics) {
        *error = error_new(ERROR_OPERATION_FAILED, "The domain has no graphics device %u", index);
        return NULL;
    }
    *ret_had_one = xmlHasProp(graphics, BAD_CAST "passwd") != NULL;
    set(graphics, "passwd", password);
    remove_attribute(graphics, "passwdValidTo");
    if (until > 0) {
        g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc((gint64)(until / SEC));
        g_autofree char *text = date ? g_date_time_format(date, "%Y-%m-%dT%H:%M:%S") : NULL;

        /* Later than there are dates is never. */
        if (text)
            set(graphics, "passwdValidTo", text);
    }
    return to_text(graphics);
}

/* --- host devices ------------------------------------------------------------------------- */

/* The parts of an address: the attributes of libvirt's <address> that are named below, in order. */
typedef struct {
    bool is_pci;
    unsigned parts[4];
} HostAddress;

static const char *const pci_names[] = {"domain", "bus", "slot", "function"};
static const char *const usb_names[] = {"bus", "device"};

static bool
read_address(const char *text, HostAddress *ret, Error **error)
{
    unsigned *p = ret->parts;
    int end = 0;

    /* sscanf() would take signs and blanks, too. */
    if (strspn(text, "0123456789abcdefABCDEF:.") != strlen(text))
        text = "";
    /* The widths keep the numbers in range. */
    /* NOLINTBEGIN(cert-err34-c) */
    if (sscanf(text, "%4x:%2x:%2x.%1x%n", &p[0], &p[1], &p[2], &p[3], &end) == 4 &&
        strlen(text) == strlen("0000:00:00.0") && text[end] == '\0') {
        ret->is_pci = true;
        return true;
    }
    end = 0;
    if (g_ascii_isdigit(text[0]) && sscanf(text, "%3u:%3u%n", &p[0], &p[1], &end) == 2 &&
        text[end] == '\0') {
        ret->is_pci = false;
        return true;
    }
    /* NOLINTEND(cert-err34-c) */
    *error = error_new(ERROR_INVALID_ARGS,
                       "The address is neither PCI (0000:01:00.0) nor USB (BUS:DEVICE)");
    return false;
}

static bool
is_at(const xmlNode *device, const void *host_address)
{
    const HostAddress *address = host_address;
    const xmlNode *node = xml_child(xml_child(device, "source"), "address");
    const char *const *names = address->is_pci ? pci_names : usb_names;
    unsigned n = address->is_pci ? G_N_ELEMENTS(pci_names) : G_N_ELEMENTS(usb_names);
    g_autofree char *type = xml_attribute(device, "type");

    if (!node || !g_str_equal(type, address->is_pci ? "pci" : "usb"))
        return false;
    for (unsigned i = 0; i < n; i++) {
        g_autofree char *text = xml_attribute(node, names[i]);

        if (g_ascii_strtoull(text, NULL, 0) != address->parts[i])
            return false;
    }
    return true;
}

static bool
is_named(const xmlNode *device, const void *name)
{
    g_auto(RowBuilder) builder = {NULL};
    Row row;

    domain_xml_read_host_device(device, &builder);
    Rows rows = row_builder_rows(&builder);
    if (!rows_take(&rows, &row))
        return false;
    g_autofree char *own = domain_xml_host_device_name(row);
    return g_str_equal(own, name);
}

static xmlNode *
find_host_device(xmlDoc *domain, bool (*is_it)(const xmlNode *device, const void *key),
                 const void *key)
{
    const xmlNode *devices = device_edit_devices(domain);

    for (xmlNode *node = devices ? devices->children : NULL; node; node = node->next)
        if (xml_is_element(node, "hostdev") && is_it(node, key))
            return node;
    return NULL;
}

xmlNode *
device_edit_host_device(xmlDoc *domain, const char *name)
{
    g_autoptr(Error) ignored = NULL;
    HostAddress address;
    xmlNode *device =
        read_address(name, &address, &ignored) ? find_host_device(domain, is_at, &address) : NULL;

    return device ? device : find_host_device(domain, is_named, name);
}

xmlNode *
device_edit_host_device_of_model(xmlDoc *domain, const xmlNode *device)
{
    g_auto(RowBuilder) builder = {NULL};
    Row row;

    domain_xml_read_host_device(device, &builder);
    Rows rows = row_builder_rows(&builder);
    if (!rows_take(&rows, &row))
        return NULL;
    g_autofree char *model =
        g_strconcat(row_text(row, ROW_VENDOR), ":", row_text(row, ROW_PRODUCT), NULL);
    return find_host_device(domain, is_named, model);
}

char *
device_edit_new_host_device(const char *text, Error **error)
{
    HostAddress address;

    if (!read_address(text, &address, error))
        return NULL;

    g_autoptr(xmlDoc) doc = new_device("hostdev");
    xmlNode *device = xmlDocGetRootElement(doc);
    xmlNode *node = add(add(device, "source"), "address");
    const char *const *names = address.is_pci ? pci_names : usb_names;
    unsigned n = address.is_pci ? G_N_ELEMENTS(pci_names) : G_N_ELEMENTS(usb_names);
    set(device, "mode", "subsystem");
    set(device, "type", address.is_pci ? "pci" : "usb");
    set(device, "managed", "yes");
    for (unsigned i = 0; i < n; i++) {
        char number[16];

        (void)snprintf(number, sizeof number, address.is_pci ? "0x%x" : "%u", address.parts[i]);
        set(node, names[i], number);
    }
    return to_text(device);
}

char *
device_edit_find_host_device(const char *xml, const char *text, Error **error)
{
    g_autoptr(xmlDoc) domain = NULL;
    HostAddress address;

    if (!read_address(text, &address, error) || !(domain = parse_domain(xml, error)))
        return NULL;

    xmlNode *device = find_host_device(domain, is_at, &address);
    if (!device) {
        *error = error_new(ERROR_OPERATION_FAILED, "The domain has no host device %s", text);
        return NULL;
    }
    return to_text(device);
}
