#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# tests/elsewhere.sh [--beside | --roots] TARGET...
#
# Builds and runs the unit and service tests on other systems than this one: in a root directory that
# debootstrap makes, or in the container of tests/system. Needs root. The last lines are the time that
# each target took, and the sum of all: "N passed, N failed, N skipped", in which the making of a target
# counts as one more test, called "build". Roots and builds are kept in build-elsewhere/TARGET, or below
# $VMS_ELSEWHERE, and used again; $VMS_MIRROR is Debian's mirror for debootstrap. In Debian's roots it is
# installed as README says, tried and removed: the tests "install", "installed-..." and "purge".
#
#   --beside      something else runs on this machine: without the suites "hostile", which measures, and
#                 "sim", and without "install"
#   --roots       only makes the root directories that --beside needs
#
#   debian13           gcc and clang, libvirt 11; warnings are errors
#   debian13-libvirtd  the same with a real libvirtd and guests: the suite "libvirtd"
#   debian11           gcc, and the oldest libraries that will do; warnings are errors
#   sid                gcc and clang, of Debian's unstable release
#   i386               Debian 12 on a processor of 32 bits; warnings are errors
#   arm64, armhf       Debian 13, compiled by a cross-compiler; the unit tests run in QEMU's user mode
#   dbus-broker        this system with dbus-broker for all buses; service tests, and on the system bus
#                      instances, authorisation, and no warning about the policy
#   sysvinit           Debian 13 without systemd and polkit: Slackware's package is installed and tried
#   hostdev            Debian 12 as a whole machine in QEMU: a guest in it is given a USB stick
#   musl               the syntax of the sources with musl's headers
set -euo pipefail

top=$(dirname -- "$(dirname -- "$(realpath -- "$0")")")
roots=${VMS_ELSEWHERE:-$top/build-elsewhere}
mirror=${VMS_MIRROR:-} # that of debootstrap
# shellcheck source=tests/packages.sh
source "$top/tests/packages.sh"
# shellcheck source=tests/elsewhere/install.sh
source "$top/tests/elsewhere/install.sh"
# shellcheck source=tests/elsewhere/cross.sh
source "$top/tests/elsewhere/cross.sh"
# shellcheck source=tests/elsewhere/sysvinit.sh
source "$top/tests/elsewhere/sysvinit.sh"
# shellcheck source=tests/elsewhere/hostdev.sh
source "$top/tests/elsewhere/hostdev.sh"

# The function that makes and tests it, and its arguments. Those of in_root are the suite and
# architecture of Debian, the options of meson, and the compilers; the build of the first compiler runs
# the tests.
declare -A TARGETS=(
    [debian13]="in_root trixie amd64 -Dwerror=true gcc clang"
    [debian13-libvirtd]="with_libvirtd trixie amd64 -Dwerror=true gcc"
    [debian11]="in_root bullseye amd64 -Dwerror=true gcc"
    [sid]="in_root sid amd64 -Dwerror=false gcc clang"
    [i386]="in_root bookworm i386 -Dwerror=true gcc"
    [arm64]="cross_built trixie arm64 aarch64-linux-gnu"
    [armhf]="cross_built trixie armhf arm-linux-gnueabihf"
    [dbus-broker]="on_broker"
    [sysvinit]="on_sysvinit"
    [hostdev]="on_hostdev"
    [musl]="with_musl"
)
beside=0
roots_alone=0

usage() {
    sed -n '4,27s/^# \?//p' "$0" >&2
    exit 2
}

skip() {
    echo "skipped: $*" >&2
    exit 77
}

# add_architectures ROOT PACKAGE...: those that the names of packages end with, as in libc6-dev:arm64.
add_architectures() {
    local root=$1 architecture
    shift
    for architecture in $(printf '%s\n' "$@" | sed -n 's/.*://p' | sort -u); do
        chroot "$root" dpkg --add-architecture "$architecture"
    done
}

# packages_in SUITE GROUP...: as Debian's release SUITE has them. A package that a later one has to
# give is NAME/SUITE.
packages_in() {
    local suite=$1
    shift
    case $suite in
    bullseye) packages_of "$@" | sed -e /^dbus-bin$/d -e 's,^meson$,&/bookworm,' ;;
    *) packages_of "$@" ;;
    esac
}

