#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The one list of Debian packages, in groups, and packages_install GROUP... which installs what is
# missing (as root; nothing to do is quick). No service of the host is started by it.
# Source it, or run it: tests/packages.sh [--list] [GROUP...] (no group: all of them).
set -euo pipefail

declare -A PACKAGES=(
    [build]="gcc libc6-dev pkg-config meson ninja-build libvirt-dev libsystemd-dev libglib2.0-dev
        libxml2-dev gettext"
    # For the tests on the embedded hypervisor and on a private bus.
    [tests]="dbus dbus-bin dbus-broker systemd libglib2.0-bin python3 xz-utils util-linux iproute2
        procps psmisc"
    # gcc brings its own. libclang-rt-dev is that of the release's clang.
    [sanitizers]="clang libclang-rt-dev llvm"
    # vmsctl: completion, and what checks the manual pages and the metrics.
    [vmsctl]="bash-completion man-db mandoc python3-prometheus-client"
    # The example clients; the one for Node.js takes dbus-next from npm.
    [clients]="python3-dasbus nodejs npm"
    # The Debian package.
    [debian]="git dpkg-dev debhelper lintian"
    # The packages of others, as far as they can be tried here.
    [packaging]="git rpm rpmlint makepkg"
    # A libvirtd of one's own and guests in it.
    [libvirtd]="libvirt-daemon libvirt-daemon-system libvirt-daemon-driver-qemu libvirt-clients
        qemu-system-x86 qemu-utils seabios ipxe-qemu dnsmasq-base strace"
    # The peers to measure beside.
    [bench]="libvirt-dbus libvirt-clients python3"
    [guests]="busybox-static cpio dpkg-dev kmod e2fsprogs xz-utils"
    # A booted system: systemd, journald, logind, polkitd and a bus with activation.
    [container]="systemd-container systemd-sysv dbus dbus-user-session libpam-systemd polkitd
        openssh-server openssh-client openssl"
    # Other systems to build and test on.
    [elsewhere]="debootstrap musl-tools"
    # Which lines the tests run.
    [coverage]="gcovr"
    # The page, in a browser.
    [page]="cockpit-ws cockpit-bridge cockpit-system sudo chromium nodejs fonts-dejavu-core"
    [lint]="git shellcheck clang-format clang-tidy cppcheck"
)

packages_of() {
    local group
    for group; do
        [[ -v PACKAGES[$group] ]] || {
            echo "packages.sh: no such group: $group" >&2
            return 2
        }
        # shellcheck disable=SC2086 # the list is made of words
        printf '%s\n' ${PACKAGES[$group]}
    done | sort -u
}

# Installed under their own names, or provided by another package.
packages_present() {
    dpkg-query -W -f '${db:Status-Abbrev} ${Package}, ${Provides}\n' |
        sed -n 's/^ii *//p' | tr ',' '\n' | awk 'NF { print $1 }' | sort -u
}

packages_missing() {
    comm -23 <(packages_of "$@") <(packages_present)
}

# Debian asks this program whether a package may start its services.
packages_hold_services() {
    [[ -e /usr/sbin/policy-rc.d ]] && return
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
}

# From the next boot on it would be the bus of the machine, and of the containers of the tests.
packages_leave_bus() {
    [[ " $* " == *" dbus-broker "* ]] || return 0
    systemctl --root=/ disable dbus-broker.service
    systemctl --root=/ --global disable dbus-broker.service
}

packages_install() {
    local missing
    (($#)) || set -- "${!PACKAGES[@]}"
    mapfile -t missing < <(packages_missing "$@")
    ((${#missing[@]})) || return 0
    ((EUID == 0)) || {
        echo "packages.sh: not root, so these stay missing: ${missing[*]}" >&2
        return 1
    }
    echo "packages.sh: installing ${missing[*]}" >&2
    (
        export DEBIAN_FRONTEND=noninteractive
        packages_hold_services
        apt-get -qq update
        apt-get -qq install -y --no-install-recommends -o Dpkg::Use-Pty=0 "${missing[@]}"
        packages_leave_bus "${missing[@]}"
    ) >&2
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    if [[ ${1-} == --list ]]; then
        shift
        (($#)) || set -- "${!PACKAGES[@]}"
        packages_of "$@"
    else
        packages_install "$@"
    fi
fi
