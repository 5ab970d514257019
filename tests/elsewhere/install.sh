# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# README's "Install", tried in a root of tests/elsewhere.sh, which sources this: the Debian package, or
# meson where Debian's release is too old for that. Only the packages to build with stay in the root.

install_package() {
    cat <<'SH'
set -e
cd /src
apt-get -qq update
apt-get -qq install -y --no-install-recommends dpkg-dev debhelper
apt-get -qq build-dep -y --no-install-recommends ./
DEB_BUILD_OPTIONS=nocheck dpkg-buildpackage -us -uc -b
apt-get -qq install -y --no-install-recommends ../unraid-vms_*.deb ../unraid-vms-cockpit_*.deb
vmsctl --version
dpkg --purge unraid-vms unraid-vms-cockpit
rm ../unraid-vms*
SH
}

install_by_meson() {
    cat <<'SH'
set -e
cd /src
meson setup build --buildtype=release
meson install -C build
vmsctl --version
ninja -C build uninstall
SH
}

# try_install ROOT SUITE
try_install() {
    local result=OK before=$SECONDS way=install_package
    [[ $2 != bullseye ]] || way=install_by_meson
    "$way" | inside "$1" sh >"$1.install.log" 2>&1 || {
        tail -n 20 "$1.install.log"
        result=FAIL
    }
    count install $result "$((SECONDS - before))"
}
