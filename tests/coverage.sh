#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# tests/coverage.sh [--of BUILD] [--least PERCENT] [SUITE...]
#
# Which lines and branches of src/ the tests run: builds with gcov in build-coverage/, runs the
# suites (unit, sim, service and libvirtd) and prints a table of the folders, with the files of which
# the fewest lines ran. A process that is killed leaves no record: what it alone has run is missing. The
# suite "system" is missing as a whole, since the installed service may not write there.
#
#   --of BUILD       runs nothing: reports on what ran in BUILD, made with -Db_coverage=true
#   --least PERCENT  fails if fewer lines of the daemon than this, all but those of vmsctl, ran
set -euo pipefail

top=$(dirname -- "$(dirname -- "$(realpath -- "$0")")")
cd "$top"
# shellcheck source=tests/packages.sh
source tests/packages.sh

build='' least=0
while [[ ${1-} == --* ]]; do
    case $1 in
    --of) build=${2:?of which build?} ;;
    --least) least=${2:?how many percent?} ;;
    *)
        sed -n '4,14s/^# \?//p' "$0" >&2
        exit 2
        ;;
    esac
    shift 2
done
suites=("$@")
((${#suites[@]})) || suites=(unit sim service libvirtd)

((EUID != 0)) || packages_install build tests coverage
command -v gcovr >/dev/null || {
    echo "skipped: gcovr is not installed" >&2
    exit 77
}

status=0
if [[ -z $build ]]; then
    build="build-coverage"
    [[ -e $build/build.ninja ]] || meson setup "$build" --buildtype=debug -Db_coverage=true
    meson compile -C "$build"
    find "$build" -name '*.gcda' -delete
    meson test -C "$build" --no-rebuild --print-errorlogs --num-processes "$(($(nproc) * 2))" \
        --timeout-multiplier 3 "${suites[@]/#/--suite=}" || status=$?
fi
gcovr --root . --object-directory "$build" --filter src/ --exclude-unreachable-branches \
    --exclude-throw-branches --gcov-ignore-parse-errors -j "$(nproc)" \
    --json-summary "$build/coverage.json" "$build" >"$build/gcovr.log" 2>&1 || {
    tail -n 20 "$build/gcovr.log" >&2
    exit 1
}
tests/coverage.py "$build/coverage.json" "$least" || status=1
exit "$status"
