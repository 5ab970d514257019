/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "progress.h"

#include "terminal-text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define BAR_WIDTH 30
#define STEP_USEC G_GINT64_CONSTANT(100000)

static void
draw_unknown(char bar[static BAR_WIDTH + 1], gint64 elapsed_usec)
{
    const int span = BAR_WIDTH - 3, period = 2 * span;
    const int step = (int)(elapsed_usec / STEP_USEC % period);
    const int at = step < span ? step : period - step;

    (void)g_snprintf(bar, BAR_WIDTH + 1, "%*s<=>%*s", at, "", span - at, "");
}

static void
draw_known(char *bar, double done)
{
    int filled = (int)lround(done * BAR_WIDTH);

    memset(bar, '=', (size_t)filled);
    if (filled > 0 && filled < BAR_WIDTH)
        bar[filled - 1] = '>';
}

char *
progress_format(double done, gint64 elapsed_usec, const char *text, int columns)
{
    char bar[BAR_WIDTH + 1], percent[8] = "";
    bool is_known = done >= 0;

    done = CLAMP(done, 0, 1);
    memset(bar, ' ', BAR_WIDTH);
    bar[BAR_WIDTH] = '\0';
    if (is_known) {
        draw_known(bar, done);
        (void)g_snprintf(percent, sizeof percent, "%3.0f%%", done * 100);
    } else {
        draw_unknown(bar, elapsed_usec);
    }

    g_autofree char *safe = terminal_text_escape(text);
    g_autofree char *line = g_strdup_printf("[%s] %4s %4" PRId64 " s  %s", bar, percent,
                                            elapsed_usec / G_USEC_PER_SEC, safe);
    return terminal_text_cut(line, columns);
}
