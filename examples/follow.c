/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lists the VMs and follows them, through any restart of libvirt and of the service itself, with
 * sd-bus alone: their states, start times, problems, pending changes, screens, host names, systems
 * and addresses, and with --usage what they use.
 *     cc follow.c -o follow $(pkg-config --cflags --libs libsystemd)
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <time.h>

#define SERVICE       "org.unraid.Vms"
#define ROOT          "/org/unraid/Vms"
#define CONFIG        SERVICE ".Config"
#define DISPLAY       SERVICE ".Display"
#define DOMAIN        SERVICE ".Domain"
#define GUEST         SERVICE ".Guest"
#define MANAGER       SERVICE ".Manager"
#define INTERVAL_USEC UINT64_C(2000000)
#define MIB           1048576.

/* Of UTF-8, as all text of the bus is; `n` is how many bytes the character has. */
static unsigned
decode(const char *text, unsigned *n)
{
    unsigned char first = (unsigned char)*text;
    unsigned length = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    unsigned character = length == 1 ? first : first & (0x7fU >> length);

    for (*n = 1; *n < length && text[*n]; (*n)++)
        character = character << 6 | ((unsigned char)text[*n] & 0x3f);
    return character;
}

/* A terminal acts on it, or it turns the text around. */
static int
is_unseen(unsigned c)
{
    return c < ' ' || (c >= 0x7f && c < 0xa0) || (c >= 0x200e && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

/* Any text may be a guest's: such a character is printed as an escape. */
static void
put(FILE *file, const char *text)
{
    for (unsigned n; *text; text += n) {
        unsigned c = decode(text, &n);

        if (is_unseen(c))
            fprintf(file, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
        else
            fwrite(text, 1, n, file);
    }
}

static void
say(const char *name, const char *words, const char *text)
{
    put(stdout, name);
    put(stdout, words);
    put(stdout, text);
    putchar('\n');
}

static void
check(int r, const char *what)
{
    if (r >= 0)
        return;
    put(stderr, what);
    fprintf(stderr, ": %s\n", strerror(-r));
    exit(1);
}

static void
enter(sd_bus_message *m, char type, const char *contents)
{
    check(sd_bus_message_enter_container(m, type, contents), contents);
}

static void
leave(sd_bus_message *m)
{
    check(sd_bus_message_exit_container(m), "the end of a value");
}

/* Enters the next entry of a dictionary and reads its key; false where there is none. */
static int
enter_next(sd_bus_message *m, const char *types, const char **key)
{
    int r = sd_bus_message_enter_container(m, 'e', types);

    check(r, "a dictionary");
    if (r > 0)
        check(sd_bus_message_read_basic(m, *types, key), "a dictionary");
    return r > 0;
}

static void
write_available(FILE *file, sd_bus_message *m)
{
    int is_available;

    check(sd_bus_message_read(m, "v", "b", &is_available), "Available");
    fputs(is_available ? "available" : "not available", file);
}

/* Of a text or a number, in a variant or not. */
static void
write_value(FILE *file, sd_bus_message *m)
{
    const char *contents, *text;
    uint32_t number;
    char type;

    check(sd_bus_message_peek_type(m, &type, &contents), "a value");
    if (type == 'v') {
        enter(m, 'v', contents);
        write_value(file, m);
        leave(m);
    } else if (type == 'u') {
        check(sd_bus_message_read(m, "u", &number), "a number");
        fprintf(file, "%" PRIu32, number);
    } else {
        check(sd_bus_message_read(m, "s", &text), "a text");
        fputs(text, file);
    }
}

/* Local time, in whole seconds; nothing for 0. */
static void
write_time(FILE *file, sd_bus_message *m)
{
    uint64_t usec;
    char text[64] = "";
    struct tm local;

    check(sd_bus_message_read(m, "v", "t", &usec), "a time");
    time_t seconds = (time_t)(usec / 1000000);
    if (usec && localtime_r(&seconds, &local))
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
    fputs(text, file);
}

static void
write_keys(FILE *file, sd_bus_message *m)
{
    const char *key, *separator = "";

    enter(m, 'v', "a{sv}");
    enter(m, 'a', "{sv}");
    for (; enter_next(m, "sv", &key); leave(m)) {
        fprintf(file, "%s%s", separator, key);
        separator = ", ";
        check(sd_bus_message_skip(m, "v"), key);
    }
    leave(m);
    leave(m);
}

/* The values that a row has of these keys, in their order: it is read once for each of them. */
static void
write_row(FILE *file, sd_bus_message *m, const char *types, const char *between,
          const char *const *keys)
{
    const char *key, *separator = "";

    for (; *keys; keys++) {
        check(sd_bus_message_rewind(m, 0), *keys);
        for (; enter_next(m, types, &key); leave(m)) {
            if (strcmp(key, *keys) == 0) {
                fputs(separator, file);
                separator = between;
                write_value(file, m);
            } else {
                check(sd_bus_message_skip(m, types + 1), key);
            }
        }
    }
}

static void
write_rows(FILE *file, sd_bus_message *m, const char *between, const char *const *keys)
{
    const char *separator = "";

    enter(m, 'v', "aa{sv}");
    enter(m, 'a', "a{sv}");
    for (; sd_bus_message_enter_container(m, 'a', "{sv}") > 0; leave(m)) {
        fputs(separator, file);
        separator = ", ";
        write_row(file, m, "sv", between, keys);
    }
    leave(m);
    leave(m);
}

static void
write_problems(FILE *file, sd_bus_message *m)
{
    write_rows(file, m, ": ", (const char *const[]){"kind", "device", "message", NULL});
}

static void
write_addresses(FILE *file, sd_bus_message *m)
{
    write_rows(file, m, "", (const char *const[]){"address", NULL});
}

static void
write_screens(FILE *file, sd_bus_message *m)
{
    write_rows(file, m, " ", (const char *const[]){"type", "listen", "port", "socket", NULL});
}

static void
write_system(FILE *file, sd_bus_message *m)
{
    enter(m, 'v', "a{ss}");
    enter(m, 'a', "{ss}");
    write_row(file, m, "ss", " ", (const char *const[]){"name", "version", NULL});
    leave(m);
    leave(m);
}

/* The properties that are told: their value as text, the words before it, and those for no text. */
static const struct {
    const char *interface, *property;
    void (*write)(FILE *file, sd_bus_message *m);
    const char *words, *words_without;
} told[] = {
    {MANAGER, "Available", write_available, " are ", ""},
    {DOMAIN, "State", write_value, " ", ""},
    {DOMAIN, "StartedAt", write_time, " has been up since ", " is not up any more"},
    {DOMAIN, "Problems", write_problems, " has a problem: ", " has no problems any more"},
    {CONFIG, "Next", write_keys, " changes at its next start: ", " has no pending change any more"},
    {DISPLAY, "Graphics", write_screens, " has the screens ", " has no screens any more"},
    {GUEST, "Hostname", write_value, " has the host name ", " has no known host name any more"},
    {GUEST, "OsInfo", write_system, " runs ", " runs no known system any more"},
    {GUEST, "Addresses", write_addresses, " has the addresses ", " has no addresses any more"},
};
#define TOLD (sizeof told / sizeof *told)

/* The figures that are told: in which unit, with how many decimals, and the words after it. */
static const struct {
    const char *key, *type;
    double unit;
    int decimals;
    const char *words;
} figures[] = {
    {"cpu", "d", 0.01, 1, " % of a processor"},
    {"memory_rss", "t", MIB, 0, " MiB of memory"},
    {"memory_used", "t", MIB, 0, " MiB of memory in the guest"},
    {"disk_read", "d", MIB, 1, " MiB/s read from disks"},
    {"disk_write", "d", MIB, 1, " MiB/s written to disks"},
    {"net_rx", "d", MIB, 1, " MiB/s received"},
    {"net_tx", "d", MIB, 1, " MiB/s sent"},
};
#define FIGURES (sizeof figures / sizeof *figures)

/* The Manager is one of them, named "VMs". */
typedef struct Vm {
    struct Vm *next;
    char *path, *name;
    char *texts[TOLD];
    int is_new[TOLD];
    unsigned listed; /* the last list that had it */
} Vm;

static Vm *vms;
static unsigned lists;
static char *owner; /* the process that was asked */
static int wants_usage;
static sd_event_source *renewal; /* of the request for it */

/* Whether it is another text; none is as good as an empty one. */
static int
replace(char **text, const char *new_text)
{
    if (*text && strcmp(*text, new_text) == 0)
        return 0;
    int is_other = *text || *new_text;
    free(*text);
    *text = strdup(new_text);
    check(*text ? 0 : -ENOMEM, "strdup");
    return is_other;
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
    (*at)->listed = lists;
    return *at;
}

static void
drop(const char *path)
{
    Vm **at = find(path), *vm = *at;

    if (!vm)
        return;
    say(vm->name, " is gone", "");
    *at = vm->next;
    free(vm->path);
    free(vm->name);
    for (size_t i = 0; i < TOLD; i++)
        free(vm->texts[i]);
    free(vm);
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

static void
set_name(Vm *vm, const char *name)
{
    if (vm->name && strcmp(vm->name, name) != 0)
        say(vm->name, " is now called ", name);
    replace(&vm->name, name);
}

static void
set_text(Vm *vm, size_t i, sd_bus_message *m)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    check(file ? 0 : -errno, "open_memstream");
    told[i].write(file, m);
    check(fclose(file) == 0 ? 0 : -errno, "fclose");
    vm->is_new[i] |= replace(&vm->texts[i], text);
    free(text);
}

/* A dictionary a{sv}: takes what is told, and skips all else. */
static void
read_properties(sd_bus_message *m, Vm *vm, const char *interface)
{
    const char *property, *name;

    enter(m, 'a', "{sv}");
    for (; enter_next(m, "sv", &property); leave(m)) {
        size_t i = 0;

        while (i < TOLD && (strcmp(told[i].interface, interface) != 0 ||
                            strcmp(told[i].property, property) != 0))
            i++;
        if (i < TOLD) {
            set_text(vm, i, m);
        } else if (strcmp(interface, DOMAIN) == 0 && strcmp(property, "Name") == 0) {
            check(sd_bus_message_read(m, "v", "s", &name), property);
            set_name(vm, name);
        } else {
            check(sd_bus_message_skip(m, "v"), property);
        }
    }
    leave(m);
}

static void
tell(Vm *vm)
{
    for (size_t i = 0; i < TOLD; i++) {
        const char *text = vm->texts[i];

        if (vm->is_new[i])
            say(vm->name, *text ? told[i].words : told[i].words_without, text);
        vm->is_new[i] = 0;
    }
}

/* One object of a GetManagedObjects, or the body of an InterfacesAdded. */
static void
read_object(sd_bus_message *m, const char *path)
{
    const char *interface;

    if (strncmp(path, ROOT "/domain/", strlen(ROOT "/domain/")) != 0) {
        check(sd_bus_message_skip(m, "a{sa{sv}}"), path);
        return;
    }
    Vm *vm = find_or_add(path);
    enter(m, 'a', "{sa{sv}}");
    for (; enter_next(m, "sa{sv}", &interface); leave(m))
        read_properties(m, vm, interface);
    leave(m);
    tell(vm);
}

static void
read_removal(sd_bus_message *m, const char *path)
{
    const char *interface;

    enter(m, 'a', "s");
    while (sd_bus_message_read(m, "s", &interface) > 0)
        if (strcmp(interface, DOMAIN) == 0)
            drop(path);
}

static double
read_number(sd_bus_message *m, const char *type)
{
    union {
        double d;
        uint64_t t;
    } number;

    check(sd_bus_message_read(m, "v", type, &number), "a figure");
    return *type == 't' ? (double)number.t : number.d;
}

/* The figures of a domain, a{sv}; any of them may be missing, and none is negative. */
static void
tell_figures(sd_bus_message *m, const char *name)
{
    const char *key, *separator = " uses ";
    double numbers[FIGURES];
    int is_stale = 0;

    for (size_t i = 0; i < FIGURES; i++)
        numbers[i] = -1;
    enter(m, 'a', "{sv}");
    for (; enter_next(m, "sv", &key); leave(m)) {
        size_t i = 0;

        while (i < FIGURES && strcmp(figures[i].key, key) != 0)
            i++;
        if (i < FIGURES)
            numbers[i] = read_number(m, figures[i].type);
        else if (strcmp(key, "stale") == 0)
            check(sd_bus_message_read(m, "v", "b", &is_stale), key);
        else
            check(sd_bus_message_skip(m, "v"), key);
    }
    leave(m);
    put(stdout, name);
    for (size_t i = 0; i < FIGURES && !is_stale; i++) {
        if (numbers[i] < 0)
            continue;
        printf("%s%.*f%s", separator, figures[i].decimals, numbers[i] / figures[i].unit,
               figures[i].words);
        separator = ", ";
    }
    puts(is_stale ? " does not answer" : *separator == ',' ? "" : " has no figures");
}

static void
read_usage(sd_bus_message *m)
{
    const char *path;

    check(sd_bus_message_skip(m, "t"), "Usage");
    enter(m, 'a', "{oa{sv}}");
    for (; enter_next(m, "oa{sv}", &path); leave(m)) {
        if (*find(path))
            tell_figures(m, (*find(path))->name);
        else
            check(sd_bus_message_skip(m, "a{sv}"), path);
    }
}

static int
on_signal(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    const char *path = sd_bus_message_get_path(m), *interface;

    (void)userdata, (void)error;
    /* Anybody may send a signal to this connection alone, as Usage is sent. */
    if (!owner || strcmp(sd_bus_message_get_sender(m), owner) != 0)
        return 0;
    if (sd_bus_message_is_signal(m, NULL, "InterfacesAdded")) {
        check(sd_bus_message_read(m, "o", &path), "object");
        read_object(m, path);
    } else if (sd_bus_message_is_signal(m, NULL, "InterfacesRemoved")) {
        check(sd_bus_message_read(m, "o", &path), "object");
        read_removal(m, path);
    } else if (sd_bus_message_is_signal(m, NULL, "PropertiesChanged") && *find(path)) {
        check(sd_bus_message_read(m, "s", &interface), "interface");
        read_properties(m, *find(path), interface);
        tell(*find(path));
    } else if (sd_bus_message_is_signal(m, MANAGER, "Usage")) {
        read_usage(m);
    }
    return 0;
}

/* NULL if the service ended meanwhile: it is asked again when the name has its next owner. */
static sd_bus_message *
call(sd_bus *bus, const char *interface, const char *method, const char *types, ...)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message *reply = NULL;
    va_list arguments;

    va_start(arguments, types);
    int r = sd_bus_call_methodv(bus, SERVICE, ROOT, interface, method, &error, &reply, types,
                                arguments);
    va_end(arguments);
    if (!sd_bus_error_has_name(&error, SD_BUS_ERROR_NO_REPLY) &&
        !(owner && sd_bus_error_has_name(&error, SD_BUS_ERROR_SERVICE_UNKNOWN)))
        check(r, error.message ? error.message : method);
    sd_bus_error_free(&error);
    return reply;
}

static int on_renewal(sd_event_source *source, uint64_t usec, void *bus);

/* Usage comes to this connection alone, for the time that the reply says. */
static void
subscribe_usage(sd_bus *bus)
{
    sd_bus_message *reply = call(bus, MANAGER, "SubscribeUsage", "ta{sv}", INTERVAL_USEC, 0);
    uint64_t valid_for_usec;

    renewal = sd_event_source_unref(renewal);
    if (!reply)
        return;
    check(sd_bus_message_read(reply, "t", &valid_for_usec), "SubscribeUsage");
    check(sd_event_add_time_relative(sd_bus_get_event(bus), &renewal, CLOCK_MONOTONIC,
                                     valid_for_usec / 2, 0, on_renewal, bus),
          "a timer");
    sd_bus_message_unref(reply);
}

static int
on_renewal(sd_event_source *source, uint64_t usec, void *bus)
{
    (void)source, (void)usec;
    subscribe_usage(bus);
    return 0;
}

/* Make the mirror what the service says now. */
static void
list(sd_bus *bus)
{
    sd_bus_message *objects =
        call(bus, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "");
    sd_bus_message *manager = call(bus, "org.freedesktop.DBus.Properties", "GetAll", "s", MANAGER);
    const char *path;

    if (!objects || !manager)
        goto end;
    lists++;
    replace(&owner, sd_bus_message_get_sender(objects));
    set_name(find_or_add(ROOT), "VMs");
    read_properties(manager, *find(ROOT), MANAGER);
    tell(*find(ROOT));
    enter(objects, 'a', "{oa{sa{sv}}}");
    for (; enter_next(objects, "oa{sa{sv}}", &path); leave(objects))
        read_object(objects, path);
    drop_unlisted();
    if (wants_usage)
        subscribe_usage(bus);
end:
    sd_bus_message_unref(objects);
    sd_bus_message_unref(manager);
}

/* No signal tells how the objects of another process differ from the mirror: it is read again. */
static int
on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    const char *name, *old_owner, *new_owner;

    (void)userdata, (void)error;
    if (strcmp(sd_bus_message_get_sender(m), "org.freedesktop.DBus") != 0)
        return 0;
    check(sd_bus_message_read(m, "sss", &name, &old_owner, &new_owner), "owner");
    if (strcmp(name, SERVICE) != 0)
        return 0;
    renewal = sd_event_source_unref(renewal);
    if (*new_owner)
        list(sd_bus_message_get_bus(m));
    return 0;
}

int
main(int argc, char **argv)
{
    sd_bus *bus = NULL;
    sd_event *loop = NULL;

    wants_usage = argc > 1 && strcmp(argv[1], "--usage") == 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    check(sd_event_default(&loop), "the loop");
    check(sd_bus_open_system(&bus), "the system bus");
    check(sd_bus_attach_event(bus, loop, 0), "the loop");
    check(sd_bus_set_exit_on_disconnect(bus, 1), "the loop");
    /* One subscription for all objects, before asking what there is: so nothing falls between. */
    check(sd_bus_add_match(bus, NULL,
                           "type='signal',sender='" SERVICE "',path_namespace='" ROOT "'",
                           on_signal, NULL),
          "subscribing");
    check(sd_bus_match_signal(bus, NULL, "org.freedesktop.DBus", NULL, "org.freedesktop.DBus",
                              "NameOwnerChanged", on_owner_changed, NULL),
          "subscribing");
    list(bus);
    return sd_event_loop(loop);
}
