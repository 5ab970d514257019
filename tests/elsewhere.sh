#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# tests/elsewhere.sh TARGET...
#
# Builds and runs the unit and service tests on other systems than this one, each in a root directory
# that debootstrap makes (as root; else it is skipped). The last line is the sum of all targets: "N
# passed, N failed, N skipped". Roots and builds are kept in build-elsewhere/TARGET, or below
# $VMS_ELSEWHERE, and used again.
#
#   debian13   gcc and clang, libvirt 11; warnings are errors
#   i386       Debian 12 on a processor of 32 bits; warnings are errors
set -euo pipefail

top=$(dirname -- "$(dirname -- "$(realpath -- "$0")")")
roots=${VMS_ELSEWHERE:-$top/build-elsewhere}
mirror=${VMS_MIRROR:-} # that of debootstrap
# shellcheck source=tests/packages.sh
source "$top/tests/packages.sh"

# The suite and architecture of Debian, the options of meson, and the compilers. The build of the
# first compiler runs the tests.
declare -A TARGETS=(
    [debian13]="trixie amd64 -Dwerror=true gcc clang"
    [i386]="bookworm i386 -Dwerror=true gcc"
)

usage() {
    sed -n '4,14s/^# \?//p' "$0" >&2
    exit 2
}

skip() {
    echo "skipped: $*" >&2
    exit 77
}

# A root gets its name when it is complete: one that was left half made is not used.
make_root() {
    local root=$1 suite=$2 architecture=$3 new=$1.part packages
    [[ ! -d $root ]] || return 0
    rm -rf "$new"
    mkdir -p "$roots"
    debootstrap --variant=minbase --arch="$architecture" "$suite" "$new" ${mirror:+"$mirror"} >"$new.log" ||
        { tail -n 20 "$new.log" >&2 && return 1; }
    printf '#!/bin/sh\nexit 101\n' >"$new/usr/sbin/policy-rc.d"
    chmod 755 "$new/usr/sbin/policy-rc.d"
    printf '127.0.0.1 localhost %s\n' "$(hostname)" >"$new/etc/hosts"
    packages=$(packages_of build tests)
    [[ ${*:4} != *clang* ]] || packages+=" clang"
    # shellcheck disable=SC2086 # the list is made of words
    chroot "$new" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 install -y \
        --no-install-recommends $packages >>"$new.log" 2>&1 || { tail -n 20 "$new.log" >&2 && return 1; }
    rm -f "$new"/var/cache/apt/archives/*.deb "$new.log"
    mv "$new" "$root"
}

# inside ROOT COMMAND...: in namespaces of its own, with which its mounts and processes end.
inside() {
    # shellcheck disable=SC2016 # the inner shell expands it
    unshare --mount --pid --fork --kill-child --propagation private bash -c '
        set -e
        root=$1
        shift
        mount -t proc proc "$root/proc"
        mount --rbind /sys "$root/sys"
        mount --rbind /dev "$root/dev"
        mount -t tmpfs tmpfs "$root/run"
        mount -t tmpfs tmpfs "$root/tmp"
        exec chroot "$root" env -i HOME=/root LANG=C.UTF-8 TERM=dumb \
            PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"' - "$@"
}

# Tracked and new files as they are; the builds stay, and compile what changed.
copy_sources() {
    rm -rf "$1/src"
    mkdir "$1/src"
    git -C "$top" ls-files -z --cached --others --exclude-standard --deduplicate |
        tar -C "$top" -c --null --ignore-failed-read -T - | tar -C "$1/src" -x
}

# run_target TARGET SUITE ARCHITECTURE OPTION COMPILER...
run_target() {
    local root=$roots/$1 suite=$2 architecture=$3 option=$4 compiler
    shift 4
    rm -f "$root/counted.json"
    make_root "$root" "$suite" "$architecture" "$@"
    copy_sources "$root"
    for compiler; do
        [[ -e $root/build-$compiler/build.ninja ]] ||
            inside "$root" env CC="$compiler" meson setup "$option" "/build-$compiler" /src >/dev/null
        inside "$root" ninja --quiet -C "/build-$compiler"
    done
    inside "$root" meson test -C "/build-$1" --no-rebuild --print-errorlogs --num-processes "$(($(nproc) * 2))" \
        --suite unit --suite service || true
    cp "$root/build-$1/meson-logs/testlog.json" "$root/counted.json"
    counted+=("$root")
}

(($#)) || usage
for target; do
    [[ -v TARGETS[$target] ]] || usage
done
((EUID == 0)) || skip "a root directory can be made by root alone"
command -v debootstrap >/dev/null || skip "debootstrap is not installed"
counted=()
for target; do
    read -ra settings <<<"${TARGETS[$target]}"
    run_target "$target" "${settings[@]}"
done
"$top/tests/count.py" "${counted[@]}"
