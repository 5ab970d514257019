/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Bodies written by hand, as sd-bus reads them at the other end of a connection. */

#include "names.h"
#include "raw-message.h"
#include "wire-rows.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define PATH      "/some/path"
#define INTERFACE "some.Interface"
#define TURNS_MAX 100000

typedef struct {
    RawMessenger *raw_messenger;
    sd_bus *near; /* the outbox sends through this one */
    sd_bus *far;  /* and this is who gets it */
    Wire body;
} Fixture;

static sd_bus *
open_end(int fd, bool server)
{
    sd_bus *bus;
    sd_id128_t id;

    g_assert_cmpint(sd_bus_new(&bus), >=, 0);
    g_assert_cmpint(sd_bus_set_fd(bus, fd, fd), >=, 0);
    g_assert_cmpint(sd_id128_randomize(&id), >=, 0);
    if (server)
        g_assert_cmpint(sd_bus_set_server(bus, true, id), >=, 0);
    g_assert_cmpint(sd_bus_set_anonymous(bus, true), >=, 0);
    g_assert_cmpint(sd_bus_start(bus), >=, 0);
    return bus;
}

static void
set_up(Fixture *f, gconstpointer data)
{
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    f->near = open_end(fds[0], true);
    f->far = open_end(fds[1], false);
    g_assert_cmpint(raw_message_new(&f->raw_messenger), ==, 0);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    wire_clear(&f->body);
    raw_message_free(f->raw_messenger);
    sd_bus_close_unref(f->near);
    sd_bus_close_unref(f->far);
}

/* The bytes that come out of `to`, while the other end goes on writing. */
static sd_bus_message *
receive(sd_bus *to, sd_bus *from)
{
    sd_bus_message *message = NULL;

    for (unsigned i = 0; i < TURNS_MAX && !message; i++) {
        g_assert_cmpint(sd_bus_process(from, NULL), >=, 0);
        g_assert_cmpint(sd_bus_process(to, &message), >=, 0);
    }
    g_assert_nonnull(message);
    return message;
}

static sd_bus_message *
signal_body(Fixture *f, const char *signature)
{
    g_assert_cmpint(raw_message_signal(f->raw_messenger, f->near, PATH, INTERFACE, "Member",
                                       signature, &f->body),
                    >=, 0);
    sd_bus_message *message = receive(f->far, f->near);
    g_assert_true(sd_bus_message_is_signal(message, INTERFACE, "Member"));
    g_assert_cmpstr(sd_bus_message_get_path(message), ==, PATH);
    g_assert_true(sd_bus_message_has_signature(message, signature));
    return message;
}

/* Every type, with paddings of all sizes between. */
static void
test_types(Fixture *f, gconstpointer data)
{
    double number = 0.25;
    uint64_t bits;
    const char *text;
    const char *path;
    int32_t negative;
    uint64_t large;
    double real;
    int truth;

    memcpy(&bits, &number, sizeof bits);
    wire_put_string(&f->body, "Größe");
    wire_put_u32(&f->body, (uint32_t)-7);
    wire_put_u64(&f->body, UINT64_MAX - 1);
    wire_put_string(&f->body, "/a/b");
    wire_put_u32(&f->body, true);
    wire_put_u64(&f->body, bits);
    wire_put_signature(&f->body, "a{sv}");

    sd_bus_message *message = signal_body(f, "sitobdg");
    const char *signature;
    g_assert_cmpint(sd_bus_message_read(message, "sitobdg", &text, &negative, &large, &path, &truth,
                                        &real, &signature),
                    >, 0);
    g_assert_cmpstr(text, ==, "Größe");
    g_assert_cmpint(negative, ==, -7);
    g_assert_cmpuint(large, ==, UINT64_MAX - 1);
    g_assert_cmpstr(path, ==, "/a/b");
    g_assert_true(truth);
    g_assert_cmpfloat(real, ==, number);
    g_assert_cmpstr(signature, ==, "a{sv}");
    g_assert_cmpint(sd_bus_message_at_end(message, true), >, 0);
    sd_bus_message_unref(message);
}

static void
put_row(Wire *wire, const char *text, uint64_t number)
{
    wire_align(wire, 8);
    wire_put_string(wire, text);
    wire_put_u64(wire, number);
}

