/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a command of vmsctl is: a row of the table in verbs.c, and a function in a file of its own.
 */
#pragma once

#include "client.h"

typedef struct Verb {
    const char *name;
    const char *arguments; /* as in the help; NULL where there are none */
    const char *summary;
    const GOptionEntry *options; /* may be NULL */
    int min, max;                /* arguments; max -1: any number */
    ExitStatus (*run)(Client *client, const struct Verb *verb, char **arguments);
    bool is_heading;
} Verb;

/* Ends with a row without a name. */
extern const Verb verbs[];

#define VERB(name) ExitStatus name(Client *client, const Verb *verb, char **arguments)

VERB(verb_list);
VERB(verb_status);
VERB(verb_monitor);
VERB(verb_top);
VERB(verb_service);
VERB(verb_reconnect);
VERB(verb_jobs);
VERB(verb_cancel);
VERB(verb_operation);
VERB(verb_save);
VERB(verb_discard);
VERB(verb_suspend);
VERB(verb_migrate);
VERB(verb_autostart);
VERB(verb_define);
VERB(verb_undefine);
VERB(verb_xml);
VERB(verb_edit);
VERB(verb_rename);
VERB(verb_set_memory);
VERB(verb_set_vcpus);
VERB(verb_device);
VERB(verb_console);
VERB(verb_screenshot);
VERB(verb_send_key);
VERB(verb_addresses);
VERB(verb_snapshot);

extern const GOptionEntry list_options[];
extern const GOptionEntry status_options[];
extern const GOptionEntry top_options[];
extern const GOptionEntry start_options[];
extern const GOptionEntry stop_options[];
extern const GOptionEntry reboot_options[];
extern const GOptionEntry save_options[];
extern const GOptionEntry migrate_options[];
extern const GOptionEntry undefine_options[];
extern const GOptionEntry xml_options[];
extern const GOptionEntry hardware_options[];
extern const GOptionEntry console_options[];
extern const GOptionEntry screenshot_options[];
extern const GOptionEntry send_key_options[];
extern const GOptionEntry addresses_options[];
extern const GOptionEntry snapshot_options[];
