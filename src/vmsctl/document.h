/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* XML files and other input that commands take. */
#pragma once

#include "client.h"

/* The contents of FILE, "-" being standard input. Only text can go over the bus. */
char *document_read(const char *file, GError **error);
