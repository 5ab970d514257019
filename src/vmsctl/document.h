/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* XML documents: read from files, printed on standard output. */
#pragma once

#include "failure.h"

/* The contents of FILE, "-" being standard input; an error if it is not UTF-8 text. */
char *document_read(const char *file, GError **error);

/* Prints it as it is, but on a terminal with escapes for what a terminal would act on. */
void document_print(const char *text);
