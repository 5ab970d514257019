/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "problems.h"

static const char *const kind_names[_PROBLEM_KIND_MAX] = {
    [PROBLEM_IO_ERROR] = "io-error",
    [PROBLEM_NO_SPACE] = "no-space",
    [PROBLEM_WATCHDOG] = "watchdog",
    [PROBLEM_PANICKED] = "panicked",
    [PROBLEM_MEMORY_FAILURE] = "memory-failure",
    [PROBLEM_CONTROL_ERROR] = "control-error",
    [PROBLEM_UNRESPONSIVE] = "unresponsive",
};

static void
free_problem(gpointer data)
{
    Problem *problem = data;

    g_free((char *)problem->device);
    g_free((char *)problem->message);
    g_free(problem);
}

static bool
has(const GPtrArray *problems, const Problem *problem)
{
    for (unsigned i = 0; problems && i < problems->len; i++) {
        const Problem *other = problems->pdata[i];

        if (other->kind == problem->kind && g_str_equal(other->device, problem->device))
            return true;
    }
    return false;
}

/* How many came before that time, or at it: some are told of later than others that came after
 * them. */
static unsigned
count_older(const GPtrArray *problems, uint64_t since)
{
    unsigned n = problems->len;

    while (n > 0 && ((const Problem *)problems->pdata[n - 1])->since > since)
        n--;
    return n;
}

bool
problems_add(GPtrArray **problems, const Problem *problem)
{
    if (has(*problems, problem))
        return false;
    if (!*problems)
        *problems = g_ptr_array_new_with_free_func(free_problem);

    Problem *copy = g_memdup2(problem, sizeof *problem);
    copy->device = g_strdup(problem->device);
    copy->message = g_strdup(problem->message);
    g_ptr_array_insert(*problems, (int)count_older(*problems, copy->since), copy);
    return true;
}

/* --- how they go -------------------------------------------------------------------------- */

typedef bool (*IsOver)(const Problem *problem, const void *data);

static bool
remove_those(GPtrArray **problems, IsOver is_over, const void *data)
{
    bool removed = false;

    for (unsigned i = *problems ? (*problems)->len : 0; i-- > 0;)
        if (is_over((*problems)->pdata[i], data)) {
            g_ptr_array_remove_index(*problems, i);
            removed = true;
        }
    if (*problems && (*problems)->len == 0)
        g_clear_pointer(problems, g_ptr_array_unref);
    return removed;
}

static bool
is_like(const Problem *problem, const void *data)
{
    const Problem *wanted = data;

    return problem->kind == wanted->kind &&
           (!wanted->device || g_str_equal(problem->device, wanted->device));
}

bool
problems_remove(GPtrArray **problems, ProblemKind kind, const char *device)
{
    return remove_those(problems, is_like, &(Problem){.kind = kind, .device = device});
}

static bool
is_libvirts(const Problem *problem)
{
    return problem->kind == PROBLEM_CONTROL_ERROR || problem->kind == PROBLEM_UNRESPONSIVE;
}

static bool
is_ended(const Problem *problem, const void *data)
{
    switch (*(const ProblemsEnd *)data) {
    case PROBLEMS_END_RESUMED:
        return !is_libvirts(problem) && !problem->reported;
    case PROBLEMS_END_RESET:
        return !is_libvirts(problem);
    case PROBLEMS_END_OFF:
        return problem->kind != PROBLEM_UNRESPONSIVE;
    }
    return false;
}

bool
problems_end(GPtrArray **problems, ProblemsEnd end)
{
    return remove_those(problems, is_ended, &end);
}

static bool
is_of_no_device(const Problem *problem, const void *data)
{
    Row disk;

    if (*problem->device == '\0')
        return false;
    for (Rows disks = *(const Rows *)data; rows_take(&disks, &disk);)
        if (g_str_equal(row_text(disk, ROW_TARGET), problem->device))
            return false;
    return true;
}

bool
problems_keep_devices(GPtrArray **problems, Rows disks)
{
    return remove_those(problems, is_of_no_device, &disks);
}

/* --- rows --------------------------------------------------------------------------------- */

void
problems_write(const GPtrArray *problems, RowBuilder *rows)
{
    for (unsigned i = 0; problems && i < problems->len; i++) {
        const Problem *problem = problems->pdata[i];

        row_builder_begin(rows);
        row_builder_text(rows, ROW_KIND, kind_names[problem->kind]);
        row_builder_text(rows, ROW_DEVICE, problem->device);
        row_builder_text(rows, ROW_MESSAGE, problem->message);
        row_builder_number(rows, ROW_SINCE, problem->since);
        row_builder_end(rows);
    }
}