/* Rows that were made elsewhere are the same wherever they are put; an empty array is padded. */
static void
test_rows(Fixture *f, gconstpointer data)
{
    static const char *const texts[] = {"", "a", "ab", "abc", "abcd", "abcde", "abcdef", "abcdefg"};

    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_auto(Wire) rows = {NULL};
        const char *text;
        uint64_t number;

        put_row(&rows, texts[i], i);
        put_row(&rows, "last", 2);
        f->body.size = 0;
        wire_put_string(&f->body, texts[i]);
        wire_put_rows(&f->body, NULL, 0);
        wire_put_rows(&f->body, rows.data, rows.size);
        sd_bus_message *message = signal_body(f, "sa(st)a(st)");
        g_assert_cmpint(
            sd_bus_message_read(message, "sa(st)a(st)", &text, 0, 2, &text, &number, NULL, NULL), >,
            0);
        g_assert_cmpstr(text, ==, texts[i]);
        g_assert_cmpuint(number, ==, i);
        sd_bus_message_unref(message);
    }
}

/* A row with a field of every key, after texts of all lengths. */
static void
put_all_fields(RowBuilder *rows, const char *text)
{
    row_builder_begin(rows);
    for (RowKey key = 0; key < _ROW_KEY_MAX; key++) {
        if (row_key_type(key) == ROW_TYPE_TEXT)
            row_builder_text(rows, key, text);
        else
            row_builder_number(rows, key, 1);
    }
    row_builder_end(rows);
}

static void
read_field(sd_bus_message *message, RowKey key, const char *text)
{
    static const char *const signatures[] = {
        [ROW_TYPE_TEXT] = "s", [ROW_TYPE_BOOL] = "b", [ROW_TYPE_U32] = "u",
        [ROW_TYPE_U64] = "t",  [ROW_TYPE_JOB] = "o",
    };
    const char *signature = signatures[row_key_type(key)];
    const char *name;
    uint64_t number = 0;
    const char *read;

    g_assert_cmpint(sd_bus_message_enter_container(message, 'e', "sv"), >, 0);
    g_assert_cmpint(sd_bus_message_read(message, "s", &name), >, 0);
    g_assert_cmpint(sd_bus_message_enter_container(message, 'v', signature), >, 0);
    if (*signature == 's' || *signature == 'o') {
        g_assert_cmpint(sd_bus_message_read(message, signature, &read), >, 0);
        g_assert_cmpstr(read, ==, *signature == 's' ? text : VMS_JOB_PREFIX "/1");
    } else {
        g_assert_cmpint(sd_bus_message_read(message, signature, &number), >, 0);
        g_assert_cmpuint(number, ==, 1);
    }
    g_assert_cmpint(sd_bus_message_exit_container(message), >=, 0);
    g_assert_cmpint(sd_bus_message_exit_container(message), >=, 0);
}

static void
test_dictionaries(Fixture *f, gconstpointer data)
{
    g_autoptr(GString) text = g_string_new("a");

    for (unsigned length = 1; length <= 8; length++) {
        g_auto(RowBuilder) rows = {NULL};
        const char *last;

        put_all_fields(&rows, text->str);
        row_builder_begin(&rows);
        row_builder_end(&rows);
        f->body.size = 0;
        wire_put_dictionaries(&f->body, row_builder_rows(&rows));
        wire_put_dictionaries(&f->body, (Rows){NULL, 0});
        wire_put_string(&f->body, "last");
        sd_bus_message *message = signal_body(f, "aa{sv}aa{sv}s");
        g_assert_cmpint(sd_bus_message_enter_container(message, 'a', "a{sv}"), >, 0);
        g_assert_cmpint(sd_bus_message_enter_container(message, 'a', "{sv}"), >, 0);
        for (RowKey key = 0; key < _ROW_KEY_MAX; key++)
            read_field(message, key, text->str);
        g_assert_cmpint(sd_bus_message_exit_container(message), >=, 0);
        g_assert_cmpint(sd_bus_message_skip(message, "a{sv}"), >=, 0);
        g_assert_cmpint(sd_bus_message_exit_container(message), >=, 0);
        g_assert_cmpint(sd_bus_message_skip(message, "aa{sv}"), >=, 0);
        g_assert_cmpint(sd_bus_message_read(message, "s", &last), >, 0);
        g_assert_cmpstr(last, ==, "last");
        sd_bus_message_unref(message);
        g_string_append_c(text, 'b');
    }
}

