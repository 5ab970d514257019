/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which object a path on the bus names. */

#include "names.h"
#include "object-path.h"

#define UUID "6695eb01-f6a4-8304-79aa-97f2502e193f"
#define PATH VMS_DOMAIN_PREFIX "/6695eb01_f6a4_8304_79aa_97f2502e193f"

static void
test_domains(void)
{
    static const struct {
        const char *path;
        const char *uuid;
    } rows[] = {
        {PATH, UUID},
        {VMS_DOMAIN_PREFIX, NULL},
        {VMS_DOMAIN_PREFIX "/", NULL},
        {VMS_ROOT_PATH, NULL},
        {"/", NULL},
        {PATH "/x", NULL},
        {PATH "0", NULL},
        {VMS_DOMAIN_PREFIX "s/6695eb01_f6a4_8304_79aa_97f2502e193f", NULL},
        /* One object, one path. */
        {VMS_DOMAIN_PREFIX "/6695EB01_f6a4_8304_79aa_97f2502e193f", NULL},
        {VMS_DOMAIN_PREFIX "/" UUID, NULL},
    };

    ObjectPath path = object_path_of_domain(UUID);
    g_assert_cmpstr(path.text, ==, PATH);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        char uuid[UUID_LENGTH + 1];

        g_assert_true(object_path_to_domain(rows[i].path, uuid) == (rows[i].uuid != NULL));
        if (rows[i].uuid)
            g_assert_cmpstr(uuid, ==, rows[i].uuid);
    }
}

static void
test_jobs(void)
{
    static const struct {
        const char *path;
        uint64_t number; /* 0: it is none */
    } rows[] = {
        {VMS_JOB_PREFIX "/1", 1},
        {VMS_JOB_PREFIX "/18446744073709551615", UINT64_MAX},
        {VMS_JOB_PREFIX "/18446744073709551616", 0},
        {VMS_JOB_PREFIX "/0", 0},
        {VMS_JOB_PREFIX "/01", 0},
        {VMS_JOB_PREFIX "/+1", 0},
        {VMS_JOB_PREFIX "/1/2", 0},
        {VMS_JOB_PREFIX "/", 0},
        {VMS_JOB_PREFIX, 0},
        {"/", 0},
        {PATH, 0},
    };

    ObjectPath none = object_path_of_job(0);
    ObjectPath seventh = object_path_of_job(7);
    g_assert_cmpstr(none.text, ==, "/");
    g_assert_cmpstr(seventh.text, ==, VMS_JOB_PREFIX "/7");
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint64_t number = 0;

        g_assert_true(object_path_to_job(rows[i].path, &number) == (rows[i].number != 0));
        if (rows[i].number)
            g_assert_cmpuint(number, ==, rows[i].number);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/object-path/domains", test_domains);
    g_test_add_func("/object-path/jobs", test_jobs);
    return g_test_run();
}
