/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "log-rate.h"

bool
log_rate_allows(LogRate *rate, gint64 now, guint *dropped)
{
    *dropped = 0;
    if (rate->since == 0 || now - rate->since >= LOG_RATE_INTERVAL_USEC) {
        *dropped = rate->dropped;
        *rate = (LogRate){.since = now};
    }
    if (rate->sent < LOG_RATE_BURST) {
        rate->sent++;
        return true;
    }
    rate->dropped++;
    return false;
}
