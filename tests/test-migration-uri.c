/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The rule about where a domain may be migrated to: each transport and each parameter. */

#include "libvirt-uri.h"

#include <glib.h>
#include <string.h>

static void
test_accepted(void)
{
    static const char *const uris[] = {
        "qemu+tls://other/system",
        "qemu+TLS://other/system",
        "qemu://other/system",
        "qemu+tcp://192.0.2.7:16509/system",
        "qemu+tcp://[2001:db8::7]/system",
        "qemu+ssh://root@[2001:db8::7]:22/system",
        "qemu+tcp://[fe80::1%25eth0]/system",
        "qemu+ssh://root@other.example:22/system",
        "qemu+unix:///system",
        "qemu+unix:///system?socket=/run/other/libvirt-sock",
        "qemu+ssh://other/system?socket=/run/libvirt/libvirt-sock&mode=direct&no_tty=1",
        "qemu+ssh://other/system?no_verify=1",
        "qemu+tls://other/system?no_verify=1&no_sanity=1",
        "qemu+tls://other/system?tls_priority=NORMAL:-VERS-TLS1.0",
        "qemu+unix:///system?&socket=/a;mode=auto",
        "xen+ssh://other",
        "test+tcp://other/default",
    };

    for (guint i = 0; i < G_N_ELEMENTS(uris); i++) {
        g_autofree char *refusal = migration_uri_refuse(uris[i]);
        if (refusal)
            g_error("%s: %s", uris[i], refusal);
    }
}

static void
assert_refused(const char *uri, const char *words)
{
    g_autofree char *refusal = migration_uri_refuse(uri);

    if (!refusal)
        g_error("%s is accepted", uri);
    if (!strstr(refusal, words))
        g_error("%s is refused, but \"%s\" does not say \"%s\"", uri, refusal, words);
}

static void
test_transports(void)
{
    static const char *const transports[] = {
        "ext", "EXT", "libssh", "libssh2", "exec", "http", "", "ssh+ext", "tcp ", "native",
    };

    for (guint i = 0; i < G_N_ELEMENTS(transports); i++) {
        g_autofree char *uri = g_strdup_printf("qemu+%s://other/system", transports[i]);
        g_autofree char *refusal = migration_uri_refuse(uri);

        if (!refusal)
            g_error("%s is accepted", uri);
    }
    assert_refused("qemu+ext:///system?command=/bin/sh", "\"ext\"");
    assert_refused("qemu+libssh://other/system", "\"libssh\"");
    assert_refused("qemu:///system", "no transport");
    assert_refused("test:///default", "no transport");
    assert_refused("test:///etc/passwd", "no transport");
}

static void
test_parameters(void)
{
    /* Those of libvirt that name a program, a key, a proxy, a file or another URI; and more. */
    static const char *const names[] = {
        "command",
        "netcat",
        "keyfile",
        "proxy",
        "pkipath",
        "auth",
        "known_hosts",
        "sshauth",
        "authfile",
        "name",
        "known_hosts_verify",
        "privkey",
        "root",
        "transport",
        "unknown",
        "Command",
        "COMMAND",
        "Socket",
        "com%6dand",
        "%63ommand",
        "%6eetcat",
        "command%00",
        "socket%00",
        "socket%",
        "",
        "no_verify%20",
    };
    static const char *const servers[][2] = {
        {"ssh", "other"}, {"tls", "other"}, {"tcp", "other"}, {"unix", ""}};

    for (guint s = 0; s < G_N_ELEMENTS(servers); s++)
        for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
            g_autofree char *uri = g_strdup_printf("qemu+%s://%s/system?%s=/bin/sh", servers[s][0],
                                                   servers[s][1], names[i]);
            g_autofree char *bare = g_strdup_printf("qemu+%s://%s/system?%s&x=y", servers[s][0],
                                                    servers[s][1], names[i]);
            assert_refused(uri, "");
            assert_refused(bare, "");
        }
    /* Wherever it stands. */
    assert_refused("qemu+ssh://other/system?no_tty=1&command=/bin/sh", "\"command\"");
    assert_refused("qemu+ssh://other/system?no_tty=1;command=/bin/sh", "\"command\"");
    assert_refused("qemu+ssh://other/system?no_tty=1&&netcat=/bin/sh", "\"netcat\"");
    assert_refused("qemu+ssh://other/system?socket=/a;netcat=/bin/sh&mode=auto", "\"netcat\"");
    assert_refused("qemu+ssh://other/system?%6eetcat=/bin/sh", "\"netcat\"");
}

