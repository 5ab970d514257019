/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lists the VMs and follows them, through any restart of libvirt and of the service itself, with
 * sd-bus alone:
 *     cc follow.c -o follow $(pkg-config --cflags --libs libsystemd)
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define SERVICE "org.unraid.Vms"
#define ROOT    "/org/unraid/Vms"
#define DOMAIN  SERVICE ".Domain"
#define MANAGER SERVICE ".Manager"

typedef struct Vm {
    struct Vm *next;
    char *path, *name, *state;
    unsigned listed; /* the last list that had it */
} Vm;

static Vm *vms;
static unsigned lists;
static int restarted; /* another process owns the service's name */

static void
check(int r, const char *what)
{
    if (r >= 0)
        return;
    fprintf(stderr, "%s: %s\n", what, strerror(-r));
    exit(1);
}

/* Whether it is another text. */
static int
replace(char **text, const char *new_text)
{
    if (*text && strcmp(*text, new_text) == 0)
        return 0;
    free(*text);
    *text = strdup(new_text);
    check(*text ? 0 : -ENOMEM, "strdup");
    return 1;
}

static Vm **
find(const char *path)
{
    Vm **at = &vms;

    while (*at && strcmp((*at)->path, path) != 0)
        at = &(*at)->next;
    return at;
}

static Vm *
find_or_add(const char *path)
{
    Vm **at = find(path);

    if (!*at) {
        *at = calloc(1, sizeof **at);
        check(*at ? 0 : -ENOMEM, "calloc");
        replace(&(*at)->path, path);
    }
    return *at;
}

static void
drop(const char *path)
{
    Vm **at = find(path), *vm = *at;

    if (!vm)
        return;
    printf("%s is gone\n", vm->name);
    *at = vm->next;
    free(vm->path);
    free(vm->name);
    free(vm->state);
    free(vm);
}

/* A dictionary a{sv}: takes what belongs to the VM (or NULL), and skips all else. */
static void
read_properties(sd_bus_message *m, Vm *vm)
{
    int has_news = 0, is_available;
    const char *name, *text;

    check(sd_bus_message_enter_container(m, 'a', "{sv}"), "properties");
    while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
        check(sd_bus_message_read(m, "s", &name), "property");
        if (vm && (strcmp(name, "Name") == 0 || strcmp(name, "State") == 0)) {
            check(sd_bus_message_read(m, "v", "s", &text), name);
            has_news |= replace(*name == 'N' ? &vm->name : &vm->state, text);
        } else if (!vm && strcmp(name, "Available") == 0) {
            check(sd_bus_message_read(m, "v", "b", &is_available), name);
            printf("VMs are %s\n", is_available ? "available" : "not available");
        } else {
            check(sd_bus_message_skip(m, "v"), name);
        }
        check(sd_bus_message_exit_container(m), "property");
    }
    check(sd_bus_message_exit_container(m), "properties");
    if (vm && has_news)
        printf("%s %s\n", vm->name, vm->state);
}

/* One object of a GetManagedObjects, or the body of an InterfacesAdded. */
static void
read_object(sd_bus_message *m)
{
    const char *path, *interface;

    check(sd_bus_message_read(m, "o", &path), "object");
    check(sd_bus_message_enter_container(m, 'a', "{sa{sv}}"), "interfaces");
    while (sd_bus_message_enter_container(m, 'e', "sa{sv}") > 0) {
        check(sd_bus_message_read(m, "s", &interface), "interface");
        if (strcmp(interface, DOMAIN) == 0) {
            find_or_add(path)->listed = lists;
            read_properties(m, *find(path));
        } else {
            check(sd_bus_message_skip(m, "a{sv}"), interface);
        }
        check(sd_bus_message_exit_container(m), "interface");
    }
    check(sd_bus_message_exit_container(m), "interfaces");
}

