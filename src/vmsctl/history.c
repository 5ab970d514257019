/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "history.h"

#include "log.h"
#include "terminal-text.h"
#include "text.h"

#include <stdio.h>
#include <string.h>
#include <systemd/sd-journal.h>

static char *
get_field(sd_journal *journal, const char *name)
{
    const void *data = NULL;
    size_t length = 0, skip = strlen(name) + 1;

    if (sd_journal_get_data(journal, name, &data, &length) < 0 || length < skip)
        return g_strdup("");
    g_autofree char *text = g_strndup((const char *)data + skip, length - skip);
    return terminal_text_escape(text);
}

static void
print_entry(sd_journal *journal)
{
    g_autofree char *message = get_field(journal, "MESSAGE");
    g_autofree char *name = get_field(journal, "SYSLOG_IDENTIFIER");
    g_autofree char *pid = get_field(journal, "_PID");
    uint64_t usec = 0;

    (void)sd_journal_get_realtime_usec(journal, &usec);
    g_autofree char *time = text_format_time(usec);
    printf("%s %s[%s]: %s\n", time, name, pid, message);
}

static void
print_tail(sd_journal *journal, int lines)
{
    if (sd_journal_seek_tail(journal) < 0 ||
        sd_journal_previous_skip(journal, (uint64_t)lines) <= 0)
        return;
    putchar('\n');
    do
        print_entry(journal);
    while (sd_journal_next(journal) > 0);
}

void
history_print(const char *uuid, const char *unit, int lines)
{
    g_autofree char *about = g_strconcat("VM_UUID=", uuid, NULL);
    /* Every process may write VM_UUID=, but only the unit's own have _SYSTEMD_UNIT=. */
    g_autofree char *by = g_strconcat("_SYSTEMD_UNIT=", unit, NULL);
    sd_journal *journal = NULL;

    if (!log_journal_runs()) {
        puts("\nNo entries: there is no journal here. The service writes into the log of the "
             "system.");
        return;
    }
    if (sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM) < 0)
        return;
    if (sd_journal_add_match(journal, about, 0) >= 0 && sd_journal_add_match(journal, by, 0) >= 0)
        print_tail(journal, lines);
    sd_journal_close(journal);
}
