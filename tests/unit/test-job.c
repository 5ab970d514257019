/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The operation that a job of libvirt is, which somebody else may have begun. libvirt's test driver
 * has no jobs, so its function is replaced here.
 */

#include "error.h"
#include "hypervisor-job.h"

#define VIR_ENUM_SENTINELS
#include <libvirt/libvirt.h>

#include <glib.h>

#define URI  "test:///default"
#define UUID "6695eb01-f6a4-8304-79aa-97f2502e193f"

#define NOT_GIVEN (-1)

static int job_type;
static int job_operation;

int
virDomainGetJobStats(virDomainPtr dom, int *type, virTypedParameterPtr *params, int *n,
                     unsigned flags)
{
    int room = 0;

    (void)dom;
    (void)flags;
    *type = job_type;
    *params = NULL;
    *n = 0;
    if (job_operation == NOT_GIVEN)
        return 0;
    return virTypedParamsAddInt(params, n, &room, VIR_DOMAIN_JOB_OPERATION, job_operation);
}

static OperationKind
kind_of(int type, int operation)
{
    Status why = STATUS_AVAILABLE;
    g_autoptr(Error) error = NULL;
    FoundJob found = {0};
    Hypervisor *h = hypervisor_open(URI, &why, &error);

    g_assert_nonnull(h);
    job_type = type;
    job_operation = operation;
    g_assert_true(hypervisor_find_job(h, UUID, &found, &error));
    g_assert_null(found.name); /* the domain has no snapshots */
    g_assert_cmpfloat(found.progress, ==, -1);
    hypervisor_close(h);
    return found.kind;
}

static const struct {
    int operation;
    OperationKind kind;
} kinds[] = {
    {VIR_DOMAIN_JOB_OPERATION_SAVE, OPERATION_SAVE},
    {VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT, OPERATION_MIGRATE},
    {VIR_DOMAIN_JOB_OPERATION_SNAPSHOT, OPERATION_CREATE_SNAPSHOT},
    {VIR_DOMAIN_JOB_OPERATION_SNAPSHOT_REVERT, OPERATION_REVERT_SNAPSHOT},
#if LIBVIR_CHECK_VERSION(9, 0, 0)
    {VIR_DOMAIN_JOB_OPERATION_SNAPSHOT_DELETE, OPERATION_DELETE_SNAPSHOT},
#endif
};

/* A job that is in no row is none of the service's operations, such as one of a newer libvirt. */
static void
test_operations(void)
{
    unsigned known = 0;

    for (int operation = NOT_GIVEN; operation < VIR_DOMAIN_JOB_OPERATION_LAST + 2; operation++) {
        bool is_known = known < G_N_ELEMENTS(kinds) && kinds[known].operation == operation;
        OperationKind kind = is_known ? kinds[known++].kind : _OPERATION_MAX;

        g_test_message("%d", operation);
        g_assert_cmpint(kind_of(VIR_DOMAIN_JOB_UNBOUNDED, operation), ==, kind);
        g_assert_cmpint(kind_of(VIR_DOMAIN_JOB_BOUNDED, operation), ==, kind);
    }
    g_assert_cmpuint(known, ==, G_N_ELEMENTS(kinds));
    g_assert_cmpint(kind_of(VIR_DOMAIN_JOB_UNBOUNDED, G_MAXINT), ==, _OPERATION_MAX);
}

/* libvirt reports a job that has ended until it has cleaned up after it. */
static void
test_ended(void)
{
    static const int types[] = {VIR_DOMAIN_JOB_NONE, VIR_DOMAIN_JOB_COMPLETED,
                                VIR_DOMAIN_JOB_FAILED, VIR_DOMAIN_JOB_CANCELLED};

    for (unsigned i = 0; i < G_N_ELEMENTS(types); i++)
        g_assert_cmpint(kind_of(types[i], VIR_DOMAIN_JOB_OPERATION_SAVE), ==, _OPERATION_MAX);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/job/operations", test_operations);
    g_test_add_func("/job/ended", test_ended);
    return g_test_run();
}
