#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# tests/valgrind.sh [TEST...]
#
# Runs the service under valgrind's memcheck in the tests of the suite "service" (or in those named,
# as the programs in build/tests/service are: test-manager). It fails where memory is lost, or is used
# that is not the service's or has no value. What valgrind wrote is in build/valgrind/. Not in CI: a
# test takes some ten times as long, and one that measures time may fail for that alone, which is said
# and not counted.
set -euo pipefail

cd "$(dirname -- "$(dirname -- "$(realpath -- "$0")")")"
command -v valgrind >/dev/null || {
    echo "skipped: valgrind is not installed" >&2
    exit 77
}
[[ -e build/build.ninja ]] || meson setup build
meson compile -C build
logs=$PWD/build/valgrind
rm -rf "$logs"
mkdir -p "$logs"

cat >"$logs/unraid-vmsd" <<SH
#!/bin/sh
export G_SLICE=always-malloc
exec valgrind --quiet --leak-check=full --show-leak-kinds=definite,indirect \\
    --errors-for-leak-kinds=definite,indirect --num-callers=30 \\
    --log-file="$logs/%p.log" \\
    "$PWD/build/src/unraid-vmsd" "\$@"
SH
chmod +x "$logs/unraid-vmsd"
export UNRAID_VMSD=$logs/unraid-vmsd VMS_BUILD=$PWD/build VMS_INTERFACES=$PWD/dbus G_DEBUG=fatal-warnings

tests=("$@")
((${#tests[@]})) || tests=(test-{config,display,errors,jobs,long,manager,methods,privilege,promises})
for test in "${tests[@]}"; do
    result=passed
    "build/tests/service/$test" >"$logs/$test" 2>&1 || result=failed
    echo "$test $result: $(grep -c '^ok ' "$logs/$test")"
done
echo "runs of the service: $(find "$logs" -name '*.log' | wc -l)"
mapfile -t found < <(find "$logs" -name '*.log' -size +0)
((${#found[@]} == 0)) || {
    cat "${found[@]}" >&2
    exit 1
}
