/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Rows as text that can be compared: "key=value, key=value; key=value". For unit tests. */

#include "hardware.h"

char *rows_text(Rows rows);
/* Of a part of the configuration in such a <domain>, whose content this is. */
char *part_text(const char *domain, HardwarePart part);
