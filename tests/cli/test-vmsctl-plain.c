/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The parts of vmsctl that need no bus: JSON, text, progress, failures, values of messages. */

#include "json.h"
#include "progress.h"
#include "terminal-text.h"
#include "text.h"
#include "value.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void
assert_json(const char *variant, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) value = g_variant_parse(NULL, variant, NULL, NULL, &error);

    g_assert_no_error(error);
    g_autofree char *json = json_format(value);
    g_assert_cmpstr(json, ==, expected);
}

static void
test_json(void)
{
    assert_json("true", "true");
    assert_json("uint64 18446744073709551615", "18446744073709551615");
    assert_json("int64 -9223372036854775808", "-9223372036854775808");
    assert_json("0.1", "0.10000000000000001");
    assert_json("inf", "null");
    assert_json("'a\"b\\\\c\\n\\t\\u0001\\u007fü'", "\"a\\\"b\\\\c\\n\\t\\u0001\\u007fü\"");
    assert_json("'\\u009b \\u202e \\U000e0041 \\U0001f427'",
                "\"\\u009b \\u202e \\udb40\\udc41 \U0001f427\"");
    assert_json("<<('x', byte 0x05)>>", "[\"x\",5]");
    assert_json("@as []", "[]");
    assert_json("@a{sv} {}", "{}");
    assert_json("{'b': <1>, 'a': <{'x': ['y', 'z']}>}", "{\"b\":1,\"a\":{\"x\":[\"y\",\"z\"]}}");
    assert_json("{uint32 1: 'x'}", "[[1,\"x\"]]");
    assert_json("{objectpath '/a': {'s': {'v': <'w'>}}}", "{\"/a\":{\"s\":{\"v\":\"w\"}}}");
}

static void
assert_escape(const char *text, const char *expected)
{
    g_autofree char *safe = terminal_text_escape(text);

    g_assert_cmpstr(safe, ==, expected);
}

static void
test_escape(void)
{
    g_autofree char *lines = terminal_text_escape_lines("<a>\n\t<b/>\r\033[2J\n\u202e</a>");

    assert_escape("a\033[31mb\n\t\xc2\x9b"
                  "2J",
                  "a\\x1b[31mb\\x0a\\x09\\x9b2J");
    assert_escape("x\xff\xc3", "x\\xff\\xc3");
    /* Marks, embeddings, overrides and isolates change the direction of what follows. */
    assert_escape("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e",
                  "\\u200e\\u200f\\u061c\\u202a\\u202b\\u202c\\u202d\\u202e");
    assert_escape("\u2066\u2067\u2068\u2069", "\\u2066\\u2067\\u2068\\u2069");
    /* Other lines, and what cannot be seen. */
    assert_escape("\u2028\u2029\u200b\ufeff\U000e0041", "\\u2028\\u2029\\u200b\\ufeff\\U000e0041");
    assert_escape("größer → 漢字 🐧 \u0645\u06cc\u200c\u062e",
                  "größer → 漢字 🐧 \u0645\u06cc\u200c\u062e");
    g_assert_cmpstr(lines, ==, "<a>\n\t<b/>\\x0d\\x1b[2J\n\\u202e</a>");
}

static void
test_width(void)
{
    g_autofree char *half = terminal_text_cut("漢字", 3);

    g_assert_cmpint(terminal_text_width("größer"), ==, 6);
    g_assert_cmpint(terminal_text_width("漢字"), ==, 4);
    g_assert_cmpint(terminal_text_width("e\u0301"), ==, 1);
    g_assert_cmpstr(half, ==, "漢");
}

static void
test_time(void)
{
    static const struct {
        const char *text;
        guint64 usec;
    } good[] = {{"10", 10000000},    {"0", 0},           {"1.5", 1500000}, {"500ms", 500000},
                {"2min", 120000000}, {"1h", 3600000000}, {"90s", 90000000}};
    static const char *const bad[] = {"", "x", "-1", "1 day", "1e400", "nan", "0x", "99999999999h"};
    guint64 usec;

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_assert_true(text_parse_time(good[i].text, &usec, NULL));
        g_assert_cmpuint(usec, ==, good[i].usec);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(text_parse_time(bad[i], &usec, NULL));
}

static void
test_size(void)
{
    guint64 bytes;
    g_autoptr(GError) error = NULL;

    g_assert_true(text_parse_size("512", &bytes, NULL));
    g_assert_cmpuint(bytes, ==, 512u << 20);
    g_assert_true(text_parse_size("1.5g", &bytes, NULL));
    g_assert_cmpuint(bytes, ==, 1536u << 20);
    g_assert_true(text_parse_size("4GiB", &bytes, NULL));
    g_assert_cmpuint(bytes, ==, G_GUINT64_CONSTANT(4) << 30);
    g_assert_false(text_parse_size("4X", &bytes, &error));
    g_assert_error(error, VMSCTL_ERROR, EXIT_USAGE);
}

static void
test_format_size(void)
{
    static const struct {
        guint64 bytes;
        const char *text;
    } sizes[] = {{0, "0B"},           {1023, "1023B"},
                 {1024, "1K"},        {(1 << 20) - 1, "1M"},
                 {512 << 20, "512M"}, {G_GUINT64_CONSTANT(3) << 29, "1.5G"},
                 {G_MAXUINT64, "16E"}};

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *text = text_format_size(sizes[i].bytes);

        g_assert_cmpstr(text, ==, sizes[i].text);
    }
}

