#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# tests/soak.sh MINUTES [SEED]
# tests/soak.sh --suite SUITE [--suite SUITE] MINUTES
#
# Runs what tries to break the service for as long as asked, as root: the simulator, the proxy that
# does faults to the stream, on the embedded hypervisor and on QEMU, chaos with a real libvirtd and
# guests, floods, and what fuzzes the bus and the parsers. Each goes on until its share of the time is
# up, with new seeds. A failure ends it, names the round's seed, and leaves what was written in
# build/soak/.
#
# SEED is the first seed; by default it is taken from the clock.
#
# With --suite the tests of these suites of meson's run again and again instead, and the figures that
# they print are summed up: how much slower others were, and the memory of the service.
set -euo pipefail

suites=()
while [[ ${1-} == --suite ]]; do
    suites+=(--suite "${2:?which suite?}")
    shift 2
done
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

# figures LOG: of "a read takes 90 us, 85 us of an idle service, …" and "Pause takes 7 us alone, 8 us
# beside …" the median and the highest time and its ratio; of "at most N KiB" the highest.
figures() {
    python3 - "$1" <<'PYTHON'
import re, statistics, sys

log = open(sys.argv[1], encoding="utf-8", errors="replace").read()
pairs = {"a read, beside an attack": [(int(b), int(a)) for a, b in
                                      re.findall(r"a read takes (\d+) us, (\d+) us of an idle", log)]}
for what, alone, now in re.findall(r"# (\w+) takes (\d+) us alone, (\d+) us beside", log):
    pairs.setdefault(f"{what}, beside domains that hang", []).append((int(alone), int(now)))
for what, times in pairs.items():
    if times:
        now = sorted(t for _, t in times)
        ratio = statistics.median(t / a for a, t in times)
        print(f"{what}: {len(now)} times measured, median {statistics.median(now):.0f} us, "
              f"highest {now[-1]} us, median ratio {ratio:.2f}")
peaks = [int(kib) for kib in re.findall(r"at most (\d+) KiB", log)]
if peaks:
    print(f"memory of the service: at most {max(peaks)} KiB")
PYTHON
}

if ((${#suites[@]})); then
    rounds=0 log=build/soak/suites-$seed.log
    while (($(date +%s) < end)); do
        meson test -C build --no-rebuild --num-processes 2 "${suites[@]}" >"$log.last" 2>&1 || {
            echo "failed in round $((rounds + 1)): $log.last" >&2
            exit 1
        }
        cat build/meson-logs/testlog.txt >>"$log"
        rounds=$((rounds + 1))
    done
    echo "no failure in $rounds rounds"
    figures "$log"
    exit
fi

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
