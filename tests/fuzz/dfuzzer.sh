#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# dfuzzer calls every method and reads every property of every object, with arguments that it makes
# up, on a bus of its own. The service, best one with sanitizers, is on libvirt's embedded hypervisor
# with three domains. It fails where the service ends, is silent, or answers otherwise than its
# introspection says, and where dfuzzer's log lacks one of the interfaces or kinds of objects. Debian
# has no package of dfuzzer: without it the test is skipped. $DFUZZER is its program, $VMS_FUZZ_CALLS
# how often each member is called (20).
set -euo pipefail

top=$(realpath -- "$(dirname -- "$0")/../..")
# shellcheck source=tests/support/private-bus.sh
source "$top/tests/support/private-bus.sh"

dfuzzer=${DFUZZER:-$(command -v dfuzzer || true)}
[[ -n $dfuzzer ]] || {
    echo "skipped: dfuzzer is not installed" >&2
    exit 77
}
dir=$(mktemp -d) bus='' service=''

finish() {
    local pid
    for pid in $service $bus; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf -- "$dir"
}
trap finish EXIT

# check_log: each interface has at least one member that was called or read, and each kind of object is there.
check_log() {
    local interface object missing=0
    awk '/^ Interface: / { interface = $2 } / PASS / { print interface }' "$dir/dfuzzer.log" | sort -u >"$dir/called"
    while read -r interface; do
        grep -qx "$interface" "$dir/called" || {
            echo "dfuzzer called nothing of $interface" >&2
            missing=1
        }
    done < <(cat "$top"/dbus/*.xml | sed -n 's/.*<interface name="\(.*\)">.*/\1/p' && echo org.freedesktop.LogControl1)
    for object in /org/unraid/Vms /org/unraid/Vms/domain/.\* /org/unraid/Vms/job/.\* /org/freedesktop/LogControl1; do
        grep -qx "Object: $object" "$dir/dfuzzer.log" || {
            echo "dfuzzer saw no object $object" >&2
            missing=1
        }
    done
    ((!missing))
}

private_bus "$dir"
# dfuzzer looks on both buses.
export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$dir/none

schema=http://libvirt.org/schemas/domain/test/1.0
{
    echo "<node>"
    for name in web mail stuck; do
        echo "<domain type='test' xmlns:test='$schema'><name>$name</name><memory>65536</memory><os><type>hvm</type></os>"
        # One that does not shut down, so that there is a job.
        [[ $name != stuck ]] || echo "<test:runstate>4</test:runstate>"
        echo "</domain>"
    done
    echo "</node>"
} >"$dir/node.xml"
"$UNRAID_VMSD" --address="$DBUS_SESSION_BUS_ADDRESS" --uri="test://$dir/node.xml" --stop-timeout=1 >"$dir/log" 2>&1 &
service=$!
gdbus wait --session --timeout 60 org.unraid.Vms
call=(busctl --user -j call org.unraid.Vms)
path=$("${call[@]}" /org/unraid/Vms org.unraid.Vms.Manager GetDomain s stuck | sed 's/.*\["\(.*\)"\].*/\1/')
"${call[@]}" "$path" org.unraid.Vms.Domain StopWithOptions 'a{sv}' 1 timeout t 600000000 >"$dir/job"
job=$(sed 's/.*\["\(.*\)"\].*/\1/' "$dir/job")

cd "$dir"
# The job alone first: it ends when everything is called.
run=("$dfuzzer" --bus org.unraid.Vms --iterations "${VMS_FUZZ_CALLS:-20}" --no-suppressions --verbose)
status=0
"${run[@]}" --object "$job" >"$dir/dfuzzer.log" 2>&1 || status=$?
"${run[@]}" >>"$dir/dfuzzer.log" 2>&1 || status=$?
check_log || status=1
echo "$(grep -ac PASS "$dir/dfuzzer.log") members of $(wc -l <"$dir/called") interfaces passed"
kill "$service" || status=1
wait "$service" || status=1
service=''
((status == 0)) || {
    grep -aE 'FAIL|WARN|rror' "$dir/dfuzzer.log" | cut -c 1-300 | head -n 40 >&2
    grep -aE "ERROR:|runtime error|^ *#" "$dir/log" | head -n 40 >&2 || tail -n 5 "$dir/log" >&2
    exit 1
}
