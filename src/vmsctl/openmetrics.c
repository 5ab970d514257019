/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "openmetrics.h"

#include "terminal-text.h"

void
openmetrics_begin(GString *out, const Metric *metric)
{
    g_string_append_printf(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help,
                           metric->name, metric->type == METRIC_COUNTER ? "counter" : "gauge");
    if (metric->unit)
        g_string_append_printf(out, "# UNIT %s %s\n", metric->name, metric->unit);
}

/* The escapes of the terminal leave no newline. */
static void
append_value(GString *out, const char *text)
{
    g_autofree char *safe = terminal_text_escape(text);

    for (const char *p = safe; *p; p++) {
        if (*p == '"' || *p == '\\')
            g_string_append_c(out, '\\');
        g_string_append_c(out, *p);
    }
}

void
openmetrics_sample(GString *out, const Metric *metric, const char *const *labels, double value)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append_printf(out, "%s%s", metric->name,
                           metric->type == METRIC_COUNTER ? "_total" : "");
    for (unsigned i = 0; labels[i]; i += 2) {
        g_string_append_printf(out, "%s%s=\"", i == 0 ? "{" : ",", labels[i]);
        append_value(out, labels[i + 1]);
        g_string_append_c(out, '"');
    }
    g_string_append_printf(out, "%s %s\n", labels[0] ? "}" : "",
                           g_ascii_dtostr(number, sizeof number, value));
}

void
openmetrics_end(GString *out)
{
    g_string_append(out, "# EOF\n");
}
