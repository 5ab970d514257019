#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The Debian packages: dpkg-buildpackage makes them, two builds are the same, lintian has no errors
# about them, and on a real system, booted in a container, installing them gives a working service and
# a page that Cockpit finds, and purging them leaves nothing. Exits with 77, and says why, where that
# cannot be had.
set -euo pipefail

top=$(realpath -- "$(dirname -- "$0")/../..")

fail() {
    echo "FAILED: $*" >&2
    journalctl --no-pager -n 40 -u 'unraid-vms*' >&2 2>/dev/null || true
    exit 1
}

# Prints everything that an install could leave: files where packages put them, state, users, groups.
snapshot() {
    find /etc /lib /opt /srv /usr -xdev -path /etc/libvirt -prune -o -print | sort
    find /var/lib -maxdepth 1 | sort
    find /var/lib/polkit-1 /var/lib/systemd -xdev -path '*/catalog' -prune -o -print | sort
    getent passwd | sort
    getent group | sort
}

# typing PASSWORD COMMAND…: as an ordinary user who has logged in on a terminal
typing() {
    "$top/tests/system/password.py" vms-user "$@"
}

# Such a user gets polkit's question there, with the name of the machine in it.
check_password() {
    local output
    echo root:secret | chpasswd
    output=$(typing secret vmsctl autostart packaged on) || fail "the password is no help: $output"
    [[ $output == *"AUTHENTICATING FOR org.unraid.vms.adjust"* && $output == *packaged* ]] ||
        fail "polkit asked: $output"
    [[ $(vmsctl --json status packaged) == *'"Autostart":true'* ]] || fail "nothing was changed"
    output=$(typing wrong vmsctl autostart packaged off) && fail "any password will do"
    [[ $output == *"vmsctl: packaged: "* ]] || fail "it was refused so: $output"
    [[ $(vmsctl --json status packaged) == *'"Autostart":true'* ]] || fail "it was changed"
}

until_true() {
    local deadline=$((SECONDS + 90))
    until "$@"; do
        ((SECONDS < deadline)) || fail "it never came true: $*"
        sleep 0.1
    done
}

main_pid() {
    systemctl show -P MainPID unraid-vms.service
}

# For each machine: what the upgrade comes in the middle of, and the machine's state afterwards.
declare -A UPGRADES=(
    [stops]="stop --timeout 600 NAME"
    [reboots]="reboot --timeout 600 NAME"
    [pauses]="pause NAME"
    [resumes]="resume NAME"
    [is-saved]="save NAME"
    [has-snapshot]="snapshot NAME create first"
)
declare -A UPGRADED=([pauses]=paused [is-saved]=shutoff)
# The QEMUs of the others are frozen, so that libvirt does not end before they are thawed.
readonly WAITS_FOR_GUEST=" stops reboots "

signal_frozen() {
    local name
    for name in "${!UPGRADES[@]}"; do
        [[ $WAITS_FOR_GUEST == *" $name "* ]] || kill "-$1" "$(<"/run/libvirt/qemu/$name.pid")"
    done
}

# shellcheck disable=SC2317 # called by until_true
property_is() {
    [[ $(vmsctl --json status "$1") == *"\"$2\":\"$3\""* ]]
}

# shellcheck disable=SC2317 # called by until_true
has_job() {
    [[ $(vmsctl --json status "$1") == *'"Job":"/org/'* ]]
}

begin_operations() {
    local name
    for name in "${!UPGRADES[@]}"; do
        printf '%s' "<domain type='qemu'><name>$name</name><memory>65536</memory>" \
            "<os><type>hvm</type></os><devices><disk type='file' device='disk'><driver name='qemu' " \
            "type='qcow2'/><source file='/var/tmp/$name.img'/><target dev='vda' bus='virtio'/></disk>" \
            "</devices></domain>" | vmsctl define - || fail "$name cannot be defined"
        qemu-img create -q -f qcow2 "/var/tmp/$name.img" 16M
        vmsctl start "$name" || fail "$name does not start"
    done
    virsh -q suspend resumes
    until_true property_is resumes State paused
    signal_frozen STOP
    for name in "${!UPGRADES[@]}"; do
        # shellcheck disable=SC2086 # the words of the command
        vmsctl ${UPGRADES[$name]/NAME/$name} >"/var/tmp/$name.said" 2>&1 &
        until_true has_job "$name"
    done
}

# Nothing is forced or repeated, libvirt ends what it was asked for, and the journal says how each ended.
check_upgrade() {
    local package=$1 service name journal
    local -A ids
    begin_operations
    service=$(main_pid)
    for name in "${!UPGRADES[@]}"; do ids[$name]=$(virsh domid "$name"); done
    dpkg -i "$package" >/dev/null 2>&1 || fail "there is no upgrade in the middle of operations"
    [[ $(main_pid) != "$service" ]] || fail "the earlier program goes on"
    signal_frozen CONT
    journalctl --sync
    journal=$(journalctl -o cat -u unraid-vms.service)
    for name in "${!UPGRADES[@]}"; do
        until_true property_is "$name" State "${UPGRADED[$name]-running}"
        until_true property_is "$name" Job /
        [[ ${UPGRADED[$name]-} == shutoff || $(virsh domid "$name") == "${ids[$name]}" ]] ||
            fail "$name was forced or started again"
        [[ $journal == *" of \"$name\" was canceled: the service is stopping"* ]] ||
            fail "the journal does not say how it ended for $name: $(<"/var/tmp/$name.said")"
    done
    [[ $(virsh snapshot-list --name has-snapshot) == first ]] || fail "there is no snapshot"
    for name in "${!UPGRADES[@]}"; do
        [[ ${UPGRADED[$name]-} == shutoff ]] || vmsctl force-stop "$name" || fail "$name cannot be forced"
    done
    wait
}