/* Rows as what is shorter than dictionaries. */
static void
test_short_rows(Fixture *f, gconstpointer data)
{
    g_auto(RowBuilder) names = {NULL};
    g_auto(RowBuilder) pins = {NULL};
    const char *texts[5];
    uint32_t vcpus[2];

    row_builder_begin(&names);
    row_builder_text(&names, ROW_NAME, "web");
    row_builder_field(&names, &(RowField){.key = ROW_ICON, .text = ""});
    row_builder_end(&names);
    for (unsigned i = 0; i < 2; i++) {
        row_builder_begin(&pins);
        row_builder_number(&pins, ROW_VCPU, i);
        row_builder_text(&pins, ROW_CPUS, i ? "0-3" : "1");
        row_builder_end(&pins);
    }
    wire_put_texts_by_name(&f->body, row_builder_rows(&names));
    wire_put_texts_by_name(&f->body, (Rows){NULL, 0});
    wire_put_texts(&f->body, row_builder_rows(&names));
    wire_put_texts(&f->body, (Rows){NULL, 0});
    wire_put_structs(&f->body, row_builder_rows(&pins));
    wire_put_structs(&f->body, (Rows){NULL, 0});

    sd_bus_message *message = signal_body(f, "a{ss}a{ss}asasa(us)a(us)");
    g_assert_cmpint(sd_bus_message_read(message, "a{ss}a{ss}", 2, &texts[0], &texts[1], &texts[2],
                                        &texts[3], 0),
                    >, 0);
    g_assert_cmpstr(texts[0], ==, "name");
    g_assert_cmpstr(texts[1], ==, "web");
    g_assert_cmpstr(texts[2], ==, "icon");
    g_assert_cmpstr(texts[3], ==, "");
    g_assert_cmpint(sd_bus_message_read(message, "asas", 2, &texts[0], &texts[1], 0), >, 0);
    g_assert_cmpstr(texts[0], ==, "web");
    g_assert_cmpstr(texts[1], ==, "");
    g_assert_cmpint(sd_bus_message_read(message, "a(us)a(us)", 2, &vcpus[0], &texts[0], &vcpus[1],
                                        &texts[1], 0),
                    >, 0);
    g_assert_cmpuint(vcpus[1], ==, 1);
    g_assert_cmpstr(texts[0], ==, "1");
    g_assert_cmpstr(texts[1], ==, "0-3");
    sd_bus_message_unref(message);
}

/* The bus would cut us off. */
static void
test_no_utf8(Fixture *f, gconstpointer data)
{
    const char *text;
    const char *next;

    wire_put_string(&f->body, "\xff\xfe");
    wire_put_string(&f->body, "next");
    sd_bus_message *message = signal_body(f, "ss");
    g_assert_cmpint(sd_bus_message_read(message, "ss", &text, &next), >, 0);
    g_assert_cmpstr(text, ==, "");
    g_assert_cmpstr(next, ==, "next");
    sd_bus_message_unref(message);
}

/* More than any socket holds, and small ones after it. */
static void
test_long(Fixture *f, gconstpointer data)
{
    const size_t size = 8 * 1024 * 1024;
    g_autofree char *text = g_strnfill(size, 'x');
    const char *read;

    wire_put_string(&f->body, text);
    for (unsigned i = 0; i < 3; i++) {
        sd_bus_message *message = signal_body(f, "s");

        g_assert_cmpint(sd_bus_message_read(message, "s", &read), >, 0);
        g_assert_cmpuint(strlen(read), ==, i == 0 ? size : 4);
        sd_bus_message_unref(message);
        f->body.size = 0;
        wire_put_string(&f->body, "tiny");
    }
}

static void
test_too_long(Fixture *f, gconstpointer data)
{
    const Wire body = {(uint8_t *)"", (size_t)32 * 1024 * 1024, 0};

    g_assert_cmpint(
        raw_message_signal(f->raw_messenger, f->near, PATH, INTERFACE, "Member", "s", &body), ==,
        -EMSGSIZE);
}

