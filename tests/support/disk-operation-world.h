/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One operation on a disk: the test is the clock, the hypervisor and QEMU. Every effect is a word
 * in a log, which is compared with what it should be.
 *
 *     running(&a_pull, "start-pull");
 *     over(BLOCK_JOB_COMPLETED);
 *     expect("done");
 *     end_world();
 */

#include "disk-operation.h"

#define MSEC     UINT64_C(1000)
#define MAY_HAVE "it may have been carried out"

typedef struct {
    DiskOperation *op;
    uint64_t now;
    uint64_t armed;
    GString *log;
    bool may_withdraw;
    bool finished;
    OperationResult result;
    Error *error;
} World;

extern World world;

extern const DiskOperationSpec a_commit, a_pull, a_copy, a_move, a_resize;

/* NULL: a job that others began. */
void begin_world(const DiskOperationSpec *spec);
void end_world(void);
/* Started, with the layers "top middle base". */
void running(const DiskOperationSpec *spec, const char *start);

/* All words since the last time. */
void expect(const char *log);
void expect_error(ErrorKind kind, const char *words);

/* The call that is under way returns. */
void done(CallOutcome outcome);
void chain(const char *layers, bool is_active);
void polled(BlockJobType type, double progress, bool ready);

void elapse(void);
void event(BlockJobEvent about);
/* An event tells the end, and a poll shows that it is so. */
void over(BlockJobEvent about);
void connection(bool connected);
void cancel(ErrorKind kind);
