/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmsctl xml */
#include "command.h"
#include "document.h"
#include "flags.h"

static gboolean want_inactive, want_secure;

static const GOptionEntry options[] = {
    {"inactive", 0, 0, G_OPTION_ARG_NONE, &want_inactive, "Print the XML of the next start", NULL},
    {"secure", 0, 0, G_OPTION_ARG_NONE, &want_secure, "Include passwords", NULL},
    {NULL},
};

static ExitStatus
run(Client *client, const Command *command, char **arguments)
{
    static const Flag flags[] = {{"inactive", &want_inactive}, {"secure", &want_secure}, {NULL}};
    g_autoptr(GVariantBuilder) builder = flags_build(flags);
    g_autoptr(GError) error = NULL;
    g_autofree char *path = client_find_vm(client, arguments[0], &error);
    /* Only the passwords need an authorisation. */
    g_autoptr(GVariant) reply = path ? (want_secure ? client_change : client_read)(
                                           client, path, VMS_DOMAIN_INTERFACE, "GetXml",
                                           g_variant_new("(a{sv})", builder), &error)
                                     : NULL;
    const char *xml;

    if (!reply)
        return failure_report(arguments[0], error);
    g_variant_get(reply, "(&s)", &xml);
    document_print(xml);
    return EXIT_OK;
}

const Command command_xml = {run, options, NULL};