/* Bytes that sd-bus does not take for a message affect no later message. */
static void
test_refused(Fixture *f, gconstpointer data)
{
    wire_put_string(&f->body, "text");
    g_assert_cmpint(raw_message_signal(f->raw_messenger, f->near, "no path", INTERFACE, "Member",
                                       "s", &f->body),
                    <, 0);

    const char *text;
    sd_bus_message *message = signal_body(f, "s");
    g_assert_cmpint(sd_bus_message_read(message, "s", &text), >, 0);
    g_assert_cmpstr(text, ==, "text");
    sd_bus_message_unref(message);
}

static int
on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    const char **text = userdata;

    g_assert_false(sd_bus_message_is_method_error(reply, NULL));
    g_assert_cmpint(sd_bus_message_read(reply, "s", text), >, 0);
    *text = g_strdup(*text);
    return 0;
}

static void
test_reply(Fixture *f, gconstpointer data)
{
    char *text = NULL;

    g_assert_cmpint(sd_bus_call_method_async(f->far, NULL, NULL, PATH, INTERFACE, "Method",
                                             on_reply, &text, ""),
                    >=, 0);
    sd_bus_message *call = receive(f->near, f->far);
    wire_put_string(&f->body, "answer");
    Caller caller = caller_of(call);
    sd_bus_message_unref(call);
    g_assert_cmpint(raw_message_reply(f->raw_messenger, f->near, &caller, "s", &f->body), >=, 0);
    caller_clear(&caller);
    for (unsigned i = 0; i < TURNS_MAX && !text; i++)
        g_assert_cmpint(sd_bus_process(f->far, NULL), >=, 0);
    g_assert_cmpstr(text, ==, "answer");
    g_free(text);
}

/* Values of GLib, as sd-bus reads them. */
static void
test_variant(Fixture *f, gconstpointer data)
{
    GVariant *value = g_variant_ref_sink(g_variant_new_parsed(
        "{'b': <true>, 'u': <uint32 7>, 't': <uint64 8>, 'd': <0.5>, 's': <'text'>,"
        " 'as': <['x', 'y']>, 'rows': <[(uint32 1, '0-3'), (2, '4')]>, 'none': <@a(st) []>}"));
    const char *keys[8], *text, *x, *y, *pins, *last_pins;
    int truth;
    uint32_t small, first, second;
    uint64_t large;
    double real;

    wire_put_variant(&f->body, value);
    g_variant_unref(value);
    sd_bus_message *message = signal_body(f, "a{sv}");
    g_assert_cmpint(sd_bus_message_read(message, "a{sv}", 8, &keys[0], "b", &truth, &keys[1], "u",
                                        &small, &keys[2], "t", &large, &keys[3], "d", &real,
                                        &keys[4], "s", &text, &keys[5], "as", 2, &x, &y, &keys[6],
                                        "a(us)", 2, &first, &pins, &second, &last_pins, &keys[7],
                                        "a(st)", 0),
                    >, 0);
    g_assert_true(truth);
    g_assert_cmpuint(small, ==, 7);
    g_assert_cmpuint(large, ==, 8);
    g_assert_cmpfloat(real, ==, 0.5);
    g_assert_cmpstr(text, ==, "text");
    g_assert_cmpstr(y, ==, "y");
    g_assert_cmpuint(second, ==, 2);
    g_assert_cmpstr(last_pins, ==, "4");
    g_assert_cmpstr(keys[7], ==, "none");
    g_assert_cmpint(sd_bus_message_at_end(message, true), >, 0);
    sd_bus_message_unref(message);
}

#define ADD(name, func) g_test_add("/wire/" name, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("types", test_types);
    ADD("rows", test_rows);
    ADD("dictionaries", test_dictionaries);
    ADD("short-rows", test_short_rows);
    ADD("no-utf8", test_no_utf8);
    ADD("long", test_long);
    ADD("too-long", test_too_long);
    ADD("refused", test_refused);
    ADD("reply", test_reply);
    ADD("variant", test_variant);
    return g_test_run();
}
