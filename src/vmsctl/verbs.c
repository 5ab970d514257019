/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "verb.h"

#define HEADING(text)                                                                              \
    {                                                                                              \
        .name = (text), .is_heading = true                                                         \
    }

const Verb verbs[] = {
    HEADING("See"),
    {"list", "[PATTERN…]", "List the VMs", list_options, 0, -1, verb_list},
    {"status", "VM…", "All about VMs, with their last journal lines", status_options, 1, -1,
     verb_status},
    {"monitor", "[VM…]", "Follow states, jobs and availability, a line for each change", NULL, 0,
     -1, verb_monitor},
    {"top", "[VM…]", "Live figures of the VMs", top_options, 0, -1, verb_top},
    {"service", NULL, "Is the hypervisor there, since when, and if not why not", NULL, 0, 0,
     verb_service},
    {"jobs", NULL, "List the operations under way", NULL, 0, 0, verb_jobs},

    HEADING("Operate"),
    {"start", "VM…", "Start VMs, resume paused ones, wake sleeping ones", start_options, 1, -1,
     verb_operation},
    {"stop", "VM…", "Ask VMs to power off; force those that are not off in time", stop_options, 1,
     -1, verb_operation},
    {"pause", "VM…", "Pause running VMs", NULL, 1, -1, verb_operation},
    {"resume", "VM…", "Resume paused VMs", NULL, 1, -1, verb_operation},
    {"force-stop", "VM…", "Cut the power", NULL, 1, -1, verb_operation},
    {"reboot", "VM…", "Power VMs off and on again, never by force", reboot_options, 1, -1,
     verb_operation},
    {"reset", "VM…", "Cut the power and boot again", NULL, 1, -1, verb_operation},
    {"save", "VM…", "Save the memory to disk and stop; start goes on from there", save_options, 1,
     -1, verb_save},
    {"discard", "VM…", "Throw away what save saved", NULL, 1, -1, verb_discard},
    {"suspend", "VM [memory|disk|hybrid]", "Ask the guest to go to sleep", NULL, 1, 2,
     verb_suspend},
    {"migrate", "VM URI", "Move a VM to another host", migrate_options, 2, 2, verb_migrate},
    {"cancel", "JOB|VM…", "Cancel operations under way", NULL, 1, -1, verb_cancel},

    HEADING("Configure"),
    {"define", "FILE…", "Define VMs from XML files (- is standard input)", NULL, 1, -1,
     verb_define},
    {"undefine", "VM…", "Remove the configuration of VMs", undefine_options, 1, -1, verb_undefine},
    {"xml", "VM", "Print the XML of a VM", xml_options, 1, 1, verb_xml},
    {"edit", "VM", "Edit the XML of a VM", NULL, 1, 1, verb_edit},
    {"rename", "VM NAME", "Give a VM another name", NULL, 2, 2, verb_rename},
    {"autostart", "VM… on|off", "Start VMs with the host, or not", NULL, 2, -1, verb_autostart},
    {"set-memory", "VM SIZE", "Change the memory (512M, 4G; MiB without a unit)", hardware_options,
     2, 2, verb_set_memory},
    {"set-vcpus", "VM NUMBER", "Change the number of virtual CPUs", hardware_options, 2, 2,
     verb_set_vcpus},
    {"attach", "VM FILE", "Attach the device that an XML file describes", hardware_options, 2, 2,
     verb_device},
    {"detach", "VM FILE", "Detach the device that an XML file describes", hardware_options, 2, 2,
     verb_device},
    {"update", "VM FILE", "Change the device that an XML file describes", hardware_options, 2, 2,
     verb_device},
    {"snapshot", "VM [list|create|revert|delete|xml] [NAME]", "Work with snapshots",
     snapshot_options, 1, 3, verb_snapshot},

    HEADING("Use"),
    {"console", "VM [DEVICE]", "The serial console; ^] leaves", NULL, 1, 2, verb_console},
    {"screenshot", "VM FILE", "Write what the VM shows into a picture file", screenshot_options, 2,
     2, verb_screenshot},
    {"send-key", "VM KEYS…", "Press keys, as in ctrl-alt-delete; one after the other",
     send_key_options, 2, -1, verb_send_key},
    {"addresses", "VM", "Network addresses of the guest", addresses_options, 1, 1, verb_addresses},

    HEADING("Service"),
    {"reconnect", NULL, "Drop the connection to the hypervisor and make a new one", NULL, 0, 0,
     verb_reconnect},
    {0},
};
