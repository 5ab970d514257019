#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Tries the service as it is installed in the root that this runs in, with a system bus that it starts: no
# systemd runs there, so the bus starts the service, which is on libvirt's embedded hypervisor. Prints a
# line for each check: its name, OK or FAIL, and seconds.
set -euo pipefail

readonly bound=60 interval=0.05
# shellcheck source=tests/elsewhere/checks.sh
source "$(dirname -- "$(realpath -- "$0")")/checks.sh"

tell_more() {
    cat /tmp/bus
}

main_pid() {
    dbus-send --system --print-reply=literal --dest=org.freedesktop.DBus / \
        org.freedesktop.DBus.GetConnectionUnixProcessID string:org.unraid.Vms | sed 's/.* //'
}

# status_of FIELD: of the service's process
status_of() {
    awk -v field="$1:" '$1 == field { $1 = ""; print substr($0, 2) }' "/proc/$(main_pid)/status"
}

# The first call starts it, for anybody.
check_first_call() {
    said=$(setpriv --reuid=nobody --regid=nogroup --clear-groups vmsctl --no-ask-password list)
    has "$said" test
}

check_user() {
    is "$(status_of Uid)" "$(id -u unraid-vms | sed 's/.*/& & & &/')"
    is "$(status_of CapEff)" 0000000000000000
    is "$(status_of NoNewPrivs)" 1
}

check_operations() {
    is "$(state_of test)" running
    vmsctl force-stop test
    is "$(state_of test)" shutoff
    vmsctl start test
    is "$(state_of test)" running
}

# polkit is not asked for root, and nobody else may.
check_ordinary_user() {
    ends 6 setpriv --reuid=nobody --regid=nogroup --clear-groups vmsctl --no-ask-password force-stop test
    is "$(state_of test)" running
}

check_files() {
    local file
    is "$(find /usr/share/dbus-1/interfaces -name 'org.unraid.Vms.*.xml' | wc -l)" \
        "$(find /src/dbus -maxdepth 1 -name 'org.unraid.Vms.*.xml' | wc -l)"
    for file in /usr/share/polkit-1/actions/org.unraid.vms.policy /usr/share/dbus-1/system.d/org.unraid.Vms.conf \
        /usr/share/cockpit/unraid-vms/manifest.json; do
        [[ -s $file ]] || fail "there is no $file"
    done
    grep -q 'xml:lang="de"' /usr/share/polkit-1/actions/org.unraid.vms.policy || fail "there is no German"
}

# The service ends with its bus.
check_end() {
    local pid
    pid=$(main_pid)
    kill "$bus"
    timeout "$bound" tail --pid="$pid" -s "$interval" -f /dev/null
}

mkdir -p /run/dbus
echo "LIBVIRT_URI=test:///default" >/etc/unraid-vms.conf
dbus-daemon --system --nofork --nopidfile >/tmp/bus 2>&1 &
bus=$!
until_true test -S /run/dbus/system_bus_socket
run_checks first_call user operations ordinary_user files end
rm /etc/unraid-vms.conf
