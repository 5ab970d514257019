#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# tests/bench.sh [--short] [OPTION...]
#
# Measures the service beside its peers: Debian's libvirt-dbus, virsh, and a program that asks
# libvirt directly with the fewest calls. All of them in one run, in turns, on one libvirtd (a
# private one, with its QEMU driver) and one private bus. Prints a table of medians and ratios, and
# leaves it in bench-results/ with the samples and a picture of the scaling. docs/BENCHMARK.md says what
# each line means. It is a measurement: it fails only where something does not work.
#
# Installs the packages that are missing; needs root.
#
#   --short        few domains, few rounds: to see that it works
#   --runs=N       each with a libvirtd, a bus and processes of its own (5; 1 with --short)
#   --minutes=N    no run begins that would end later than this
#   --rounds=N     of what takes seconds, in a run (10); what is quicker has 5 and more
#   --seconds=N    how long what does nothing is watched, and ticks of Usage, in a run (60)
#   --sizes=N,...  numbers of domains, growing (10,100,1000,10000)
#   --main=N       the one of them that meets all peers (1000)
#   --only=NAME,.. these alone, of what meets the peers: connect, memory, objects, property, buses,
#                  list, event, transition, stop, idle, usage, agent, rest, frozen, recovery
#   --output=DIR   instead of bench-results
#   --document     put the tables and the picture into docs/BENCHMARK.md, too
#   --before=REV   compare the private memory with that of the service as it was at this commit
#   --build=DIR    the build of the service to measure; by default one is made in build-bench
set -euo pipefail

top=$(dirname -- "$(dirname -- "$(realpath -- "$0")")")
cd "$top"
# shellcheck source=tests/packages.sh
source tests/packages.sh

out=bench-results build='' before='' runs=5 minutes=0 options=()
# Those that the report names: a run with these can be compared.
BENCH_OPTIONS=''
for option; do
    case $option in
    --output=* | --build=* | --document | --minutes=*) ;;
    *) BENCH_OPTIONS+=" $option" ;;
    esac
    case $option in
    --output=*) out=${option#*=} ;;
    --build=*) build=${option#*=} ;;
    --before=*) before=${option#*=} ;;
    --document) export BENCH_DOCUMENT=$top/docs/BENCHMARK.md ;;
    --runs=*) runs=${option#*=} ;;
    --minutes=*) minutes=${option#*=} ;;
    --short) runs=1 options+=("$option") ;;
    --seconds=* | --rounds=* | --sizes=* | --main=* | --only=*) options+=("$option") ;;
    *)
        sed -n '4,28s/^# \?//p' "$0" >&2
        exit 2
        ;;
    esac
done

packages_install build tests libvirtd guests bench
if [[ -z $build ]]; then
    build="build-bench"
    [[ -e $build/build.ninja ]] || meson setup "$build" >/dev/null
fi
ninja -C "$build" src/unraid-vmsd tests/bench/bench >/dev/null

if [[ -n $before ]]; then
    old="build-bench-before"
    rm -rf "$old"
    mkdir "$old"
    git archive "$before" | tar -x -C "$old"
    meson setup -Dtests=false "$old/build" "$old" >/dev/null
    ninja -C "$old/build" src/unraid-vmsd >/dev/null
    UNRAID_VMSD_BEFORE=$top/$old/build/src/unraid-vmsd
    export UNRAID_VMSD_BEFORE
fi

tests/support/guest/build-guest.sh build-guest
export BENCH_OPTIONS VMS_GUEST_DIR=$top/build-guest
UNRAID_VMSD=$(realpath "$build/src/unraid-vmsd")
export UNRAID_VMSD
SECONDS=0
for ((run = 1; run <= runs; run++)); do
    ((run == 1 || minutes == 0 || SECONDS * run / (run - 1) <= minutes * 60)) || break
    BENCH_RUN=$run tests/support/libvirtd-env --no-guest tests/bench/run "$(realpath -m "$out")" \
        "$(realpath "$build/tests/bench/bench")" "${options[@]}"
done
