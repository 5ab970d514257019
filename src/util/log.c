/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "log.h"

#include "log-rate.h"
#include "log-socket.h"
#include "terminal-text.h"
#include "units.h"
#include "utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FIELDS  16
/* In bytes: names and words from outside may have any length. */
#define FIELD_MAX   4096
#define MESSAGE_MAX (16 * KIB)

static const struct {
    const char *id;
    int level;
} events[_LOG_EVENT_MAX] = {
    [LOG_EVENT_OPERATION_DONE] = {"b24248350e3246318379e578c05e2699", LOG_INFO},
    [LOG_EVENT_POWER_CUT] = {"31ae5e0336fd450fa020a443b10f3648", LOG_WARNING},
    [LOG_EVENT_OPERATION_FAILED] = {"a75ed25cc218446fb3fd14641d8bce27", LOG_WARNING},
    [LOG_EVENT_OPERATION_CANCELED] = {"a34a3479bd204e04980b892346dd6bd2", LOG_NOTICE},
    [LOG_EVENT_DENIED] = {"74a067593538401bbcf7830ccf65d391", LOG_WARNING},
    [LOG_EVENT_STATE_CHANGED] = {"13b5d3100fdc4986979e614ba3179e02", LOG_INFO},
    [LOG_EVENT_DOMAIN_ADDED] = {"3870d0c1e3bf45b8a6754d20c9155af4", LOG_INFO},
    [LOG_EVENT_DOMAIN_REMOVED] = {"a51f083716524398ad594061cf2581e8", LOG_INFO},
    [LOG_EVENT_AVAILABLE] = {"d42c4b446aaa44d1b186b5ea14c1a5f6", LOG_NOTICE},
    [LOG_EVENT_UNAVAILABLE] = {"5cf93210166748ec963489607541a2b2", LOG_WARNING},
    [LOG_EVENT_UNRESPONSIVE] = {"8f1c6d0e27a44b5d9a3e5b7c12f0d4a6", LOG_WARNING},
    [LOG_EVENT_RECOVERED] = {"c3b5e9a1704f4d2c8b6f1e0d93a7f258", LOG_NOTICE},
};

static const struct {
    const char *name;
    int level;
} levels[] = {
    {"error", LOG_ERR}, {"warning", LOG_WARNING}, {"notice", LOG_NOTICE},
    {"info", LOG_INFO}, {"debug", LOG_DEBUG},
};

static gint max_level = LOG_INFO;

#define TARGET_UNDECIDED (-1)
static gint target = TARGET_UNDECIDED;

void
log_set_level(int level)
{
    g_atomic_int_set(&max_level, level);
}

int
log_get_level(void)
{
    return g_atomic_int_get(&max_level);
}

int
log_level_from_string(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++)
        if (g_str_equal(name, levels[i].name))
            return levels[i].level;
    return -EINVAL;
}

static const char *
level_to_string(int level)
{
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++)
        if (levels[i].level == level)
            return levels[i].name;
    return "info";
}

const char *
log_event_id(LogEvent event)
{
    return events[event].id;
}

const char *
log_number(char buffer[static LOG_NUMBER_SIZE], gint64 number)
{
    g_snprintf(buffer, LOG_NUMBER_SIZE, "%" G_GINT64_FORMAT, number);
    return buffer;
}

