/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Rows of typed fields, packed into one piece of memory that does not change.
 *
 * A row is any set of fields in the order in which they were put; rows that are equal byte by byte
 * are equal. Reading takes rows off the front of Rows and fields off the front of a Row; both are
 * small values that point into the packed memory, which belongs to someone else. Pure, any thread.
 */

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every field that a row may have: (symbol, name, type). */
#define ROW_KEYS(X)                                                                                \
    X(TARGET, "target", TEXT)                                                                      \
    X(BUS, "bus", TEXT)                                                                            \
    X(DEVICE, "device", TEXT)                                                                      \
    X(TYPE, "type", TEXT)                                                                          \
    X(SOURCE, "source", TEXT)                                                                      \
    X(FORMAT, "format", TEXT)                                                                      \
    X(SERIAL, "serial", TEXT)                                                                      \
    X(CACHE, "cache", TEXT)                                                                        \
    X(READONLY, "readonly", BOOL)                                                                  \
    X(SHAREABLE, "shareable", BOOL)                                                                \
    X(BOOT, "boot", U32)                                                                           \
    X(CAPACITY, "capacity", U64)                                                                   \
    X(JOB, "job", JOB)                                                                             \
    X(MAC, "mac", TEXT)                                                                            \
    X(MODEL, "model", TEXT)                                                                        \
    X(LINK, "link", BOOL)                                                                          \
    X(ADDRESS, "address", TEXT)                                                                    \
    X(VENDOR, "vendor", TEXT)                                                                      \
    X(PRODUCT, "product", TEXT)                                                                    \
    X(ALIAS, "alias", TEXT)                                                                        \
    X(LISTEN, "listen", TEXT)                                                                      \
    X(SOCKET, "socket", TEXT)                                                                      \
    X(PORT, "port", U32)                                                                           \
    X(TLS_PORT, "tls_port", U32)                                                                   \
    X(WEBSOCKET, "websocket", U32)                                                                 \
    X(PASSWORD, "password", BOOL)                                                                  \
    X(VCPU, "vcpu", U32)                                                                           \
    X(CPUS, "cpus", TEXT)                                                                          \
    X(KIND, "kind", TEXT)                                                                          \
    X(MESSAGE, "message", TEXT)                                                                    \
    X(SINCE, "since", U64)                                                                         \
    X(INTERFACE, "interface", TEXT)                                                                \
    X(PREFIX, "prefix", U32)                                                                       \
    X(NAME, "name", TEXT)                                                                          \
    X(ICON, "icon", TEXT)                                                                          \
    X(OS, "os", TEXT)                                                                              \
    X(WEBUI, "webui", TEXT)                                                                        \
    X(STORAGE, "storage", TEXT)                                                                    \
    X(ID, "id", TEXT)                                                                              \
    X(VERSION, "version", TEXT)                                                                    \
    X(KERNEL, "kernel", TEXT)                                                                      \
    X(PARENT, "parent", TEXT)                                                                      \
    X(DESCRIPTION, "description", TEXT)                                                            \
    X(STATE, "state", TEXT)                                                                        \
    X(CREATED, "created", U64)                                                                     \
    X(CURRENT, "current", BOOL)                                                                    \
    X(EXTERNAL, "external", BOOL)                                                                  \
    X(MEMORY, "memory", BOOL)                                                                      \
    X(MOUNTPOINT, "mountpoint", TEXT)                                                              \
    X(TOTAL, "total", U64)                                                                         \
    X(USED, "used", U64)                                                                           \
    X(VENDOR_NAME, "vendor_name", TEXT)                                                            \
    X(PRODUCT_NAME, "product_name", TEXT)                                                          \
    X(DRIVER, "driver", TEXT)                                                                      \
    X(IOMMU_GROUP, "iommu_group", U32)

typedef enum {
#define X(symbol, name, type) ROW_##symbol,
    ROW_KEYS(X)
#undef X
        _ROW_KEY_MAX,
} RowKey;

typedef enum {
    ROW_TYPE_TEXT,
    ROW_TYPE_BOOL,
    ROW_TYPE_U32,
    ROW_TYPE_U64,
    ROW_TYPE_JOB, /* a job's number */
} RowType;

/* A longer text is cut. */
#define ROW_TEXT_MAX 4096

typedef struct {
    const uint8_t *data;
    size_t size;
} Rows;

typedef struct {
    const uint8_t *data;
    size_t size;
} Row;

typedef struct {
    RowKey key;
    const char *text; /* ROW_TYPE_TEXT: of `length` bytes and a 0 */
    size_t length;
    uint64_t number; /* of every other type */
} RowField;

RowType row_key_type(RowKey key);

/* Take the first row off; false where there is none. */
bool rows_take(Rows *rows, Row *ret_row);
/* Take the first field off; false where there is none. */
bool row_take(Row *row, RowField *ret_field);
/* "" and 0 where the row has no such field. */
const char *row_text(Row row, RowKey key);
uint64_t row_number(Row row, RowKey key);
bool row_has(Row row, RowKey key);
bool rows_equal(Rows a, Rows b);

/* --- making them */

/* All zero is an empty one. */
typedef struct {
    GByteArray *bytes;
    size_t row; /* where the row that is being made begins */
} RowBuilder;

void row_builder_clear(RowBuilder *builder);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RowBuilder, row_builder_clear)

void row_builder_begin(RowBuilder *builder);
void row_builder_end(RowBuilder *builder);
/* The text is fit for D-Bus (utf8.h). "" is left out. */
void row_builder_text(RowBuilder *builder, RowKey key, const char *text);
void row_builder_number(RowBuilder *builder, RowKey key, uint64_t number);
/* Add a copy of the field, an empty text included. */
void row_builder_field(RowBuilder *builder, const RowField *field);
/* The rows so far; valid until more is added. */
Rows row_builder_rows(const RowBuilder *builder);
/* The rows as memory of its own, NULL if there are none; the builder is empty afterwards. */
GBytes *row_builder_take(RowBuilder *builder);
/* The rows in `bytes`; NULL has none. */
Rows rows_of_bytes(GBytes *bytes);
