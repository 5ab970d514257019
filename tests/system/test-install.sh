#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The service as it is installed: its files, its unit, its name on the bus, and that it goes without
# a trace.
set -euo pipefail
# shellcheck source=tests/system/installed.sh
source "$(dirname -- "$(realpath -- "$0")")/installed.sh"

check_installed() {
    getent passwd unraid-vms >/dev/null
    is "$(systemd-analyze verify unraid-vms.service unraid-vms@east.service 2>&1 |
        grep unraid-vms || true)" ""
    pkaction --action-id org.unraid.vms.force-stop >/dev/null
    local action
    for action in start stop pause resume force-stop reboot reset configure adjust snapshot save \
        migrate console guest read-secrets reconnect; do
        has "$(pkaction --verbose --action-id "org.unraid.vms.$action")" \
            "org.freedesktop.policykit.owner -> unix-user:unraid-vms"
    done
    is "$(pkaction --verbose --action-id org.unraid.vms.start | grep -c 'implicit.*auth_admin$')" 3
    is "$(grep -c 'xml:lang="de"' /usr/share/polkit-1/actions/org.unraid.vms.policy)" 32
    [[ -s /usr/share/dbus-1/interfaces/org.unraid.Vms.Manager.xml ]]
}

counts() {
    [[ $(systemctl show -P StatusText unraid-vms.service) == *": $1 domains" ]]
}

check_activation() {
    is "$(systemctl is-active unraid-vms.service || true)" inactive
    has "$(call bob "${manager[@]:1}" ListDomains)" '"web"'
    is "$(systemctl is-active unraid-vms.service)" active
    is "$(ps -o user= -p "$(main_pid)")" unraid-vms
    is "$(property /org/unraid/Vms Manager Status)" '"available"'
    # systemctl status knows how many there are, by now.
    is "$(systemctl show -P StatusText unraid-vms.service)" "Connected to qemu:///system: 2 domains"
    define third
    until_true counts 3
    virsh -q -c qemu:///system undefine third
    until_true counts 2
}

# Only our user may have the name, and the instances' names.
check_names() {
    local user name
    for user in root bob; do
        for name in org.unraid.Vms org.unraid.Vms.evil; do
            denied org.freedesktop.DBus.Error.AccessDenied "not allowed to own" as "$user" \
                busctl call org.freedesktop.DBus / org.freedesktop.DBus RequestName su "$name" 0
        done
    done
}

exposure() {
    systemd-analyze security --no-pager "$1" | sed -n 's/.*exposure level for .*: \([0-9.]*\) .*/\1/p'
}

check_security() {
    local figure
    figure=$(exposure unraid-vms.service)
    echo "unraid-vms.service: exposure $figure"
    awk "BEGIN { exit !($figure <= 0.5) }"
    figure=$(exposure unraid-vms@east.service)
    echo "unraid-vms@.service: exposure $figure"
    awk "BEGIN { exit !($figure <= 1.5) }"
}

# Descriptors pass through the confinement.
check_descriptors() {
    local web
    web=$(path web)
    call root "$web" org.unraid.Vms.Domain Start
    has "$(call root "$web" org.unraid.Vms.Display OpenConsole 'sa{sv}' "" 0)" "h "
    denied org.freedesktop.DBus.Error.AccessDenied "console" \
        call alice "$web" org.unraid.Vms.Display OpenConsole 'sa{sv}' "" 0
    call root "$web" org.unraid.Vms.Domain ForceStop
}

# of_alice COMMAND…: in her session, which systemd keeps for her
of_alice() {
    as alice env XDG_RUNTIME_DIR="/run/user/$(id -u alice)" "$@"
}

user_property() {
    of_alice busctl --user --timeout="$bound" get-property org.unraid.Vms /org/unraid/Vms \
        org.unraid.Vms.Manager "$1"
}

# On a user's own bus it is the user's unit, also for systemctl, and ends without the rest of it.
check_session() {
    mkdir -p ~alice/.config
    echo "LIBVIRT_URI=test:///default" >~alice/.config/unraid-vms.conf
    chown -R alice: ~alice
    is "$(of_alice systemd-analyze --user verify unraid-vms.service 2>&1 | grep unraid-vms || true)" ""
    systemctl start "user@$(id -u alice).service"
    of_alice systemctl --user start dbus.socket
    is "$(of_alice systemctl --user is-active unraid-vms.service || true)" inactive
    is "$(user_property Uri)" 's "test:///default"'
    is "$(of_alice systemctl --user is-active unraid-vms.service)" active
    is "$(of_alice systemctl --user service-log-level unraid-vms.service)" info
    has "$(of_alice vmsctl --session list)" test
    of_alice vmsctl --session force-stop test
    of_alice systemctl --user stop unraid-vms.service
    rm ~alice/.config/unraid-vms.conf
    is "$(user_property Uri)" 's "qemu:///session"'
    systemctl stop "user@$(id -u alice).service"
    # Without systemd it is the bus that starts it.
    is "$(of_alice dbus-run-session -- busctl --user get-property org.unraid.Vms /org/unraid/Vms \
        org.unraid.Vms.Manager Uri)" 's "qemu:///session"'
}

# A bus without systemd starts it by itself.
check_without_systemd() {
    local pid bus
    systemctl stop unraid-vms.service
    # Masked, or what loses its bus would have systemd start that again.
    systemctl mask --runtime --now dbus.service dbus.socket
    rm -f /run/dbus/system_bus_socket
    exec 5< <(exec dbus-daemon --system --nofork --nopidfile --print-address 2>"$scratch/bus")
    bus=$!
    read -r -t "$bound" _ <&5
    # libvirtd has lost its bus, too, and is not asked.
    is "$(property /org/unraid/Vms Manager Uri)" '"qemu:///system"'
    pid=$(busctl --system call org.freedesktop.DBus / org.freedesktop.DBus GetConnectionUnixProcessID \
        s org.unraid.Vms | cut -d' ' -f2)
    is "$(ps -o user= -p "$pid")" unraid-vms
    is "$(main_pid)" 0
    kill "$bus"
    # It ends with its bus.
    timeout "$bound" tail --pid="$pid" -s 0.05 -f /dev/null
    systemctl unmask --runtime dbus.service dbus.socket
    systemctl start dbus.socket
    until_true systemctl start polkit.service
}

check_uninstalled() {
    local file
    systemctl stop unraid-vms.service
    ninja -C "$build" uninstall >"$scratch/uninstall"
    while read -r file; do
        [[ $file == "#"* || ! -f $file ]] || fail "$file is still there"
    done <"$build/meson-logs/install-log.txt"
    systemctl daemon-reload
    busctl call org.freedesktop.DBus / org.freedesktop.DBus ReloadConfig
    denied org.freedesktop.DBus.Error.ServiceUnknown "" call root "${manager[@]:1}" ListDomains
}

run_checks installed activation names security descriptors session without_systemd uninstalled
