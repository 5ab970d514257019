/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain-edit.h"

#include "device-edit.h"
#include "domain-settings.h"
#include "xml.h"

#include <stdio.h>
#include <string.h>

static char *
to_text(xmlDoc *doc)
{
    xmlChar *text = NULL;
    int size;

    xmlDocDumpMemory(doc, &text, &size);
    char *copy = g_strdup((const char *)text);
    xmlFree(text);
    return copy;
}

/* --- boot order --------------------------------------------------------------------------- */

static void
remove_boot(xmlNode *parent)
{
    for (xmlNode *next, *node = parent ? parent->children : NULL; node; node = next) {
        next = node->next;
        if (!xml_is_element(node, "boot"))
            continue;
        xmlUnlinkNode(node);
        xmlFreeNode(node);
    }
}

static void
add_boot(xmlNode *parent, const char *attribute, const char *value)
{
    xmlNode *boot = xmlNewChild(parent, NULL, BAD_CAST "boot", NULL);

    xmlNewProp(boot, BAD_CAST attribute, BAD_CAST value);
}

static bool
is_word(const char *entry)
{
    static const char *const words[] = {"hd", "cdrom", "network", "fd", NULL};

    return g_strv_contains(words, entry);
}

#define HOST_DEVICE "hostdev:"

static const struct {
    const char *prefix;
    xmlNode *(*find)(xmlDoc *domain, const char *name);
} kinds[] = {
    {"disk:", device_edit_disk},
    {"nic:", device_edit_nic},
    {HOST_DEVICE, device_edit_host_device},
};

static bool
is_device(const char *entry)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (g_str_has_prefix(entry, kinds[i].prefix))
            return true;
    return false;
}

static bool
check_order(const char *const *order, Error **error)
{
    bool words = *order && is_word(*order);

    for (unsigned i = 0; order[i]; i++) {
        if (!is_word(order[i]) && !is_device(order[i])) {
            *error = error_new(ERROR_INVALID_ARGS, "\"%s\" is nothing to boot from", order[i]);
            return false;
        }
        if (is_word(order[i]) != words) {
            *error = error_new(ERROR_INVALID_ARGS,
                               "A boot order has either devices or libvirt's words, not both");
            return false;
        }
        if (g_strv_contains(order + i + 1, order[i])) {
            *error = error_new(ERROR_INVALID_ARGS, "\"%s\" is in the boot order twice", order[i]);
            return false;
        }
    }
    return true;
}

/* libvirt has given a device that is configured without an address the one that it has now. */
static xmlNode *
find_by_running(xmlDoc *domain, xmlDoc *running, const char *entry)
{
    const xmlNode *device = running && g_str_has_prefix(entry, HOST_DEVICE)
                                ? device_edit_host_device(running, entry + strlen(HOST_DEVICE))
                                : NULL;

    return device ? device_edit_host_device_of_model(domain, device) : NULL;
}

static xmlNode *
find_device(xmlDoc *domain, xmlDoc *running, const char *entry, Error **error)
{
    xmlNode *device = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (g_str_has_prefix(entry, kinds[i].prefix))
            device = kinds[i].find(domain, entry + strlen(kinds[i].prefix));
    if (!device)
        device = find_by_running(domain, running, entry);
    if (!device)
        *error = error_new(ERROR_OPERATION_FAILED, "The domain has no device \"%s\"", entry);
    return device;
}

static bool
add_order(xmlDoc *domain, xmlDoc *running, xmlNode *os, const char *const *order, Error **error)
{
    for (unsigned i = 0; order[i]; i++) {
        char number[16];

        if (is_word(order[i])) {
            add_boot(os, "dev", order[i]);
            continue;
        }
        xmlNode *device = find_device(domain, running, order[i], error);
        if (!device)
            return false;
        if (xml_child(device, "boot")) {
            *error = error_new(ERROR_INVALID_ARGS, "The device \"%s\" is named twice", order[i]);
            return false;
        }
        (void)snprintf(number, sizeof number, "%u", i + 1);
        add_boot(device, "order", number);
    }
    return true;
}

char *
domain_edit_boot_order(const char *xml, const char *running_xml, const char *const *order,
                       Error **error)
{
    if (!check_order(order, error))
        return NULL;

    g_autoptr(xmlDoc) domain = xml_parse(xml, "domain");
    g_autoptr(xmlDoc) running = running_xml ? xml_parse(running_xml, "domain") : NULL;
    xmlNode *os = domain ? (xmlNode *)xml_child(xmlDocGetRootElement(domain), "os") : NULL;
    const xmlNode *devices = domain ? device_edit_devices(domain) : NULL;
    if (!os || !devices) {
        *error = error_new(ERROR_OPERATION_FAILED, "The domain has no boot order");
        return NULL;
    }

    remove_boot(os);
    for (xmlNode *device = devices->children; device; device = device->next)
        remove_boot(device);
    return add_order(domain, running, os, order, error) ? to_text(domain) : NULL;
}

/* --- our own settings --------------------------------------------------------------------- */

/* libvirt hands the element out without its namespace, and puts that in when it is given back. */
char *
domain_edit_settings(const char *element, uint64_t stop_timeout_usec)
{
    g_autoptr(xmlDoc) doc = xml_parse(element ? element : "<settings/>", NULL);
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, stop_timeout_usec);

    if (!doc)
        doc = xml_parse("<settings/>", NULL);
    xmlNode *root = xmlDocGetRootElement(doc);
    if (stop_timeout_usec > 0)
        xmlSetProp(root, BAD_CAST DOMAIN_SETTINGS_STOP_TIMEOUT, BAD_CAST number);
    else
        xmlUnsetProp(root, BAD_CAST DOMAIN_SETTINGS_STOP_TIMEOUT);
    if (!root->properties && !root->children)
        return NULL;

    xmlBuffer *buffer = xmlBufferCreate();
    xmlNodeDump(buffer, doc, root, 0, 0);
    char *text = g_strdup((const char *)xmlBufferContent(buffer));
    xmlBufferFree(buffer);
    return text;
}
