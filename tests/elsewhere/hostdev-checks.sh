#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Run by the machine that hostdev.sh boots, where the service is installed. Gives one of its two USB sticks
# to a guest, and takes it back. A line for each check, its name, OK or FAIL, and seconds,
# goes to the second serial port, then "end"; the reason of a failure to the first one.
set -euo pipefail
exec >/dev/ttyS1 2>/dev/ttyS0 </dev/null

# In the guest all takes hundreds of times as long as outside of the machine, and each look at it costs.
readonly bound=1200 interval=1
readonly console=/run/vms/web.console stick=46f4:0001 card=8086:10d3
export HOME=/root LANG=C.UTF-8 LIBVIRT_DEFAULT_URI=qemu:///system VMS_GUEST_DIR=/guest
# shellcheck source=tests/elsewhere/checks.sh
source "$(dirname -- "$(realpath -- "$0")")/checks.sh"

tell_more() {
    journalctl --no-pager -o short-precise -n 40 -u unraid-vms -u libvirtd
    vmsctl device web
    tail -n 5 $console
}

# --- the devices ------------------------------------------------------------------------------

# addresses KIND MODEL: of the devices of this model, as "vmsctl host" lists them
addresses() {
    vmsctl --no-legend host "$1" | awk -v model="$2" '$2 == model { print $1 }'
}

# The USB sticks that the host itself has: the address, and what is on it.
sticks() {
    local drive usb
    for drive in /sys/block/sd*; do
        usb=$(realpath "$drive/device/../../../..") || continue
        echo "$(<"$usb/busnum"):$(<"$usb/devnum") $(head -n 1 "/dev/${drive##*/}" | tr -d '\0')"
    done 2>/dev/null
}

stick_address() {
    sticks | awk -v name="$1" '$2 == name { print $1 }'
}

are_sticks() {
    [[ $(sticks | awk '{ print $2 }' | sort | xargs) == "$*" ]]
}

# card_address MAC: of a network card that the host has
card_address() {
    basename "$(realpath "$(dirname "$(grep -l "$1" /sys/class/net/*/address)")/device")"
}

# column ADDRESS NUMBER: of the list of the host's devices of this kind
column() {
    vmsctl --no-legend host "$1" | awk -v address="$2" -v n="$3" '$1 == address { print $n }'
}

driver_is() {
    [[ $(column pci "$1" 3) == "$2" ]]
}

used_by() {
    column "$1" "$2" 5
}

# --- the guest --------------------------------------------------------------------------------

# The devices that the guest said last that it has; "" is none.
guest_has() {
    [[ $(grep -o 'VMS-GUEST-HARDWARE.*' $console | tail -n 1 | tr -d '\r' | xargs) == \
        "VMS-GUEST-HARDWARE${1:+ $1}" ]]
}

# The addresses of the host's devices that the service says that the guest has.
told_devices() {
    vmsctl --no-legend device web list | awk '$1 == "usb" || $1 == "pci" { print $2 }' | sort | xargs
}

start_guest() {
    vmsctl start web
    until_true grep -q "VMS-GUEST-READY hardware" $console
}

restart_libvirtd() {
    systemctl restart libvirtd.service
    until_true is_available
}

# --- checks -----------------------------------------------------------------------------------

check_machine() {
    local domain_xml=/src/tests/support/guest/domain-xml
    systemctl start sockets.target # the command of the kernel's command line does not wait for it
    mkdir -p /run/vms
    $domain_xml --memory 256 web hardware | virsh define /dev/stdin
    $domain_xml other bare | sed "s/model='none'/model='qemu-xhci'/" | virsh define /dev/stdin
    until_true is_available
    is "$(vmsctl list --names | sort | xargs)" "other web"
}

check_host_devices() {
    local list
    list=$(vmsctl host usb)
    echo "$list"
    vmsctl host pci
    is "$(addresses usb $stick | wc -l)" 2
    is "$(addresses pci $card | wc -l)" 2
    is "$(addresses usb $stick | sort | xargs)" "$(sticks | awk '{ print $1 }' | sort | xargs)"
    are_sticks first second
    driver_is "$(card_address 52:54:00:00:00:01)" e1000e
    is "$(column pci "$(card_address 52:54:00:00:00:01)" 4 | grep -c '^[0-9]')" 1
}

check_guest() {
    start_guest
    until_true guest_has ""
    is "$(told_devices)" ""
}

# It is the one that was asked for, which then neither the host nor another guest can have.
check_attach_usb() {
    local address
    address=$(stick_address second)
    vmsctl device web attach "$address"
    until_true guest_has "usb:$stick=second"
    is "$(told_devices)" "$address"
    is "$(used_by usb "$address")" web
    is "$(used_by usb "$(stick_address first)")" -
    until_true are_sticks first
    vmsctl start other
    ends 4 vmsctl device other attach --live "$address"
    has "$said" "in use by driver QEMU, domain web"
}

check_libvirtd_usb() {
    local address
    address=$(told_devices)
    restart_libvirtd
    is "$(told_devices)" "$address"
    guest_has "usb:$stick=second"
    vmsctl device web detach "$address"
    until_true guest_has ""
    is "$(told_devices)" ""
    is "$(used_by usb "$address")" -
    until_true are_sticks first second
}

run_checks machine host_devices guest attach_usb libvirtd_usb
echo end