# Of the page for Cockpit, beside the service.
check_page() {
    command -v cockpit-bridge >/dev/null || {
        echo "not checked: the page, since there is no cockpit-bridge"
        return
    }
    dpkg -i "$1" >/dev/null 2>&1 || fail "the page cannot be installed"
    [[ $(cockpit-bridge --packages) == */usr/share/cockpit/unraid-vms$'\n'* ]] ||
        fail "Cockpit does not find the page"
    dpkg --purge unraid-vms-cockpit >/dev/null 2>&1 || fail "the page cannot be removed"
}

in_container() {
    local package=$1 page=$2 user=nobody before
    before=$(mktemp)
    # The password files have backups from the first change on.
    useradd --system vms-first && userdel vms-first
    useradd vms-user
    snapshot >"$before"

    dpkg -i "$package" >/dev/null 2>&1 || fail "it cannot be installed"
    # The first call starts it, for anybody.
    [[ $(runuser -u "$user" -- vmsctl --no-ask-password service --json) == *'"Version":'* ]] ||
        fail "the service does not answer"
    [[ $(systemctl is-active unraid-vms.service) == active ]] || fail "the unit is not active"
    [[ $(ps -o user= -p "$(main_pid)") == unraid-vms ]] ||
        fail "it does not run as its own user"
    if systemctl start libvirtd.service; then
        vmsctl list >/dev/null || fail "libvirt is there, but: $(vmsctl list 2>&1)"
        printf '%s' "<domain type='qemu'><name>packaged</name><memory>65536</memory>" \
            "<os><type>hvm</type></os></domain>" | vmsctl define - || fail "nothing can be defined"
        [[ $(runuser -u "$user" -- vmsctl list --names) == *packaged* ]] || fail "it is not listed"
        runuser -u "$user" -- vmsctl --no-ask-password undefine packaged 2>/dev/null &&
            fail "anybody may undefine"
        check_password
        journalctl --sync
        [[ $(vmsctl status packaged) == *'"packaged" is done'* ]] || fail "no lines of the journal"
        check_upgrade "$package"
        vmsctl undefine packaged || fail "root may not undefine"
        systemctl stop libvirtd.service libvirtd{,-ro,-admin}.socket
    fi
    check_page "$page"
    man -w vmsctl unraid-vmsd org.unraid.Vms >/dev/null || fail "there are no manual pages"

    dpkg -i "$package" >/dev/null 2>&1 || fail "it cannot be installed again"
    [[ $(systemctl is-active unraid-vms.service) == active ]] || fail "the upgrade stopped it"
    dpkg --purge unraid-vms >/dev/null 2>&1 || fail "it cannot be removed"
    systemctl is-active --quiet unraid-vms.service && fail "it still runs"
    diff "$before" <(snapshot) >&2 || fail "something was left, or taken away"
}

if [[ ${1-} == --in-container ]]; then
    in_container "${@:2}"
    exit 0
fi

# shellcheck source=tests/system/container
source "$top/tests/system/container"
for tool in dpkg-buildpackage dh lintian; do
    command -v "$tool" >/dev/null || container_skip "there is no $tool"
done
container_check

# Beside the tree, so that the container sees it, and of the files that belong to the tree alone.
work=$(mktemp -d "/var/tmp/vms-debian-XXXXXX")
trap 'rm -rf "$work"' EXIT

# build NAME: of a copy of the tree in a folder of this name
build() {
    local sources=$work/$1/unraid-vms
    mkdir -p "$sources"
    (cd "$top" && git -c safe.directory='*' ls-files -co --exclude-standard -z |
        tar --null --files-from=- --ignore-failed-read -cf -) | tar -xf - -C "$sources"
    [[ -z ${2-} ]] || find "$sources" -exec touch -h -d "$2" {} +
    (cd "$sources" && dpkg-buildpackage -us -uc -b) >"$work/$1/log" 2>&1 || {
        tail -n 40 "$work/$1/log" >&2
        exit 1
    }
}

build first
lintian --allow-root --fail-on error "$work"/first/*.changes

# Made by somebody else, elsewhere, of files of another time, it is the same to the byte.
(
    umask 077
    export LC_ALL=C.UTF-8 TZ=Pacific/Kiritimati HOME=$work USER=somebody
    build another-place 2001-02-03
)
for deb in "$work"/first/*.deb; do
    cmp "$deb" "$work/another-place/${deb##*/}" || {
        diff <(dpkg-deb --ctrl-tarfile "$deb" | tar -tvf -; dpkg-deb -c "$deb") \
            <(dpkg-deb --ctrl-tarfile "$work/another-place/${deb##*/}" | tar -tvf -
                dpkg-deb -c "$work/another-place/${deb##*/}") >&2
        fail "two builds of ${deb##*/} differ"
    }
done

container_start
trap 'container_stop; rm -rf "$work"' EXIT
status=0
# /var/tmp of the container is the machine's, as far as it was there at the boot.
container_exec "$top/tests/system/${0##*/}" --in-container "$work"/first/unraid-vms_*.deb \
    "$work"/first/unraid-vms-cockpit_*.deb || status=$?
container_stop
exit "$status"
