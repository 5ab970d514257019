# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The targets "arm64" and "armhf" of tests/elsewhere.sh, which sources this: a root of this machine's
# architecture with a cross-compiler and the libraries of the other one. QEMU's user mode runs what is
# built, test by test: a case that starts a program of the other architecture is skipped.

: "${roots:?}" "${counted:=}" # of tests/elsewhere.sh

# cross_packages ARCHITECTURE
cross_packages() {
    local package
    echo "crossbuild-essential-$1"
    for package in $(packages_of build); do
        case $package in
        gcc) ;;
        lib*-dev) echo "$package:$1" ;;
        *) echo "$package" ;;
        esac
    done
    printf '%s\n' dbus-daemon python3 qemu-user
}

# cross_file TRIPLET: as meson reads it. The first word of the triplet is also QEMU's and meson's name.
cross_file() {
    local family=${1%%-*}
    cat <<INI
[binaries]
c = '$1-gcc'
ar = '$1-ar'
strip = '$1-strip'
pkg-config = 'pkg-config'
exe_wrapper = 'qemu-$family'

[properties]
pkg_config_libdir = ['/usr/lib/$1/pkgconfig', '/usr/share/pkgconfig']

[host_machine]
system = 'linux'
cpu_family = '$family'
cpu = '$family'
endian = 'little'
INI
}

# cross_built TARGET SUITE ARCHITECTURE TRIPLET
cross_built() {
    local root=$roots/$1 packages
    mapfile -t packages < <(cross_packages "$3")
    make_root "$root" "$2" "$(dpkg --print-architecture)" "${packages[@]}"
    copy_sources "$root"
    cross_file "$4" >"$root/cross.ini"
    compile "$root" "$4-gcc" -Dwerror=true --cross-file=/cross.ini
    made
    inside "$root" env VMS_EMULATED=1 meson test -C "/build-$4-gcc" --no-rebuild --print-errorlogs \
        --timeout-multiplier 10 --suite unit || true
    cat "$root/build-$4-gcc/meson-logs/testlog.json" >>"$counted"
}