/* What is harmless with one transport means nothing, or something else, with another. */
static void
test_parameters_of_others(void)
{
    static const struct {
        const char *name;
        const char *transports;
    } parameters[] = {
        {"socket", "ssh unix"},   {"mode", "ssh unix"}, {"no_tty", "ssh"},
        {"no_verify", "ssh tls"}, {"no_sanity", "tls"}, {"tls_priority", "tls"},
    };
    static const char *const servers[][2] = {
        {"ssh", "other"}, {"tls", "other"}, {"tcp", "other"}, {"unix", ""}};

    for (guint s = 0; s < G_N_ELEMENTS(servers); s++)
        for (guint i = 0; i < G_N_ELEMENTS(parameters); i++) {
            g_autofree char *uri = g_strdup_printf("qemu+%s://%s/system?%s=1", servers[s][0],
                                                   servers[s][1], parameters[i].name);
            g_autofree char *words = g_strconcat("transport ", servers[s][0], NULL);
            g_autofree char *refusal = migration_uri_refuse(uri);

            if (!strstr(parameters[i].transports, servers[s][0]))
                assert_refused(uri, words);
            else if (refusal)
                g_error("%s: %s", uri, refusal);
        }
}

static void
test_shape(void)
{
    assert_refused("", "");
    assert_refused("other", "");
    assert_refused("/etc/passwd", "");
    assert_refused("://other", "");
    assert_refused("+ssh://other/system", "");
    assert_refused("qemu+ssh:other", "");
    assert_refused("qemu+ssh://", "needs a server");
    assert_refused("qemu+ssh:///system", "needs a server");
    assert_refused("qemu+tls:///system", "needs a server");
    assert_refused("qemu+tcp:///system", "needs a server");
    assert_refused("qemu+unix://other/system", "needs no server");
    assert_refused("qemu+ssh://other/system#fragment", "");
    assert_refused("qemu+ssh://-oProxyCommand=id/system", "");
    assert_refused("qemu+ssh://-oProxyCommand%3Did/system", "");
    assert_refused("qemu+ssh://-oProxyCommand=id@other/system", "");
    assert_refused("qemu+ssh://%2doProxyCommand=id@other/system", "");
    assert_refused("qemu+ssh://a%20b/system", "");
    assert_refused("qemu+ssh://a%0ab@other/system", "");
    assert_refused("qemu+ssh://other/system\nx", "");
    assert_refused("qemu+ssh://[-oProxyCommand=id:]/system", "brackets");
    assert_refused("qemu+ssh://[%2doProxyCommand=id:]/system", "brackets");
    assert_refused("qemu+tcp://[]/system", "");
    assert_refused("qemu+ssh://a%00b/system", "");
    assert_refused("qemu+ssh://%00x@other/system", "");
    assert_refused("qemu+unix://%00/session", "");
    assert_refused("qemu+unix://user@/session", "");
    assert_refused("esx://other/", "driver");
    assert_refused("hyperv://other/", "driver");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/migration-uri/accepted", test_accepted);
    g_test_add_func("/migration-uri/transports", test_transports);
    g_test_add_func("/migration-uri/parameters", test_parameters);
    g_test_add_func("/migration-uri/parameters-of-others", test_parameters_of_others);
    g_test_add_func("/migration-uri/shape", test_shape);
    return g_test_run();
}