static void
read_removal(sd_bus_message *m)
{
    const char *path, *interface;

    check(sd_bus_message_read(m, "o", &path), "object");
    check(sd_bus_message_enter_container(m, 'a', "s"), "interfaces");
    while (sd_bus_message_read(m, "s", &interface) > 0)
        if (strcmp(interface, DOMAIN) == 0)
            drop(path);
}

static int
on_signal(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    const char *interface;

    if (sd_bus_message_is_signal(m, NULL, "InterfacesAdded")) {
        read_object(m);
    } else if (sd_bus_message_is_signal(m, NULL, "InterfacesRemoved")) {
        read_removal(m);
    } else if (sd_bus_message_is_signal(m, NULL, "PropertiesChanged")) {
        check(sd_bus_message_read(m, "s", &interface), "interface");
        if (strcmp(interface, DOMAIN) == 0 && *find(sd_bus_message_get_path(m)))
            read_properties(m, *find(sd_bus_message_get_path(m)));
        else if (strcmp(interface, MANAGER) == 0)
            read_properties(m, NULL);
    }
    return 0;
}

/* No signal tells how the objects of another process differ from the mirror: it is read again. */
static int
on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    const char *name, *old_owner, *new_owner;

    check(sd_bus_message_read(m, "sss", &name, &old_owner, &new_owner), "owner");
    if (strcmp(name, SERVICE) == 0 && *new_owner)
        restarted = 1;
    return 0;
}

/* NULL if the service ended meanwhile: it is asked again when the name has its next owner. */
static sd_bus_message *
call(sd_bus *bus, const char *interface, const char *method, const char *argument)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message *reply = NULL;
    int r = sd_bus_call_method(bus, SERVICE, ROOT, interface, method, &error, &reply,
                               argument ? "s" : "", argument);

    if (!sd_bus_error_has_name(&error, SD_BUS_ERROR_NO_REPLY))
        check(r, error.message ? error.message : method);
    sd_bus_error_free(&error);
    return reply;
}

static void
drop_unlisted(void)
{
    for (Vm *vm = vms, *next; vm; vm = next) {
        next = vm->next;
        if (vm->listed != lists)
            drop(vm->path);
    }
}

/* Make the mirror what the service says now. */
static void
list(sd_bus *bus)
{
    sd_bus_message *objects =
        call(bus, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", NULL);
    sd_bus_message *manager = call(bus, "org.freedesktop.DBus.Properties", "GetAll", MANAGER);

    if (!objects || !manager)
        goto end;
    lists++;
    read_properties(manager, NULL);
    check(sd_bus_message_enter_container(objects, 'a', "{oa{sa{sv}}}"), "objects");
    while (sd_bus_message_enter_container(objects, 'e', "oa{sa{sv}}") > 0) {
        read_object(objects);
        check(sd_bus_message_exit_container(objects), "object");
    }
    drop_unlisted();
end:
    sd_bus_message_unref(objects);
    sd_bus_message_unref(manager);
}

int
main(void)
{
    sd_bus *bus = NULL;
    int r;

    setvbuf(stdout, NULL, _IOLBF, 0);
    check(sd_bus_open_system(&bus), "the system bus");
    /* One subscription for all objects, before asking what there is: so nothing falls between. */
    check(sd_bus_add_match(bus, NULL,
                           "type='signal',sender='" SERVICE "',path_namespace='" ROOT "'",
                           on_signal, NULL),
          "subscribing");
    check(sd_bus_match_signal(bus, NULL, "org.freedesktop.DBus", NULL, "org.freedesktop.DBus",
                              "NameOwnerChanged", on_owner_changed, NULL),
          "subscribing");
    list(bus);
    for (;;) {
        r = sd_bus_process(bus, NULL);
        check(r, "the bus");
        if (restarted) {
            restarted = 0;
            list(bus);
        }
        if (r == 0)
            check(sd_bus_wait(bus, UINT64_MAX), "the bus");
    }
}
