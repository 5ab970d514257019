#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The service is killed, hangs, is stopped; libvirtd is restarted, goes away, changes its socket's group.
set -euo pipefail
# shellcheck source=tests/system/installed.sh
source "$(dirname -- "$(realpath -- "$0")")/installed.sh"

check_killed() {
    local pid
    until_true available true
    pid=$(main_pid)
    kill -KILL "$pid"
    until_true new_main_pid "$pid"
    has "$(call bob "${manager[@]:1}" ListDomains)" '"web"'
}

check_watchdog() {
    local pid
    mkdir -p /run/systemd/system/unraid-vms.service.d
    printf '[Service]\nWatchdogSec=2s\n' >/run/systemd/system/unraid-vms.service.d/test.conf
    systemctl daemon-reload
    systemctl restart unraid-vms.service
    pid=$(main_pid)
    kill -STOP "$pid"
    until_true new_main_pid "$pid"
    rm /run/systemd/system/unraid-vms.service.d/test.conf
    systemctl daemon-reload
    systemctl restart unraid-vms.service
    has "$(call bob "${manager[@]:1}" ListDomains)" '"web"'
}

check_stop_and_boot() {
    until_true available true
    now
    systemctl stop unraid-vms.service
    is "$(systemctl show -P Result unraid-vms.service)" success
    # That it leaves libvirt is no news of libvirt.
    is "$(entries MESSAGE_ID=5cf93210166748ec963489607541a2b2 | wc -l)" 0
    systemctl enable --now unraid-vms.service 2>/dev/null
    is "$(systemctl is-active unraid-vms.service)" active
    systemctl disable unraid-vms.service 2>/dev/null
    has "$(call bob "${manager[@]:1}" ListDomains)" '"web"'
}

check_libvirtd_restarted() {
    local web pid
    web=$(path web) pid=$(main_pid)
    call root "$web" org.unraid.Vms.Domain Start
    now
    systemctl restart libvirtd.service
    until_true available true
    is "$(property "$web" Domain State)" '"running"'
    call root "$web" org.unraid.Vms.Domain ForceStop
    is "$(main_pid)" "$pid"
}

# One entry when it goes away, one when it is back, however often it is tried meanwhile.
check_libvirtd_away() {
    until_true available true
    now
    systemctl stop libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd.service
    until_true available false
    for _ in 1 2 3 4 5; do
        denied org.unraid.Vms.Error.NotAvailable "VMs are not available" \
            call root "${manager[@]:1}" Reconnect
    done
    has "$(systemctl show -P StatusText unraid-vms.service)" "not available"
    systemctl start libvirtd.socket libvirtd.service
    until_true available true
    is "$(entries MESSAGE_ID=5cf93210166748ec963489607541a2b2 | wc -l)" 1
    is "$(entries MESSAGE_ID=d42c4b446aaa44d1b186b5ea14c1a5f6 | wc -l)" 1
}

unit_is() {
    [[ $(systemctl show -P ActiveState "$1") == "$2" ]]
}

# left_alone DAEMON: it is stopped, and its socket is not; what reads the service does not start it, what
# needs libvirt does, and so does whoever starts it.
left_alone() {
    local web
    web=$(path web)
    until_true available true
    systemctl stop "$1.service" 2>/dev/null
    until_true unit_is "$1.service" inactive
    until_true status_is stopped
    has "$(property /org/unraid/Vms Manager StatusMessage)" "socket unit starts it again"
    is "$(property "$web" Domain State)" '"shutoff"'
    # Nothing tells that nothing happens; before, it came back within a tenth of a second.
    sleep 3
    unit_is "$1.service" inactive
    call root "$web" org.unraid.Vms.Domain Start
    call root "$web" org.unraid.Vms.Domain ForceStop
    unit_is "$1.service" active

    systemctl stop "$1.service" 2>/dev/null
    until_true status_is stopped
    systemctl start "$1.service"
    until_true available true
}

status_is() {
    [[ $(property /org/unraid/Vms Manager Status) == "\"$1\"" ]]
}

check_left_alone() {
    left_alone libvirtd
}

# Debian has no virtqemud: libvirtd is given its socket, its PID file and its time-out.
check_modular() {
    local units=/run/systemd/system
    systemctl stop libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd.service
    printf '[Socket]\nListenStream=/run/libvirt/virtqemud-sock\nSocketMode=0666\n%s\n%s\n' \
        FileDescriptorName=libvirtd.socket RemoveOnStop=yes >$units/virtqemud.socket
    printf '[Service]\nType=notify\nExecStart=/usr/sbin/libvirtd --timeout 5 -p %s\n' \
        /run/virtqemud.pid >$units/virtqemud.service
    systemctl daemon-reload
    systemctl start virtqemud.socket
    until_true available true
    is "$(</run/virtqemud.pid)" "$(unit_pid virtqemud.service)"
    left_alone virtqemud
    # While a client is connected, its time does not run out; it does when the service ends, which asks for it again.
    systemctl stop unraid-vms.service
    until_true unit_is virtqemud.service inactive
    until_true available true
    unit_is virtqemud.service active
    systemctl stop virtqemud.socket virtqemud.service
    rm $units/virtqemud.socket $units/virtqemud.service
    systemctl daemon-reload
    systemctl start libvirtd.socket
    until_true available true
}

# The service watches the directory of libvirt's PID files.
check_watches() {
    local watched
    until_true available true
    watched=$(sed -n 's/^inotify .* ino:\([0-9a-f]*\) .*/\1/p' "/proc/$(main_pid)/fdinfo/"*)
    [[ $'\n'$watched$'\n' == *$'\n'"$(printf %x "$(stat -c %i /run/libvirt)")"$'\n'* ]]
}

# The socket for a group, and no rule of ours: it is in the group.
check_group() {
    mkdir -p /run/systemd/system/libvirtd.socket.d
    printf '[Socket]\nSocketMode=0660\nSocketGroup=libvirt\n' \
        >/run/systemd/system/libvirtd.socket.d/test.conf
    cp /etc/libvirt/libvirtd.conf "$scratch/"
    echo 'auth_unix_rw = "none"' >>/etc/libvirt/libvirtd.conf
    systemctl daemon-reload
    systemctl stop libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd.service
    systemctl start libvirtd.socket
    is "$(stat -c '%a %G' /run/libvirt/libvirt-sock)" "660 libvirt"
    until_true available true
    call root "$(path web)" org.unraid.Vms.Domain Start
    call root "$(path web)" org.unraid.Vms.Domain ForceStop
    cp "$scratch/libvirtd.conf" /etc/libvirt/
    rm /run/systemd/system/libvirtd.socket.d/test.conf
    systemctl daemon-reload
    systemctl stop libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd.service
    systemctl start libvirtd.socket
}

run_checks killed watchdog stop_and_boot libvirtd_restarted libvirtd_away left_alone modular \
    watches group