static void
test_ago(void)
{
    guint64 now = (guint64)g_get_real_time();
    g_autofree char *just = text_format_ago(now);
    g_autofree char *future = text_format_ago(now + 5000000);
    g_autofree char *minutes = text_format_ago(now - 190 * G_USEC_PER_SEC);
    g_autofree char *days = text_format_ago(now - (guint64)90000 * G_USEC_PER_SEC);

    g_assert_cmpstr(just, ==, "now");
    g_assert_cmpstr(future, ==, "now");
    g_assert_cmpstr(minutes, ==, "3min 10s ago");
    g_assert_cmpstr(days, ==, "1d 1h ago");
}

static void
assert_progress(double done, gint64 elapsed_usec, int columns, const char *expected)
{
    g_autofree char *line =
        progress_format(done, elapsed_usec, "Stop \u6f22\u5b57\033[2J", columns);

    g_assert_cmpstr(line, ==, expected);
}

static void
test_progress(void)
{
    assert_progress(0.5, 7000000, 80,
                    "[==============>               ]  50%    7 s  Stop \u6f22\u5b57\\x1b[2J");
    assert_progress(-1, 0, 80,
                    "[<=>                           ]         0 s  Stop \u6f22\u5b57\\x1b[2J");
    assert_progress(1, 0, 53, "[==============================] 100%    0 s  Stop \u6f22");
    assert_progress(7, 0, 54, "[==============================] 100%    0 s  Stop \u6f22");
    assert_progress(0, 0, 10, "[         ");
}

/* A service that dies during a call is not available; it is not a time-out. */
static void
test_failures(void)
{
    static const struct {
        const char *name;
        ExitStatus status;
    } failures[] = {{SD_BUS_ERROR_NO_REPLY, EXIT_NOT_AVAILABLE},
                    {SD_BUS_ERROR_TIMEOUT, EXIT_TIMEOUT},
                    {"System.Error.ENOTCONN", EXIT_NOT_AVAILABLE},
                    {SD_BUS_ERROR_DISCONNECTED, EXIT_NOT_AVAILABLE},
                    {"org.example.Error", EXIT_FAILED}};

    for (size_t i = 0; i < G_N_ELEMENTS(failures); i++) {
        g_autoptr(GError) error = NULL;

        failure_from_bus(&error, &SD_BUS_ERROR_MAKE_CONST(failures[i].name, "why"), -EIO,
                         "org.example", "Do");
        g_assert_error(error, VMSCTL_ERROR, (int)failures[i].status);
        g_assert_nonnull(strstr(error->message, "why"));
    }
}

/* Through a message and back. */
static void
test_values(void)
{
    static const char *const values[] = {
        "()",
        "('x', objectpath '/a', signature 'a{sv}')",
        "(true, byte 0x01, int16 -2, uint16 3, -4, uint32 5, int64 -6, uint64 7, 0.5)",
        "({'a': <1>, 'b': <['x', 'y']>, 'c': <@a{sv} {}>},)",
        "(@a(ssst) [('vda', 'virtio', '/x', 7)], @au [])",
        "([{'deep': <<<('v', [(1, 2)])>>>}],)",
    };
    sd_bus *bus = NULL;
    int ends[2];

    /* A message needs a bus that was started; nobody is at the other end. */
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
    g_assert_cmpint(sd_bus_new(&bus), >=, 0);
    g_assert_cmpint(sd_bus_set_fd(bus, ends[0], ends[0]), >=, 0);
    g_assert_cmpint(sd_bus_start(bus), >=, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GVariant) value = g_variant_parse(NULL, values[i], NULL, NULL, &error);
        sd_bus_message *message = NULL;
        int r;

        g_assert_no_error(error);
        g_assert_cmpint(sd_bus_message_new(bus, &message, SD_BUS_MESSAGE_SIGNAL), >=, 0);
        g_assert_cmpint(value_append_body(message, value), ==, 0);
        g_assert_cmpint(sd_bus_message_seal(message, 1, 0), >=, 0);
        g_assert_cmpint(sd_bus_message_rewind(message, 1), >=, 0);
        g_autoptr(GVariant) back = g_variant_ref_sink(value_read_body(message, &r));
        g_assert_cmpint(r, ==, 0);
        g_assert_cmpvariant(back, value);
        sd_bus_message_unref(message);
    }
    sd_bus_close_unref(bus);
    close(ends[1]);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vmsctl-plain/json", test_json);
    g_test_add_func("/vmsctl-plain/escape", test_escape);
    g_test_add_func("/vmsctl-plain/width", test_width);
    g_test_add_func("/vmsctl-plain/time", test_time);
    g_test_add_func("/vmsctl-plain/size", test_size);
    g_test_add_func("/vmsctl-plain/format-size", test_format_size);
    g_test_add_func("/vmsctl-plain/ago", test_ago);
    g_test_add_func("/vmsctl-plain/progress", test_progress);
    g_test_add_func("/vmsctl-plain/failures", test_failures);
    g_test_add_func("/vmsctl-plain/values", test_values);
    return g_test_run();
}
