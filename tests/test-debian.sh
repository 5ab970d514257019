#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The Debian package: dpkg-buildpackage makes it, lintian has no errors about it, and on a real
# system, booted in a container, installing it gives a working service, and purging it leaves
# nothing. Exits with 77, and says why, where that cannot be had.
set -euo pipefail

top=$(dirname -- "$(dirname -- "$(realpath -- "$0")")")

fail() {
    echo "FAILED: $*" >&2
    journalctl --no-pager -n 40 -u 'unraid-vms*' >&2 2>/dev/null || true
    exit 1
}

# What an install could leave: files where packages and services put them, users and groups.
snapshot() {
    find /etc /lib /opt /srv /usr /var -xdev \( -path /var/tmp -o -path /var/log -o -path /var/cache \
        -o -path /var/lib/dpkg -o -path /var/lib/systemd/catalog \) -prune -o -print | sort
    getent passwd | sort
    getent group | sort
}

in_container() {
    local package=$1 user=nobody before
    before=$(mktemp)
    # The password files get their backups, and the bus its cache, from the first change on.
    useradd --system vms-first && userdel vms-first
    snapshot >"$before"

    dpkg -i "$package" >/dev/null 2>&1 || fail "it cannot be installed"
    # The first call starts it, for anybody.
    [[ $(runuser -u "$user" -- vmsctl --no-ask-password service --json) == *'"Version":'* ]] ||
        fail "the service does not answer"
    [[ $(systemctl is-active unraid-vms.service) == active ]] || fail "the unit is not active"
    [[ $(ps -o user= -p "$(systemctl show -P MainPID unraid-vms.service)") == unraid-vms ]] ||
        fail "it does not run as its own user"
    if systemctl start libvirtd.service; then
        vmsctl list >/dev/null || fail "libvirt is there, but: $(vmsctl list 2>&1)"
        printf '%s' "<domain type='qemu'><name>packaged</name><memory>65536</memory>" \
            "<os><type>hvm</type></os></domain>" | vmsctl define - || fail "nothing can be defined"
        [[ $(runuser -u "$user" -- vmsctl list --names) == *packaged* ]] || fail "it is not listed"
        runuser -u "$user" -- vmsctl --no-ask-password undefine packaged 2>/dev/null &&
            fail "anybody may undefine"
        vmsctl undefine packaged || fail "root may not undefine"
        systemctl stop libvirtd.service libvirtd{,-ro,-admin}.socket
    fi
    man -w vmsctl unraid-vmsd org.unraid.Vms >/dev/null || fail "there are no manual pages"

    dpkg -i "$package" >/dev/null 2>&1 || fail "it cannot be installed again"
    [[ $(systemctl is-active unraid-vms.service) == active ]] || fail "the upgrade stopped it"
    dpkg --purge unraid-vms >/dev/null 2>&1 || fail "it cannot be removed"
    systemctl is-active --quiet unraid-vms.service && fail "it still runs"
    diff "$before" <(snapshot) >&2 || fail "something was left, or taken away"
}

if [[ ${1-} == --in-container ]]; then
    in_container "$2"
    exit 0
fi

# shellcheck source=tests/container
source "$top/tests/container"
for tool in dpkg-buildpackage dh lintian; do
    command -v "$tool" >/dev/null || container_skip "there is no $tool"
done
container_check

# Beside the tree, so that the container sees it, and of the files that belong to the tree alone.
work=$(mktemp -d "/var/tmp/vms-debian-XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/unraid-vms"
(cd "$top" && git -c safe.directory='*' ls-files -co --exclude-standard -z |
    tar --null --files-from=- --ignore-failed-read -cf -) | tar -xf - -C "$work/unraid-vms"
(cd "$work/unraid-vms" && dpkg-buildpackage -us -uc -b) >"$work/log" 2>&1 || {
    tail -n 40 "$work/log" >&2
    exit 1
}
lintian --allow-root --fail-on error "$work"/*.changes

container_start
trap 'container_stop; rm -rf "$work"' EXIT
status=0
# /var/tmp of the container is the machine's, as far as it was there at the boot.
container_exec "$top/tests/${0##*/}" --in-container "$work/$(cd "$work" && echo unraid-vms_*.deb)" ||
    status=$?
container_stop
exit "$status"
