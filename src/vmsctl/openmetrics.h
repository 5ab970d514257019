/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Text in the format OpenMetrics 1.0. Of its types there are only gauges and counters, which the
 * older text format of Prometheus knows, too: node_exporter reads files in that one.
 */
#pragma once

#include <glib.h>

typedef enum MetricType {
    METRIC_GAUGE,
    METRIC_COUNTER, /* its samples are called NAME_total */
} MetricType;

typedef struct Metric {
    const char *name; /* ends with "_UNIT" where there is a unit */
    MetricType type;
    const char *unit; /* NULL: none */
    const char *help; /* without quotes, backslashes and newlines */
} Metric;

/* The lines before the samples of METRIC, which have to follow without others between them. */
void openmetrics_begin(GString *out, const Metric *metric);
/* LABELS is name, value, …, NULL. Values are made safe for a terminal, too. */
void openmetrics_sample(GString *out, const Metric *metric, const char *const *labels,
                        double value);
void openmetrics_end(GString *out);
