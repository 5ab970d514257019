# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# README's "Install", tried in a root of tests/elsewhere.sh, which sources this: the Debian package, or
# meson where Debian's release is too old for that. install-checks.sh tries what has been installed.
# Only the packages to build with stay in the root.

install_package() {
    cat <<'COMMANDS'
set -e
cd /src
apt-get -qq update
apt-get -qq install -y --no-install-recommends dpkg-dev debhelper
apt-get -qq build-dep -y --no-install-recommends ./
DEB_BUILD_OPTIONS=nocheck dpkg-buildpackage -us -uc -b
apt-get -qq install -y --no-install-recommends ../unraid-vms_*.deb ../unraid-vms-cockpit_*.deb
COMMANDS
}

purge_package() {
    cat <<'COMMANDS'
set -e
dpkg --purge unraid-vms unraid-vms-cockpit
rm /unraid-vms*
! getent passwd unraid-vms
COMMANDS
}

install_by_meson() {
    cat <<'COMMANDS'
set -e
cd /src
meson setup build --buildtype=release
meson install -C build
COMMANDS
}

# The user stays, as the owner of files that the service may have left.
purge_by_meson() {
    echo "ninja -C /src/build uninstall"
}

# Prints what is left of the service, and fails if anything is.
nothing_is_left() {
    cat <<'COMMANDS'
! find / -xdev \( -path /src -o -path '/build-*' \) -prune -o \( -iname '*unraid?vms*' -o -name vmsctl \) \
    ! -type d -print | grep .
COMMANDS
}

# in_log ROOT COUNT-AS: the commands on standard input, in the root; counted as a test
in_log() {
    local before=$SECONDS result=OK
    inside "$1" sh >"$1.$2.log" 2>&1 || {
        tail -n 20 "$1.$2.log"
        result=FAIL
    }
    count "$2" $result "$((SECONDS - before))"
}

# try_install ROOT SUITE
try_install() {
    local way=package line
    [[ $2 != bullseye ]] || way=by_meson
    "install_$way" | in_log "$1" install
    while read -r line; do
        # shellcheck disable=SC2086 # the name, the result and the seconds
        count installed-$line
    done < <(inside "$1" /src/tests/elsewhere/install-checks.sh)
    { "purge_$way" && nothing_is_left; } | in_log "$1" purge
}
