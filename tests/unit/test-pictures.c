/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How much memory the pictures may take that clients hold. The files are real. */

#include "pictures.h"

#include <glib.h>
#include <sys/mman.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#define ALICE 1000
#define BOB   1001
#define CAROL 1002
#define MIB   (1024 * 1024)

typedef struct {
    sd_event *event;
    Pictures *pictures;
    GArray *held; /* descriptors of those that clients hold */
} World;

static void
world_begin(World *w)
{
    g_assert_cmpint(sd_event_new(&w->event), >=, 0);
    g_assert_cmpint(pictures_new(w->event, &w->pictures), >=, 0);
    w->held = g_array_new(FALSE, FALSE, sizeof(int));
}

static void
world_end(World *w)
{
    for (unsigned i = 0; i < w->held->len; i++)
        close(g_array_index(w->held, int, i));
    g_array_unref(w->held);
    pictures_free(w->pictures);
    sd_event_unref(w->event);
}

/* As a client gets it: the service closes its own descriptor. */
static bool
give(World *w, uid_t uid, off_t bytes)
{
    int fd = memfd_create("picture", MFD_CLOEXEC);
    int client = dup(fd);

    g_assert_cmpint(ftruncate(fd, bytes), ==, 0);
    bool given = pictures_give(w->pictures, uid, fd);
    close(fd);
    if (given)
        g_array_append_val(w->held, client);
    else
        close(client);
    return given;
}

static unsigned
give_all(World *w, uid_t uid, off_t bytes)
{
    unsigned n = 0;

    while (give(w, uid, bytes))
        n++;
    return n;
}

static void
run_loop(World *w)
{
    while (sd_event_run(w->event, 0) > 0)
        ;
}

/* One user takes none of another one's. */
static void
test_user(void)
{
    World w;

    world_begin(&w);
    g_assert_cmpuint(give_all(&w, ALICE, MIB), ==, 64);
    g_assert_cmpuint(give_all(&w, BOB, 4 * MIB), ==, 16);
    world_end(&w);
}

/* All users together take none of root's, and leave one picture to each. */
static void
test_all(void)
{
    World w;

    world_begin(&w);
    g_assert_cmpuint(give_all(&w, ALICE, MIB) + give_all(&w, BOB, MIB), ==, 128);
    g_assert_cmpuint(give_all(&w, CAROL, MIB), ==, 1);
    g_assert_cmpuint(give_all(&w, 0, MIB), ==, 128);
    world_end(&w);
}

static void
test_large(void)
{
    World w;

    world_begin(&w);
    g_assert_cmpuint(give_all(&w, ALICE, 100 * MIB), ==, 1);
    world_end(&w);
}

/* A picture that is closed makes room; one that is still mapped does not. */
static void
test_room(void)
{
    World w;

    world_begin(&w);
    g_assert_cmpuint(give_all(&w, ALICE, MIB), ==, 64);
    int fd = g_array_index(w.held, int, 0);
    void *map = mmap(NULL, MIB, PROT_READ, MAP_SHARED, fd, 0);
    g_assert_true(map != MAP_FAILED);
    close(fd);
    g_array_remove_index(w.held, 0);
    run_loop(&w);
    g_assert_false(give(&w, ALICE, MIB));

    g_assert_cmpint(munmap(map, MIB), ==, 0);
    run_loop(&w);
    g_assert_true(give(&w, ALICE, MIB));
    g_assert_false(give(&w, ALICE, MIB));
    world_end(&w);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pictures/user", test_user);
    g_test_add_func("/pictures/all", test_all);
    g_test_add_func("/pictures/large", test_large);
    g_test_add_func("/pictures/room", test_room);
    return g_test_run();
}
