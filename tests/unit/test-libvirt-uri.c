/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libvirt's URIs: where they lead, what is secret in them, and to which a domain may be migrated.
 */

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
        g_autofree char *refusal = libvirt_uri_refuse_destination(uris[i]);
        if (refusal)
            g_error("%s: %s", uris[i], refusal);
    }
}

static void
assert_refused(const char *uri, const char *words)
{
    g_autofree char *refusal = libvirt_uri_refuse_destination(uri);

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
        g_autofree char *refusal = libvirt_uri_refuse_destination(uri);

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

/* A parameter that is harmless with one transport may mean something else with another. */
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
            g_autofree char *refusal = libvirt_uri_refuse_destination(uri);

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

static void
test_sockets(void)
{
    static const struct {
        const char *uri;
        const char *sockets; /* joined by spaces */
    } cases[] = {
        {"qemu:///system", "/run/libvirt/virtqemud-sock /run/libvirt/libvirt-sock"},
        {"qemu+unix:///system", "/run/libvirt/virtqemud-sock /run/libvirt/libvirt-sock"},
        {"xen:///system", "/run/libvirt/virtxend-sock /run/libvirt/libvirt-sock"},
        {"qemu:///system?mode=direct", "/run/libvirt/virtqemud-sock"},
        {"qemu:///system?mode=legacy", "/run/libvirt/libvirt-sock"},
        {"qemu:///system?socket=/x/y", "/x/y"},
        {"qemu+unix:///system?mode=direct&socket=/x%20y/%26z", "/x y/&z"},
        {"test+unix:///default?socket=/x/y", "/x/y"},
        {"test+unix:///default", "/run/libvirt/virttestd-sock /run/libvirt/libvirt-sock"},
        {"test:///default", ""},
        {"qemu:///embed?root=/x", ""},
        {"qemu://host/system", ""},
        {"qemu+ssh://root@host/system?socket=/x/y", ""},
        {"qemu+tcp:///system", ""},
        {"esx://host/", ""},
        {"qemu:///system?socket=relative", ""},
        {"an-alias", ""},
        {"", ""},
        {NULL, ""},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) sockets = libvirt_uri_sockets(cases[i].uri, "/run/user/7");
        g_autofree char *joined = g_strjoinv(" ", sockets);

        g_assert_cmpstr(joined, ==, cases[i].sockets);
    }
}

static void
test_session_sockets(void)
{
    g_auto(GStrv) sockets = libvirt_uri_sockets("qemu:///session", "/run/user/7");

    g_assert_cmpuint(g_strv_length(sockets), ==, 2);
    g_assert_cmpstr(sockets[0], ==, "/run/user/7/libvirt/virtqemud-sock");
}

static void
test_places(void)
{
    static const struct {
        const char *uri;
        LibvirtUriPlace place;
        const char *driver;
    } cases[] = {
        {"test:///default", LIBVIRT_URI_IN_PROCESS, "test"},
        {"test:///nonexistent/node.xml", LIBVIRT_URI_IN_PROCESS, "test"},
        {"TEST:///default", LIBVIRT_URI_IN_PROCESS, "test"},
        {"test+unix:///default?socket=/x", LIBVIRT_URI_LOCAL, "test"},
        {"test+tcp://host/default", LIBVIRT_URI_REMOTE, "test"},
        {"esx://host/", LIBVIRT_URI_IN_PROCESS, "esx"},
        {"qemu:///embed?root=/x", LIBVIRT_URI_IN_PROCESS, "qemu"},
        {"qemu:///system", LIBVIRT_URI_LOCAL, "qemu"},
        {"qemu+unix:///system", LIBVIRT_URI_LOCAL, "qemu"},
        {"qemu://host/system", LIBVIRT_URI_REMOTE, "qemu"},
        {"qemu+ssh://root@host/system", LIBVIRT_URI_REMOTE, "qemu"},
        {"qemu+ext:///system?command=/x", LIBVIRT_URI_REMOTE, "qemu"},
        {"an-alias", LIBVIRT_URI_LOCAL, ""},
        {"", LIBVIRT_URI_LOCAL, ""},
        {NULL, LIBVIRT_URI_LOCAL, ""},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *driver = libvirt_uri_driver(cases[i].uri);

        g_assert_cmpint(libvirt_uri_place(cases[i].uri), ==, cases[i].place);
        g_assert_cmpstr(driver, ==, cases[i].driver);
    }
}

static void
test_pid_files(void)
{
    static const struct {
        const char *uri;
        const char *name;
        const char *file;
    } cases[] = {
        {"qemu:///system", "web", "/run/libvirt/qemu/web.pid"},
        {"qemu+unix:///system?socket=/x", "a b", "/run/libvirt/qemu/a b.pid"},
        {"qemu:///session", "web", "/run/user/7/libvirt/qemu/run/web.pid"},
        {"qemu:///system", "../x", NULL},
        {"qemu://host/system", "web", NULL},
        {"qemu+ssh://host/system", "web", NULL},
        {"qemu:///embed?root=/x", "web", NULL},
        {"xen:///system", "web", NULL},
        {"test:///default", "web", NULL},
        {"an-alias", "web", NULL},
        {NULL, "web", NULL},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *file =
            libvirt_uri_domain_pid_file(cases[i].uri, "/run/user/7", cases[i].name);

        g_assert_cmpstr(file, ==, cases[i].file);
    }
}

static void
test_passwords(void)
{
    static const struct {
        const char *text;
        const char *shown;
    } cases[] = {
        {"qemu+ssh://root:secret@host/system", "qemu+ssh://root@host/system"},
        {"qemu+ssh://root:se:c@ret@host:22/system", "qemu+ssh://root@host:22/system"},
        {"qemu+ssh://:secret@[::1]:22/system", "qemu+ssh://@[::1]:22/system"},
        {"qemu+ssh://root@host:22/a:b@c", "qemu+ssh://root@host:22/a:b@c"},
        {"qemu+tcp://host:16509/system?x=a:b@c", "qemu+tcp://host:16509/system?x=a:b@c"},
        {"cannot open 'a://u:p@h' and b://u:p'q@h/: x:y@z",
         "cannot open 'a://u@h' and b://u@h/: x:y@z"},
        {"a://u:p@h", "a://u@h"},
        {"a://", "a://"},
        {"://:@", "://@"},
        {"no URI: a:b@c", "no URI: a:b@c"},
        {"", ""},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *shown = libvirt_uri_hide_passwords(cases[i].text);

        g_assert_cmpstr(shown, ==, cases[i].shown);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/libvirt-uri/destination-accepted", test_accepted);
    g_test_add_func("/libvirt-uri/destination-transports", test_transports);
    g_test_add_func("/libvirt-uri/destination-parameters", test_parameters);
    g_test_add_func("/libvirt-uri/destination-parameters-of-others", test_parameters_of_others);
    g_test_add_func("/libvirt-uri/destination-shape", test_shape);
    g_test_add_func("/libvirt-uri/sockets", test_sockets);
    g_test_add_func("/libvirt-uri/session-sockets", test_session_sockets);
    g_test_add_func("/libvirt-uri/places", test_places);
    g_test_add_func("/libvirt-uri/pid-files", test_pid_files);
    g_test_add_func("/libvirt-uri/passwords", test_passwords);
    return g_test_run();
}
