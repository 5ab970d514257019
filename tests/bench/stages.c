/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stages.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRACEFS  "/run/vms-bench-trace"
#define INSTANCE TRACEFS "/instances/vms-bench"
#define GROUP    "vmsbench"

static const struct {
    const char *event;
    const char *function;
    bool at_return;
} probes[N_STAGES] = {
    [STAGE_CALLBACK] = {"callback", "on_lifecycle", false},
    [STAGE_LOOP] = {"loop", "refresher_mark", false},
    [STAGE_READ] = {"read", "work_read_states", false},
    [STAGE_ANSWER] = {"answer", "work_read_states", true},
    [STAGE_APPLY] = {"apply", "on_apply", false},
    [STAGE_SIGNAL] = {"signal", "object_server_emit_changed", false},
};

/* --- where a function is in the program's file -------------------------------------------- */

static const Elf64_Shdr *
sections(const char *elf)
{
    return (const Elf64_Shdr *)(const void *)(elf +
                                              ((const Elf64_Ehdr *)(const void *)elf)->e_shoff);
}

static uint64_t
find_in_table(const char *elf, const Elf64_Shdr *table, const char *function)
{
    const Elf64_Shdr *all = sections(elf);
    const char *names = elf + all[table->sh_link].sh_offset;
    const Elf64_Sym *symbols = (const Elf64_Sym *)(const void *)(elf + table->sh_offset);

    for (size_t i = 0; i < table->sh_size / sizeof *symbols; i++) {
        const Elf64_Sym *symbol = &symbols[i];

        if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC || symbol->st_shndx == SHN_UNDEF ||
            !g_str_equal(names + symbol->st_name, function))
            continue;
        return symbol->st_value - all[symbol->st_shndx].sh_addr + all[symbol->st_shndx].sh_offset;
    }
    return 0;
}

/* 0: nowhere. */
static uint64_t
find_function(const char *elf, size_t size, const char *function)
{
    const Elf64_Ehdr *head = (const Elf64_Ehdr *)(const void *)elf;

    if (size < sizeof *head || head->e_ident[EI_CLASS] != ELFCLASS64)
        return 0;
    for (unsigned i = 0; i < head->e_shnum; i++)
        if (sections(elf)[i].sh_type == SHT_SYMTAB)
            return find_in_table(elf, &sections(elf)[i], function);
    return 0;
}

/* --- tracefs ------------------------------------------------------------------------------ */

static bool
put(const char *file, const char *text, int flags)
{
    int fd = open(file, O_WRONLY | O_CLOEXEC | flags);
    bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (fd >= 0)
        close(fd);
    return done;
}

static void
remove_probes(void)
{
    (void)put(INSTANCE "/events/" GROUP "/enable", "0", 0);
    for (unsigned i = 0; i < N_STAGES; i++) {
        g_autofree char *line = g_strdup_printf("-:" GROUP "/%s\n", probes[i].event);

        (void)put(TRACEFS "/uprobe_events", line, O_APPEND);
    }
}

static bool
add_probe(unsigned i, const char *program, uint64_t offset)
{
    g_autofree char *line =
        g_strdup_printf("%c:" GROUP "/%s %s:0x%" G_GINT64_MODIFIER "x\n",
                        probes[i].at_return ? 'r' : 'p', probes[i].event, program, offset);

    return offset && put(TRACEFS "/uprobe_events", line, O_APPEND);
}

static bool
add_probes(const char *program)
{
    g_autofree char *elf = NULL;
    size_t size;

    if (!g_file_get_contents(program, &elf, &size, NULL))
        return false;
    for (unsigned i = 0; i < N_STAGES; i++)
        if (!add_probe(i, program, find_function(elf, size, probes[i].function)))
            return false;
    return true;
}

static bool
open_instance(void)
{
    if (g_mkdir_with_parents(TRACEFS, 0755) < 0 ||
        mount("tracefs", TRACEFS, "tracefs", 0, NULL) < 0)
        return false;
    return g_mkdir(INSTANCE, 0755) == 0 || errno == EEXIST;
}

bool
stages_open(const char *program)
{
    bool done = open_instance();

    if (done) {
        remove_probes(); /* of a run that was interrupted */
        done = add_probes(program) && put(INSTANCE "/trace_clock", "mono", 0) &&
               put(INSTANCE "/events/" GROUP "/enable", "1", 0);
    }
    if (done)
        return true;
    g_printerr("bench: no probes: %s\n", g_strerror(errno));
    stages_close();
    return false;
}

void
stages_close(void)
{
    remove_probes();
    (void)rmdir(INSTANCE);
    (void)umount2(TRACEFS, MNT_DETACH);
}

void
stages_reset(void)
{
    (void)put(INSTANCE "/trace", "", O_TRUNC);
}

/* A line of the trace: "TASK-PID [CPU] FLAGS SECONDS: EVENT: (ADDRESS)". 0: it is not there. */
static double
first_time(const char *trace, const char *event)
{
    g_autofree char *mark = g_strdup_printf(": %s: (", event);
    const char *end = strstr(trace, mark);
    const char *begin = end;

    while (begin && begin > trace && begin[-1] != ' ')
        begin--;
    return begin ? g_ascii_strtod(begin, NULL) * 1e3 : 0;
}

bool
stages_read(double at[N_STAGES])
{
    g_autofree char *trace = NULL;
    bool complete = g_file_get_contents(INSTANCE "/trace", &trace, NULL, NULL);

    for (unsigned i = 0; complete && i < N_STAGES; i++) {
        at[i] = first_time(trace, probes[i].event);
        complete = at[i] > 0;
    }
    return complete;
}
