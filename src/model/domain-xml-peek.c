/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain-xml-peek.h"

#include "domain.h"
#include "utf8.h"

#include <libxml/parser.h>
#include <string.h>

typedef struct {
    const char *element;
    GString *text; /* NULL before it has begun */
    bool complete;
} Field;

typedef struct {
    xmlParserCtxt *parser;
    unsigned depth;
    Field name;
    Field uuid;
    Field *open; /* whose element we are in */
} Peek;

/* --- how much of it is cheap -------------------------------------------------------------- */

/* Ends between two tags or texts. As '<' is in no attribute's value, each one begins a tag. */
static int
cheap_length(const char *xml)
{
    int last = 0;
    unsigned attributes = 0;
    bool in_tag = false;
    char quote = '\0';
    int i = 0;

    for (; xml[i]; i++) {
        if (i >= DOMAIN_XML_PEEK_MAX)
            return last;
        if (xml[i] == '<') {
            last = i;
            attributes = 0;
            in_tag = true;
            quote = '\0';
        } else if (!in_tag) {
            continue;
        } else if (quote) {
            if (xml[i] == quote)
                quote = '\0';
        } else if (strchr("\"'", xml[i])) {
            quote = xml[i];
        } else if (xml[i] == '>') {
            last = i + 1;
            in_tag = false;
        } else if (xml[i] == '=' && ++attributes > DOMAIN_XML_PEEK_ATTRIBUTES) {
            return last;
        }
    }
    return i;
}

/* --- what libxml2 tells ------------------------------------------------------------------- */

/* As in a tree of it, where an element with a prefix that nothing declares has it in its name. */
static bool
is_named(const char *name, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri)
{
    return xmlStrEqual(local, BAD_CAST name) && (uri || !prefix);
}

static void
begin_field(Peek *peek, Field *field, const xmlChar *local, const xmlChar *prefix,
            const xmlChar *uri)
{
    /* The first one counts, and only if it is in no namespace. */
    if (field->text || uri || !is_named(field->element, local, prefix, uri))
        return;
    field->text = g_string_new(NULL);
    peek->open = field;
}

static void
on_start(void *userdata, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri,
         int n_namespaces, const xmlChar **namespaces, int n_attributes, int n_defaulted,
         const xmlChar **attributes)
{
    Peek *peek = userdata;

    if (peek->depth == 0 && !is_named("domain", local, prefix, uri))
        xmlStopParser(peek->parser);
    if (peek->depth == 1) {
        begin_field(peek, &peek->name, local, prefix, uri);
        begin_field(peek, &peek->uuid, local, prefix, uri);
    }
    peek->depth++;
}

static void
on_end(void *userdata, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri)
{
    Peek *peek = userdata;

    if (--peek->depth != 1 || !peek->open)
        return;
    peek->open->complete = true;
    peek->open = NULL;
    if (peek->name.complete && peek->uuid.complete)
        xmlStopParser(peek->parser);
}

static void
on_text(void *userdata, const xmlChar *text, int length)
{
    Peek *peek = userdata;

    if (peek->open)
        g_string_append_len(peek->open->text, (const char *)text, length);
}

/* Nothing with a document type declaration is defined. */
static void
on_doctype(void *userdata, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
    xmlStopParser(((Peek *)userdata)->parser);
}

/* --- the whole ---------------------------------------------------------------------------- */

static void
parse(Peek *peek, const char *xml)
{
    xmlSAXHandler handler = {
        .initialized = XML_SAX2_MAGIC,
        .internalSubset = on_doctype,
        .startElementNs = on_start,
        .endElementNs = on_end,
        .characters = on_text,
        .ignorableWhitespace = on_text,
        .cdataBlock = on_text,
    };

    peek->parser = xmlCreatePushParserCtxt(&handler, peek, NULL, 0, NULL);
    if (!peek->parser)
        return;
    /* With another encoding than the one that it was counted in, it could have more attributes. */
    (void)xmlCtxtUseOptions(peek->parser, XML_PARSE_NONET | XML_PARSE_NOERROR |
                                              XML_PARSE_NOWARNING | XML_PARSE_IGNORE_ENC);
    (void)xmlParseChunk(peek->parser, xml, cheap_length(xml), 0);
    xmlFreeDoc(peek->parser->myDoc);
    xmlFreeParserCtxt(peek->parser);
}

static char *
take_field(Field *field)
{
    g_autofree char *text = field->text ? g_string_free(field->text, FALSE) : NULL;

    return utf8_for_bus(field->complete ? text : NULL);
}

void
domain_xml_peek(const char *xml, char **ret_name, char **ret_uuid)
{
    Peek peek = {.name.element = "name", .uuid.element = "uuid"};
    char canonical[UUID_LENGTH + 1];

    parse(&peek, xml);
    *ret_name = take_field(&peek.name);
    *ret_uuid = take_field(&peek.uuid);
    if (!domain_uuid_parse(*ret_uuid, canonical))
        return;
    g_free(*ret_uuid);
    *ret_uuid = g_strdup(canonical);
}
