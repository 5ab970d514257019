#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# tests/demo.sh: builds the service and shows it on libvirt's embedded hypervisor, on a bus of its
# own: nothing of the machine's is touched. On a terminal it ends in a shell to go on with.
set -euo pipefail

top=$(dirname -- "$(dirname -- "$(realpath -- "$0")")")
cd "$top"
# shellcheck source=tests/packages.sh
source tests/packages.sh
# shellcheck source=tests/support/private-bus.sh
source tests/support/private-bus.sh

dir='' bus='' service='' monitor=''

finish() {
    local pid
    for pid in $monitor $service $bus; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    [[ -z $dir ]] || rm -rf -- "$dir"
}

bold='' plain=''
[[ ! -t 1 ]] || bold=$'\033[1m' plain=$'\033[0m'

title() {
    printf '\n%s# %s%s\n' "$bold" "$*" "$plain"
}

show() {
    printf '%s$ %s%s\n' "$bold" "$*" "$plain"
    "$@"
}

start_service() {
    build/src/unraid-vmsd --address="$DBUS_SESSION_BUS_ADDRESS" --uri=test:///default >"$dir/log" 2>&1 &
    service=$!
    gdbus wait --session --timeout 20 org.unraid.Vms || {
        cat "$dir/log" >&2
        exit 1
    }
}

# One line for each signal; it has subscribed when it has named the owner.
start_monitor() {
    # The file is there before the monitor is, for those who read it at once.
    : >"$dir/signals"
    gdbus monitor --session --dest org.unraid.Vms >>"$dir/signals" &
    monitor=$!
    wait_signal 'is owned by' 1
}

# wait_signal TEXT COUNT: until the monitor has shown as many lines with the text.
wait_signal() {
    local seen tail
    exec 4< <(exec timeout 20 tail -n +1 -f "$dir/signals")
    tail=$!
    seen=$(grep -m "$2" -c -e "$1" <&4) || true
    kill "$tail" 2>/dev/null || true
    exec 4<&-
    ((seen >= $2)) || {
        echo "demo.sh: \"$1\" was not signalled" >&2
        exit 1
    }
}

vm_path() {
    busctl --user --json=short call org.unraid.Vms /org/unraid/Vms \
        org.unraid.Vms.Manager GetDomain s test | grep -o '/org/unraid/Vms/domain/[0-9a-f_]*'
}

go_on() {
    title "Go on yourself"
    if [[ -t 0 && -t 1 ]]; then
        echo "This shell has the bus and the service; they end with it. For example:"
        echo "  busctl --user tree org.unraid.Vms"
        echo "  busctl --user call org.unraid.Vms $vm org.unraid.Vms.Domain Pause"
        PS1='vms$ ' bash --noprofile --norc -i || true
    else
        echo "The same again, with a shell that has the service on a session bus of its own:"
        echo "  cd '$top' && dbus-run-session -- bash -c" \
            "'build/src/unraid-vmsd --session --uri=test:///default & exec bash'"
        echo "and there, for example: busctl --user tree org.unraid.Vms"
    fi
}

if ((EUID == 0)); then
    packages_install build tests
fi
[[ -e build/build.ninja ]] || meson setup build
meson compile -C build src/unraid-vmsd

dir=$(mktemp -d)
trap finish EXIT
private_bus "$dir" # for busctl --user and gdbus --session
start_service

title "The objects"
vm=$(vm_path)
show busctl --user --no-pager tree org.unraid.Vms
title "The virtual machine"
show busctl --user --no-pager introspect org.unraid.Vms "$vm" org.unraid.Vms.Domain
title "Stop it and start it again"
start_monitor
show busctl --user call org.unraid.Vms "$vm" org.unraid.Vms.Domain Stop
show busctl --user get-property org.unraid.Vms "$vm" org.unraid.Vms.Domain State
show busctl --user call org.unraid.Vms "$vm" org.unraid.Vms.Domain Start
show busctl --user get-property org.unraid.Vms "$vm" org.unraid.Vms.Domain State
title "The signals that this made"
wait_signal JobRemoved 2
sed 1,2d "$dir/signals"
go_on
