/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run.h"

#include <stdarg.h>
#include <string.h>
#include <sys/epoll.h>

void
run_free(Run *run)
{
    if (!run)
        return;
    g_free(run->out);
    g_free(run->err);
    g_free(run);
}

/* Borrows everything; the bus is passed as the system bus. */
static GPtrArray *
command_line(const World *w, const char *first, va_list rest)
{
    GPtrArray *argv = g_ptr_array_new();
    const char *program = g_getenv("VMSCTL");

    g_assert_nonnull(program);
    g_setenv("DBUS_SYSTEM_BUS_ADDRESS", world_address(w), TRUE);
    g_ptr_array_add(argv, (char *)program);
    for (const char *argument = first; argument; argument = va_arg(rest, const char *))
        g_ptr_array_add(argv, (char *)argument);
    g_ptr_array_add(argv, NULL);
    return argv;
}

Run *
run_program(World *w, const char *const *argv)
{
    Run *run = g_new0(Run, 1);

    g_setenv("DBUS_SYSTEM_BUS_ADDRESS", world_address(w), TRUE);
    run->status = process_run(argv, &run->out, &run->err);
    return run;
}

Run *
run_vmsctl(World *w, const char *argument, ...)
{
    va_list rest;

    va_start(rest, argument);
    g_autoptr(GPtrArray) argv = command_line(w, argument, rest);
    va_end(rest);
    return run_program(w, (const char *const *)argv->pdata);
}

void
run_assert(const Run *run, int expected, const char *file, int line)
{
    if (run->status != expected)
        g_error("%s:%d: status %d instead of %d; %s%s", file, line, run->status, expected, run->out,
                run->err);
}

Terminal *
terminal_vmsctl(World *w, const char *argument, ...)
{
    va_list rest;

    va_start(rest, argument);
    g_autoptr(GPtrArray) argv = command_line(w, argument, rest);
    va_end(rest);
    g_setenv("TERM", "xterm", TRUE);
    return terminal_spawn((const char *const *)argv->pdata);
}

Process *
spawn_vmsctl(World *w, const char *argument, ...)
{
    va_list rest;

    va_start(rest, argument);
    g_autoptr(GPtrArray) argv = command_line(w, argument, rest);
    va_end(rest);
    return process_spawn((const char *const *)argv->pdata, -1);
}

Process *
spawn_client(World *w, char **command, const char *argument)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();

    for (char **word = command; *word; word++)
        g_ptr_array_add(argv, *word);
    g_ptr_array_add(argv, (char *)argument);
    g_ptr_array_add(argv, NULL);
    g_setenv("DBUS_SYSTEM_BUS_ADDRESS", world_address(w), TRUE);
    return process_spawn((const char *const *)argv->pdata, -1);
}

unsigned
count_printed(const Process *p, const char *text)
{
    g_autofree char *out = process_stdout(p);
    unsigned found = 0;

    for (const char *at = out; (at = strstr(at, text)); at += strlen(text))
        found++;
    return found;
}

void
wait_printed_times(World *w, Process *p, const char *text, unsigned times)
{
    gint64 deadline = g_get_monotonic_time() + BOUND_MS * G_GINT64_CONSTANT(1000);

    for (;;) {
        bool is_alive = process_is_alive(p);
        gint64 now = g_get_monotonic_time();

        if (count_printed(p, text) >= times)
            return;
        if (now > deadline || !is_alive) {
            g_autofree char *out = process_stdout(p);
            g_autofree char *err = process_stderr(p);

            g_error("\"%s\" was not printed %u times; there was: %s%s", text, times, out, err);
        }
        /* Its output is a file, which cannot be polled: check again soon. */
        (void)world_turn(w, MIN(now + 20000, deadline + 1));
    }
}

void
wait_printed(World *w, Process *p, const char *text)
{
    wait_printed_times(w, p, text, 1);
}

static int
on_end(sd_event_source *source, int fd, uint32_t events, void *data)
{
    *(bool *)data = true;
    return sd_event_source_set_enabled(source, SD_EVENT_OFF);
}

void
wait_ended(World *w, Process *p)
{
    sd_event_source *source = NULL;
    bool is_over = false;

    g_assert_cmpint(
        sd_event_add_io(world_event(w), &source, process_pidfd(p), EPOLLIN, on_end, &is_over), >=,
        0);
    wait_for(w, is_over);
    sd_event_source_unref(source);
}

void
wait_status(World *w, Process *p, const char *text)
{
    g_autofree char *file = g_strdup_printf("/proc/%d/status", (int)process_pid(p));
    gint64 deadline = g_get_monotonic_time() + BOUND_MS * G_GINT64_CONSTANT(1000);

    for (;;) {
        g_autofree char *status = NULL;
        gint64 now = g_get_monotonic_time();

        g_assert_true(g_file_get_contents(file, &status, NULL, NULL));
        if (strstr(status, text))
            return;
        if (now > deadline || !process_is_alive(p))
            g_error("it does not come to \"%s\": %s", text, status);
        (void)world_turn(w, MIN(now + 5000, deadline + 1));
    }
}