# add_suites ROOT PACKAGE...: those that the names of packages end with, for these packages alone.
add_suites() {
    local root=$1 suite
    shift
    for suite in $(printf '%s\n' "$@" | sed -n 's,.*/,,p' | sort -u); do
        sed -n "1s/ [a-z]* main/ $suite main/p" "$root/etc/apt/sources.list" \
            >"$root/etc/apt/sources.list.d/$suite.list"
        printf 'Package: *\nPin: release n=%s\nPin-Priority: 100\n' "$suite" \
            >"$root/etc/apt/preferences.d/$suite"
    done
}

# install_in ROOT PACKAGE...: those of an earlier install stay; there is nothing to do if it was of the same ones.
install_in() {
    local root=$1 list=$1/etc/vms-packages
    shift
    touch "$list"
    [[ -n $(printf '%s\n' "$@" | sort -u | comm -23 - "$list") ]] || return 0
    add_architectures "$root" "$@"
    add_suites "$root" "$@"
    chroot "$root" apt-get -qq update
    chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 install -y \
        --no-install-recommends "$@" >"$root.log" 2>&1 || { tail -n 20 "$root.log" >&2 && return 1; }
    rm -f "$root"/var/cache/apt/archives/*.deb "$root.log"
    printf '%s\n' "$@" | sort -u - "$list" -o "$list"
}

# make_root ROOT SUITE ARCHITECTURE PACKAGE...: it gets its name when it is complete, as one that was left
# half made is not used. One that is there gets the packages that it lacks.
make_root() {
    local root=$1 suite=$2 architecture=$3 new=$1.part
    shift 3
    ((EUID == 0)) || skip "a root directory can be made by root alone"
    command -v debootstrap >/dev/null || skip "debootstrap is not installed"
    if [[ -d $root ]]; then
        install_in "$root" "$@"
        return
    fi
    rm -rf "$new"
    mkdir -p "$roots"
    debootstrap --variant=minbase --arch="$architecture" "$suite" "$new" ${mirror:+"$mirror"} >"$new.log" ||
        skip "debootstrap makes no root: $(tail -n 1 "$new.log")"
    # A root that a crash leaves half made is not used.
    echo force-unsafe-io >"$new/etc/dpkg/dpkg.cfg.d/unsafe-io"
    # A mirror may be a snapshot, in which unstable's dates have passed; its signatures are checked still.
    echo 'Acquire::Check-Valid-Until "false";' >"$new/etc/apt/apt.conf.d/snapshot"
    printf '#!/bin/sh\nexit 101\n' >"$new/usr/sbin/policy-rc.d"
    chmod 755 "$new/usr/sbin/policy-rc.d"
    printf '127.0.0.1 localhost %s\n' "$(hostname)" >"$new/etc/hosts"
    install_in "$new" "$@"
    mv "$new" "$root"
}

# inside ROOT COMMAND...: in namespaces of its own, with which its mounts and processes end.
inside() {
    # shellcheck disable=SC2016 # the inner shell expands it
    unshare --mount --pid --fork --kill-child --propagation private bash -c '
        set -e
        root=$1
        shift
        mount --bind "$root" "$root" # a test changes the propagation of its root
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

# run_tests OPTION...: sets `tests`, the command; the options are those that choose suites.
run_tests() {
    local suites=("$@")
    ((!beside)) || suites+=(--no-suite hostile --no-suite sim)
    tests=(meson test --no-rebuild --print-errorlogs --num-processes "$(($(nproc) * 2))" "${suites[@]}")
}

# compile ROOT COMPILER OPTION...: to /build-COMPILER in there; the options are meson's, for the first time.
compile() {
    local root=$1 compiler=$2 build=/build-$2
    shift 2
    mkdir -p "$root$build"
    [[ -e $root$build/build.ninja ]] ||
        inside "$root" env CC="$compiler" meson setup "$@" "$build" /src >"$root$build/setup.log" || {
        tail -n 20 "$root$build/setup.log"
        return 1
    }
    # Debian 11's has no option "--quiet".
    inside "$root" ninja -C "$build" >"$root$build/compile.log" || {
        tail -n 40 "$root$build/compile.log"
        return 1
    }
}

# in_root TARGET SUITE ARCHITECTURE OPTION COMPILER...
in_root() {
    local root=$roots/$1 suite=$2 architecture=$3 option=$4 compiler tests packages
    shift 4
    mapfile -t packages < <(packages_in "$suite" build tests)
    [[ $* != *clang* ]] || packages+=(clang)
    make_root "$root" "$suite" "$architecture" "${packages[@]}"
    ((!roots_alone)) || return 0
    copy_sources "$root"
    for compiler; do
        compile "$root" "$compiler" "$option"
    done
    made
    run_tests --suite unit --suite service
    inside "$root" "${tests[@]}" -C "/build-$1" || true
    cat "$root/build-$1/meson-logs/testlog.json" >>"$counted"
    ((beside)) || try_install "$root" "$suite"
}

# with_libvirtd TARGET SUITE ARCHITECTURE OPTION COMPILER
with_libvirtd() {
    local root=$roots/$1 suite=$2 architecture=$3 option=$4 compiler=$5 tests packages
    local guest=/build-guest
    mapfile -t packages < <(packages_in "$suite" build tests libvirtd guests)
    make_root "$root" "$suite" "$architecture" "${packages[@]}"
    ((!roots_alone)) || return 0
    copy_sources "$root"
    compile "$root" "$compiler" "$option"
    inside "$root" /src/tests/support/guest/build-guest.sh "$guest"
    made
    run_tests --suite libvirtd
    inside "$root" env VMS_GUEST_DIR="$guest" "${tests[@]}" -C "/build-$compiler" || true
    cat "$root/build-$compiler/meson-logs/testlog.json" >>"$counted"
}

# broker_takes_policy: dbus-broker logs the rules that it does not know, and goes on without them. It reads the
# policy once more, as the first time is before the service's user is there.
broker_takes_policy() {
    local since said
    since=@$(date +%s.%6N)
    container_exec busctl call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus ReloadConfig
    container_exec journalctl --sync
    said=$(container_exec journalctl -b -u dbus.service --since="$since" -o cat --no-pager)
    ! grep -F org.unraid.Vms.conf <<<"$said" >&2
}

# counted_check NAME COMMAND...: counts it as a test
counted_check() {
    local name=$1 before=$SECONDS result=OK
    shift
    "$@" || result=FAIL
    count "$name" $result "$((SECONDS - before))"
}

# on_broker TARGET
on_broker() {
    local build=$top/build tests
    # shellcheck source=tests/system/container
    source "$top/tests/system/container"
    command -v dbus-broker-launch >/dev/null || skip "dbus-broker is not installed"
    [[ -e $build/build.ninja ]] || meson setup -Dwerror=true "$build" "$top" >/dev/null
    ninja --quiet -C "$build"
    export VMS_BUS=dbus-broker
    container_start
    [[ $(container_exec systemctl show -P ExecStart dbus.service) == */dbus-broker-launch* ]]
    made
    run_tests --suite service
    container_exec env VMS_BUS="$VMS_BUS" "${tests[@]}" -C "$build" || true
    container_exec cat "$build/meson-logs/testlog.json" >>"$counted"
    counted_check system-instances \
        container_exec env VMS_IN_CONTAINER=1 VMS_BUILD="$build" "$top/tests/system/test-instances.sh"
    counted_check policy-warnings broker_takes_policy
    container_stop
    # It wants a system on which nothing is installed yet, so it boots its own.
    counted_check system-authorization env VMS_BUILD="$build" "$top/tests/system/test-authorization.sh"
}