/* JOURNAL_STREAM alone proves nothing: it is inherited by whoever redirected us, too. */
static gboolean
stderr_is_journal(void)
{
    const char *stream = g_getenv("JOURNAL_STREAM");
    guint64 dev, ino;
    char *end;
    struct stat st;

    if (!stream)
        return FALSE;
    dev = g_ascii_strtoull(stream, &end, 10);
    if (*end != ':')
        return FALSE;
    ino = g_ascii_strtoull(end + 1, NULL, 10);
    return fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

bool
log_journal_runs(void)
{
    return access(LOG_SOCKET_JOURNAL, F_OK) == 0;
}

static gboolean
stderr_is_nowhere(void)
{
    struct stat st, null;

    if (fstat(STDERR_FILENO, &st) < 0)
        return TRUE;
    return S_ISCHR(st.st_mode) && stat("/dev/null", &null) == 0 && st.st_rdev == null.st_rdev;
}

static LogTarget
choose_target(void)
{
    if (stderr_is_journal())
        return LOG_TARGET_JOURNAL;
    if (!stderr_is_nowhere())
        return LOG_TARGET_CONSOLE;
    return log_journal_runs() ? LOG_TARGET_JOURNAL : LOG_TARGET_SYSLOG;
}

/* Decided once: the target of standard error does not change while we run. */
LogTarget
log_get_target(void)
{
    gint now = g_atomic_int_get(&target);

    if (now != TARGET_UNDECIDED)
        return (LogTarget)now;
    now = choose_target();
    (void)g_atomic_int_compare_and_exchange(&target, TARGET_UNDECIDED, now);
    return (LogTarget)g_atomic_int_get(&target);
}

bool
log_set_target(LogTarget wanted)
{
    if ((wanted == LOG_TARGET_JOURNAL && !log_journal_runs()) ||
        (wanted == LOG_TARGET_SYSLOG && access(LOG_SOCKET_SYSLOG, F_OK) < 0))
        return false;
    g_atomic_int_set(&target, wanted);
    return true;
}

static void
send_journal(int level, const char *id, const char *message, const LogField *fields,
             size_t n_fields)
{
    static guint lost;
    char priority[LOG_NUMBER_SIZE];
    LogField all[MAX_FIELDS + 4] = {
        {"MESSAGE", message},
        {"PRIORITY", log_number(priority, level)},
        {"SYSLOG_IDENTIFIER", LOG_IDENTIFIER},
    };
    size_t n = 3;

    if (id)
        all[n++] = (LogField){"MESSAGE_ID", id};
    for (size_t i = 0; i < n_fields; i++)
        all[n++] = fields[i];
    if (!log_socket_send_journal(all, n)) {
        g_atomic_int_inc(&lost);
        return;
    }
    guint n_lost = g_atomic_int_and(&lost, 0);
    if (n_lost > 0) {
        g_autofree char *gap =
            g_strdup_printf("%u entries were not logged: the journal did not take them", n_lost);
        send_journal(LOG_WARNING, NULL, gap, NULL, 0);
    }
}

/* Neither a domain's name nor libvirt's words can forge a second line, or control a terminal. */
static void
append_printable(GString *line, const char *text)
{
    g_autofree char *flat = g_strdup(text);

    for (char *c = flat; *c; c++)
        if ((guchar)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    g_autofree char *safe = terminal_text_escape(flat);
    g_string_append(line, safe);
}

static void
append_entry(GString *line, const char *message, const LogField *fields, size_t n_fields)
{
    append_printable(line, message);
    for (size_t i = 0; i < n_fields; i++) {
        g_string_append_printf(line, " %s=", fields[i].key);
        append_printable(line, fields[i].value);
    }
}

static void
send_stderr(int level, const char *message, const LogField *fields, size_t n_fields)
{
    g_autoptr(GString) line = g_string_new(NULL);

    g_string_append_printf(line, LOG_IDENTIFIER ": %s: ", level_to_string(level));
    append_entry(line, message, fields, n_fields);
    g_string_append_c(line, '\n');

    /* One write, so that the lines of two threads do not mix; nobody to tell if it fails. */
    if (write(STDERR_FILENO, line->str, line->len) < 0)
        return;
}

/* Bounded here, as a journal bounds by itself what one service writes. */
static void
send_syslog(int level, const char *message, const LogField *fields, size_t n_fields)
{
    static GMutex lock;
    static LogRate rate;
    g_autoptr(GString) line = g_string_new(NULL);
    guint dropped = 0;

    append_entry(line, message, fields, n_fields);
    g_mutex_lock(&lock);
    bool is_allowed = log_rate_allows(&rate, g_get_monotonic_time(), &dropped);
    if (dropped > 0) {
        g_autofree char *gap = g_strdup_printf("%u entries were not logged: there were too many, "
                                               "or syslog did not take them",
                                               dropped);
        (void)log_socket_send_syslog(LOG_WARNING, LOG_IDENTIFIER, gap);
    }
    if (is_allowed && !log_socket_send_syslog(level, LOG_IDENTIFIER, line->str))
        rate.dropped++;
    g_mutex_unlock(&lock);
}

/* The copy, if one is needed, is the caller's. */
static const char *
cut(const char *text, size_t max, char **copy)
{
    size_t length = utf8_prefix(text, max);

    if (text[length] == '\0')
        return text;
    *copy = g_strndup(text, length);
    return *copy;
}

static void
send(int level, const char *id, const char *message, LogField *fields, size_t n_fields)
{
    int saved_errno = errno;
    char *copies[MAX_FIELDS + 1] = {NULL};

    message = cut(message, MESSAGE_MAX, &copies[n_fields]);
    for (size_t i = 0; i < n_fields; i++)
        fields[i].value = cut(fields[i].value, FIELD_MAX, &copies[i]);
    switch (log_get_target()) {
    case LOG_TARGET_JOURNAL:
        send_journal(level, id, message, fields, n_fields);
        break;
    case LOG_TARGET_SYSLOG:
        send_syslog(level, message, fields, n_fields);
        break;
    case LOG_TARGET_CONSOLE:
        send_stderr(level, message, fields, n_fields);
        break;
    }
    for (size_t i = 0; i <= n_fields; i++)
        g_free(copies[i]);
    errno = saved_errno;
}

void
log_message(int level, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list ap;

    if (level > log_get_level())
        return;
    va_start(ap, format);
    message = g_strdup_vprintf(format, ap);
    va_end(ap);
    send(level, NULL, message, NULL, 0);
}

void
log_event(LogEvent event, const char *message, ...)
{
    LogField fields[MAX_FIELDS];
    size_t n = 0;
    va_list ap;

    if (events[event].level > log_get_level())
        return;
    va_start(ap, message);
    for (const char *key; n < MAX_FIELDS && (key = va_arg(ap, const char *));) {
        const char *value = va_arg(ap, const char *);
        if (value)
            fields[n++] = (LogField){key, value};
    }
    va_end(ap);
    send(events[event].level, events[event].id, message, fields, n);
}
