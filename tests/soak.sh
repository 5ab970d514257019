#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# tests/soak.sh MINUTES [SEED]
#
# Runs what tries to break the service for as long as asked, as root: the simulator, the proxy that
# does faults to the stream, on the embedded hypervisor and on QEMU, chaos with a real libvirtd and
# guests, floods, and what fuzzes the bus and the parsers. Each goes on until its share of the time is
# up, with new seeds. A failure ends it, names the round's seed, and leaves what was written in
# build/soak/.
#
# SEED is the first seed; by default it is taken from the clock.
set -euo pipefail

minutes=${1:?how many minutes?}
seed=${2:-$(($(date +%s) % 1000000000))}
top=$(dirname -- "$(dirname -- "$(realpath -- "$0")")")
cd "$top"

((EUID == 0)) || {
    echo "soak.sh: a libvirtd of one's own needs root" >&2
    exit 77
}
[[ -e build/build.ninja ]] || meson setup build
meson compile -C build
mkdir -p build/soak

export UNRAID_VMSD=$PWD/build/src/unraid-vmsd VMS_BUILD=$PWD/build VMS_INTERFACES=$PWD/dbus
export G_DEBUG=fatal-warnings
end=$(($(date +%s) + minutes * 60))

# sum_of LOG: how much was done, in the test's words; else how many tests it has
sum_of() {
    grep -aE '^(# .*(rounds|schedules|calls)|fuzz-|stat::number_of_executed_units)' "$1" |
        paste -sd ' ' | grep . || grep -ac '^ok ' "$1"
}

# attempt NAME MINUTES COMMAND...
attempt() {
    local name=$1 share=$2 log
    shift 2
    log=build/soak/$name-$seed.log
    if VMS_MINUTES=$share VMS_SEED=$seed "$@" >"$log" 2>&1; then
        echo "$name, seeds from $seed: $(sum_of "$log")"
        return
    fi
    echo "$name failed after: $(grep -a '^# seed' "$log" | tail -n 1)" >&2
    grep -a -E 'ERROR|Bail out' "$log" | tail -n 3 >&2 || true
    echo "the whole is in $log; where there are rounds, VMS_SEED=N VMS_ROUNDS=1 does round N again" >&2
    exit 1
}

# GLib's tests take theirs as 128 bits.
seed_for_glib() {
    echo "R02S$(md5sum <<<"$seed" | cut -c -32)"
}

# All of it each quarter of an hour, or once.
while (($(date +%s) < end)); do
    left=$(((end - $(date +%s) + 59) / 60))
    share=$((left < 15 ? (left + 2) / 3 : 5))
    attempt proxy "$share" tests/support/libvirtd-env --no-guest build/tests/libvirtd/test-proxy \
        -p /libvirtd/proxy/embedded
    attempt proxy-qemu $((share / 2 + 1)) tests/support/libvirtd-env --no-guest build/tests/libvirtd/test-proxy \
        -p /libvirtd/proxy/qemu
    attempt chaos "$share" tests/support/libvirtd-env build/tests/libvirtd/test-chaos
    attempt floods 1 build/tests/service/test-floods
    attempt simulate 1 build/tests/sim/simulate --first "$seed" --seeds 300000
    VMS_FUZZ_CALLS=10000 attempt bus 1 build/tests/service/test-fuzz --seed "$(seed_for_glib)"
    attempt parsers 1 tests/fuzz.sh 15
    seed=$((seed + 1000003))
done
echo "no failure in $minutes minutes"
