#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# tests/run.sh [--quick] [TEST...]
#
# Installs the packages that are missing (as root) and builds three times: plainly, with
# AddressSanitizer and UndefinedBehaviorSanitizer (build-sanitize/), and with ThreadSanitizer
# (build-thread/). Each test runs in the build that finds most, and what is quick in others, too:
#
#   plain        all but the suite "libvirtd": only here memory is measured, the service is installed
#                (with a libvirtd in the container) and the sources are checked
#   the first    unit, service, libvirtd and dfuzzer, and which lines these run; no sanitizer can live
#   two          with the confinement of an installed service
#   the third    unit and service, and libvirtd-others, which has many threads
#
# Beside the first, tests/elsewhere.sh makes other systems; it tests there while the second waits for
# its guests.
#
# A line for each build tells the time that its tests took, and the longest of them. The last line is
# the sum of all: "N passed, N failed, N skipped". What needs root is skipped without it.
#
#   --quick   the plain build alone, without the suites "slow" and "libvirtd"
#   TEST      only these, as "meson test" names them
set -euo pipefail

top=$(dirname -- "$(dirname -- "$(realpath -- "$0")")")
cd "$top"
# shellcheck source=tests/packages.sh
source tests/packages.sh

quick=0
while [[ ${1-} == --* ]]; do
    case $1 in
    --quick) quick=1 ;;
    *)
        sed -n '4,24s/^# \?//p' "$0" >&2
        exit 2
        ;;
    esac
    shift
done
tests=("$@")
elsewhere_roots=(debian13 i386)
# Most tests wait for something, most of their time.
processes=$(($(nproc) * 2))

# build DIR [OPTION...]: configures it, if it is not, and builds.
build() {
    local dir=$1
    shift
    [[ -e $dir/build.ninja ]] || meson setup "$dir" "$@"
    meson compile -C "$dir"
}

# run DIR [OPTION...]: what fails is counted at the end, from what the runner has written.
run() {
    local dir=$1
    shift
    rm -f "$dir/meson-logs/testlog.json"
    meson test -C "$dir" --no-rebuild --print-errorlogs --num-processes "$processes" "$@" || true
    cat "$dir/meson-logs/testlog.json" >>"$dir/counted.json"
}

# check_coverage DIR: of what ran in there; counted as a test.
check_coverage() {
    local status=0 begin=$SECONDS
    local -A results=([0]=OK [77]=SKIP)
    tests/coverage.sh --of "$1" --least 85 || status=$?
    printf '{"name": "coverage", "duration": %d, "result": "%s"}\n' \
        $((SECONDS - begin)) "${results[$status]-FAIL}" >>"$1/counted.json"
}

# In the background: it waits for Debian's packages for the most part. A root that it cannot make is
# tried again by start_elsewhere.
start_roots() {
    nice tests/elsewhere.sh --roots "${elsewhere_roots[@]}" >build-elsewhere.log 2>&1 &
    roots_pid=$!
}

# In the background; its output is shown when it has ended. It counts a target that it cannot make,
# too.
start_elsewhere() {
    wait "$roots_pid" || true
    nice tests/elsewhere.sh --beside "${elsewhere_roots[@]}" dbus-broker >>build-elsewhere.log 2>&1 &
    elsewhere_pid=$!
}

end_elsewhere() {
    local target
    wait "$elsewhere_pid" || true
    cat build-elsewhere.log
    for target in "${elsewhere_roots[@]}" dbus-broker; do counted+=("build-elsewhere/$target.json"); done
}

if ((EUID == 0)); then
    packages_install
    tests/support/guest/build-guest.sh build-guest
else
    echo "not root: no package is installed, and tests that need root are skipped"
fi

counted=(build/counted.json)
((quick || ${#tests[@]})) || start_roots
build build -Dwerror=true
rm -f build/counted.json
if ((quick)); then
    run build --no-suite slow --no-suite libvirtd "${tests[@]}"
else
    if ((${#tests[@]})); then
        run build "${tests[@]}"
    else
        run build --no-suite libvirtd
    fi
    counted+=(build-sanitize/counted.json)
    build build-sanitize -Db_sanitize=address,undefined -Db_lundef=false -Db_coverage=true
    find build-sanitize -name '*.gcda' -delete
    ((${#tests[@]})) || start_elsewhere
    rm -f build-sanitize/counted.json
    export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1
    export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
    sanitized=(--timeout-multiplier 3)
    if ((${#tests[@]})); then
        run build-sanitize "${sanitized[@]}" "${tests[@]}"
    else
        run build-sanitize "${sanitized[@]}" --suite unit --suite service --suite libvirtd --suite fuzz
        check_coverage build-sanitize
    fi
    unset ASAN_OPTIONS UBSAN_OPTIONS
    counted+=(build-thread/counted.json)
    build build-thread -Db_sanitize=thread -Db_lundef=false
    rm -f build-thread/counted.json
    export TSAN_OPTIONS="exitcode=66 suppressions=$top/tests/support/tsan.supp"
    if ((${#tests[@]})); then
        run build-thread "${sanitized[@]}" "${tests[@]}"
    else
        run build-thread "${sanitized[@]}" --suite unit --suite service
        run build-thread "${sanitized[@]}" libvirtd-others
        end_elsewhere
    fi
fi
tests/count.py "${counted[@]}"
