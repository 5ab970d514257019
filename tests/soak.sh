#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# tests/soak.sh MINUTES [SEED]
#
# Runs what tries to break the service for as long as asked, as root: the simulator (where it is
# built), the proxy that does faults to the stream, chaos with a real libvirtd and guests, and floods.
# Each test goes on until its share of the time is up, with new seeds. A failure ends it, names the
# round's seed, and leaves what was written in build/soak/.
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

export UNRAID_VMSD=$PWD/build/src/unraid-vmsd VMS_BUILD=$PWD/build G_DEBUG=fatal-warnings
end=$(($(date +%s) + minutes * 60))

# attempt NAME MINUTES COMMAND...
attempt() {
    local name=$1 share=$2 log
    shift 2
    log=build/soak/$name-$seed.log
    if VMS_MINUTES=$share VMS_SEED=$seed "$@" >"$log" 2>&1; then
        echo "$name, seeds from $seed: $(sed -n -e 's/^# \(.*rounds.*\|.*schedules.*\)/\1/p' \
            -e 's/^1\.\.\([0-9]*\)/passed, tests: \1/p' "$log" | tail -n 1)"
        return
    fi
    echo "$name failed after: $(grep -a '^# seed' "$log" | tail -n 1)" >&2
    grep -a -E 'ERROR|Bail out' "$log" | tail -n 3 >&2
    echo "the whole is in $log; VMS_SEED=N VMS_ROUNDS=1 does round N again" >&2
    exit 1
}

# All of it each quarter of an hour, or once.
while (($(date +%s) < end)); do
    left=$(((end - $(date +%s) + 59) / 60))
    share=$((left < 15 ? (left + 1) / 2 : 7))
    attempt proxy "$share" tests/libvirtd-env --no-guest build/tests/test-libvirtd-proxy
    attempt chaos "$share" tests/libvirtd-env build/tests/test-libvirtd-chaos
    attempt floods 1 build/tests/test-floods
    [[ ! -x build/tests/simulate ]] || attempt simulate 1 build/tests/simulate --first "$seed" --seeds 2000000
    seed=$((seed + 1000003))
done
echo "no failure in $minutes minutes"
