/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "env-file.h"

#include <stdbool.h>
#include <string.h>

#define BLANK   " \t\n\r"
#define NEWLINE "\n\r"

/* Escaped by a \ between double quotes. */
#define ESCAPED "\"\\`$"

typedef struct {
    const char *at; /* what is read next */
    GString *value;
    gsize keep; /* how much of the value does not end in blanks */
} Reader;

static bool
at_any(const Reader *reader, const char *characters)
{
    return *reader->at && strchr(characters, *reader->at);
}

static void
take(Reader *reader, bool is_kept)
{
    g_string_append_c(reader->value, *reader->at++);
    if (is_kept)
        reader->keep = reader->value->len;
}

/* Takes over one character behind a \, or neither of both at the end of a line. */
static void
take_escaped(Reader *reader)
{
    reader->at++;
    if (at_any(reader, NEWLINE))
        reader->at++;
    else if (*reader->at)
        take(reader, true);
}

static void
read_quoted(Reader *reader)
{
    char quote = *reader->at++;

    while (*reader->at && *reader->at != quote) {
        bool is_escape = quote == '"' && *reader->at == '\\' && reader->at[1];

        if (is_escape && reader->at[1] == '\n')
            reader->at += 2;
        else {
            if (is_escape && strchr(ESCAPED, reader->at[1]))
                reader->at++;
            else if (is_escape)
                take(reader, true);
            take(reader, true);
        }
    }
    if (*reader->at)
        reader->at++;
    reader->keep = reader->value->len;
}

/* Quotes count where a value, or a further part of it, begins; within plain text they are text. */
static void
read_value(Reader *reader)
{
    bool is_plain = false;

    while (*reader->at && !at_any(reader, NEWLINE))
        if (!is_plain && at_any(reader, "'\""))
            read_quoted(reader);
        else if (!is_plain && at_any(reader, BLANK))
            reader->at++;
        else {
            is_plain = true;
            if (*reader->at == '\\')
                take_escaped(reader);
            else
                take(reader, !at_any(reader, BLANK));
        }
    g_string_truncate(reader->value, reader->keep);
}

static bool
is_variable(const char *name)
{
    if (!g_ascii_isalpha(*name) && *name != '_')
        return false;
    while (g_ascii_isalnum(*name) || *name == '_')
        name++;
    return *name == '\0';
}

static void
read_assignment(Reader *reader, EnvFileAssign assign, void *userdata)
{
    const char *start = reader->at;

    while (*reader->at && *reader->at != '=' && !at_any(reader, NEWLINE))
        reader->at++;
    if (*reader->at != '=')
        return;

    g_autofree char *name = g_strchomp(g_strndup(start, (gsize)(reader->at++ - start)));
    g_string_truncate(reader->value, 0);
    reader->keep = 0;
    read_value(reader);
    if (is_variable(name) && g_utf8_validate(reader->value->str, -1, NULL))
        assign(name, reader->value->str, userdata);
}

void
env_file_parse(const char *text, EnvFileAssign assign, void *userdata)
{
    g_autoptr(GString) value = g_string_new(NULL);
    Reader reader = {.at = text, .value = value};

    while (*reader.at)
        if (at_any(&reader, BLANK))
            reader.at++;
        else if (at_any(&reader, "#;"))
            reader.at += strcspn(reader.at, NEWLINE);
        else
            read_assignment(&reader, assign, userdata);
}

/* Appends the word that begins at AT, and returns its end. */
static const char *
take_word(const char *at, GString *word)
{
    char quote = '\0';

    for (; *at && (quote || !strchr(BLANK, *at)); at++)
        if (*at == '\\' && at[1])
            g_string_append_c(word, *++at);
        else if (quote && *at == quote)
            quote = '\0';
        else if (!quote && (*at == '"' || *at == '\''))
            quote = *at;
        else
            g_string_append_c(word, *at);
    return at;
}

char **
env_file_words(const char *value)
{
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();

    while (*(value += strspn(value, BLANK))) {
        g_autoptr(GString) word = g_string_new(NULL);

        value = take_word(value, word);
        g_strv_builder_add(words, word->str);
    }
    return g_strv_builder_end(words);
}