# with_musl TARGET
with_musl() {
    local build=$top/build
    command -v musl-gcc >/dev/null || skip "musl-tools is not installed"
    [[ -e $build/build.ninja ]] || meson setup "$build" "$top" >/dev/null
    "$top/tests/elsewhere/musl.py" "$build"
    made
}

# count NAME RESULT SECONDS: as a test, in the words of meson
count() {
    printf '{"name": "%s", "result": "%s", "duration": %d}\n' "$@" >>"$counted"
}

# Tests of the target follow.
made() {
    count build OK $SECONDS
}

# run_target TARGET FUNCTION ARGUMENT...: its build fails, or is skipped, if the function does not come
# so far as to say made.
run_target() {
    local counted=$roots/$1.json status=0
    rm -f "$counted"
    SECONDS=0
    # In the background, as errexit has no effect where a status is looked at.
    "$2" "$1" "${@:3}" &
    wait $! || status=$?
    case $status in
    0) ;;
    77) count build SKIP $SECONDS ;;
    *) count build FAIL $SECONDS ;;
    esac
    echo "$1: $SECONDS s"
}

case ${1-} in
--beside) beside=1 ;;
--roots) beside=1 roots_alone=1 ;;
esac
((!beside)) || shift
(($#)) || usage
for target; do
    [[ -v TARGETS[$target] ]] || usage
done
mkdir -p "$roots"
counts=()
for target; do
    read -ra settings <<<"${TARGETS[$target]}"
    run_target "$target" "${settings[@]}"
    counts+=("$roots/$target.json")
done
((roots_alone)) || "$top/tests/count.py" "${counts[@]}"
