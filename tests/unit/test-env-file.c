/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The rows are what systemd makes of these files. */

#include "env-file.h"

#include <string.h>

static const struct {
    const char *text, *assignments;
} files[] = {
    {"", ""},
    {"A=b", "[A=b]"},
    {"A=b\nC=d\n", "[A=b][C=d]"},
    {"  A  =  b c  \n", "[A=b c]"},
    {"# A=b\n; A=c\nA=d # e\n", "[A=d # e]"},
    {"# A=b \\\nA=c\nA=d\n", "[A=c][A=d]"},
    {"A=\n", "[A=]"},
    {"A\nB=c", "[B=c]"},
    {"A='b c ' \n", "[A=b c ]"},
    {"A=\"b c \" \n", "[A=b c ]"},
    {"A='b' \"c\"d\n", "[A=bcd]"},
    {"A=b'c'\n", "[A=b'c']"},
    {"A='b\\c'\n", "[A=b\\c]"},
    {"A=\"b\\\"c\\$d\\e\"\n", "[A=b\"c$d\\e]"},
    {"A=\"b\\\nc\"\n", "[A=bc]"},
    {"A=\"b\nc\"\nD=e", "[A=b\nc][D=e]"},
    {"A=b\\ \n", "[A=b ]"},
    {"A=b\\\nc\nD=e\n", "[A=bc][D=e]"},
    {"A=b\\", "[A=b]"},
    {"A='b", "[A=b]"},
    {"1A=b\nA-B=c\nA B=d\n=e\nF=g\n", "[F=g]"},
    {"A=b\r\nC=d\r\n", "[A=b][C=d]"},
    {"A=b\nA=c\n", "[A=b][A=c]"},
    {"A=\xff\nB=c\n", "[B=c]"},
    {"VMS_OPTIONS=--stop-timeout=120 --log-level=debug\n",
     "[VMS_OPTIONS=--stop-timeout=120 --log-level=debug]"},
};

static void
append(const char *name, const char *value, void *userdata)
{
    g_string_append_printf(userdata, "[%s=%s]", name, value);
}

static void
test_files(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autoptr(GString) found = g_string_new(NULL);

        env_file_parse(files[i].text, append, found);
        g_assert_cmpstr(found->str, ==, files[i].assignments);
    }
}

/* No text reads beyond its end: the tests run with AddressSanitizer, too. */
static void
test_prefixes(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
        for (size_t length = 0; length <= strlen(files[i].text); length++) {
            g_autofree char *text = g_strndup(files[i].text, length);
            g_autoptr(GString) found = g_string_new(NULL);
            g_auto(GStrv) words = env_file_words(text);

            env_file_parse(text, append, found);
            g_assert_cmpuint(found->len, <=, 3 * length + 1);
            g_assert_cmpuint(g_strv_length(words), <=, length);
        }
}

static void
test_words(void)
{
    static const struct {
        const char *value, *words;
    } rows[] = {
        {"", ""},
        {"  ", ""},
        {"--a", "--a"},
        {" --a=1  --b ", "--a=1|--b"},
        {"'two words' \"and more\"", "two words|and more"},
        {"a'b c'd", "ab cd"},
        {"''", ""},
        {"a\\ b c", "a b|c"},
        {"'open to the end", "open to the end"},
        {"a\tb\nc", "a|b|c"},
        {"# no comment", "#|no|comment"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(GStrv) words = env_file_words(rows[i].value);
        g_autofree char *joined = g_strjoinv("|", words);

        g_assert_cmpstr(joined, ==, rows[i].words);
    }
    g_auto(GStrv) empty = env_file_words("'' ''");
    g_assert_cmpuint(g_strv_length(empty), ==, 2);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/env-file/files", test_files);
    g_test_add_func("/env-file/prefixes", test_prefixes);
    g_test_add_func("/env-file/words", test_words);
    return g_test_run();
}
