# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# To be sourced by a test of the service on a real system: booted in a container, with systemd,
# journald, polkitd, the bus and a libvirtd with two domains, web and mail. Outside of the container
# this boots one, runs the test in there and exits with its status, or with 77, and says why, where
# that cannot be had. Inside it returns, with functions to check with; run_checks then installs the
# service and runs the checks that it is given. $VMS_BUILD is the build directory; $VMS_ONLY, if set,
# names the only checks to run.

top=$(realpath -- "$(dirname -- "${BASH_SOURCE[0]}")/../..")
build=${VMS_BUILD:-$top/build}

if [[ -z ${VMS_IN_CONTAINER-} ]]; then
    # shellcheck source=tests/system/container
    source "$top/tests/system/container"
    ! grep -q __asan_init "$build/src/unraid-vmsd" ||
        container_skip "AddressSanitizer does not work in the confinement of the unit"
    [[ -x /usr/sbin/libvirtd ]] || container_skip "there is no libvirtd"
    container_start
    status=0
    container_exec env VMS_IN_CONTAINER=1 VMS_BUILD="$build" VMS_ONLY="${VMS_ONLY-}" \
        "$(realpath -- "$0")" || status=$?
    container_stop
    exit "$status"
fi

readonly manager=(org.unraid.Vms /org/unraid/Vms org.unraid.Vms.Manager)
readonly bound=90
scratch=$(mktemp -d)
check=setup

fail() {
    echo "FAILED in $check: $*" >&2
    echo "--- the service's journal:" >&2
    journalctl --no-pager -o short-precise -n 60 -u 'unraid-vms*' -u 'hypervisor-*' -u polkit >&2
    exit 1
}

trap 'fail "line $LINENO: $BASH_COMMAND"' ERR
set -E

is() {
    [[ $1 == "$2" ]] || fail "line ${BASH_LINENO[0]}: got '$1', want '$2'"
}

has() {
    [[ $1 == *"$2"* ]] || fail "line ${BASH_LINENO[0]}: '$1' does not have '$2'"
}

# as USER COMMAND…, to be put into `command`: run in the background, it is that process itself
set_command() {
    command=(setpriv --reuid="$1" --regid="$1" --init-groups "${@:2}")
}

as() {
    local command
    set_command "$@"
    "${command[@]}"
}

# call USER OBJECT-PATH INTERFACE METHOD… : of the service
set_call() {
    set_command "$1" busctl --system --timeout="$bound" "${busctl_options[@]}" call "$service" \
        "${@:2}"
}

call() {
    local command
    set_call "$@"
    "${command[@]}"
}
service=org.unraid.Vms
busctl_options=()

# denied ERROR TEXT COMMAND… : the D-Bus error's name, and a part of what it says
denied() {
    local error=$1 text=$2 said
    shift 2
    # By itself busctl shows neither the name nor what an AccessDenied says.
    if said=$(SYSTEMD_LOG_LEVEL=debug "$@" 2>&1); then
        fail "line ${BASH_LINENO[0]}: '$*' was not denied"
    fi
    said=$(grep type=error <<<"$said" || echo "no error: $said")
    has "$said" "error-name=$error "
    has "${said#*error-message=}" "$text"
}

property() {
    busctl --system --timeout="$bound" get-property "$service" "$1" "org.unraid.Vms.$2" "$3" |
        cut -d' ' -f2-
}

# path NAME: of a machine
path() {
    busctl --system --timeout="$bound" --json=short call "$service" "${manager[@]:1}" GetDomain s "$1" |
        sed 's/.*"\(\/org[^"]*\)".*/\1/'
}

# until_true COMMAND… : asks again, but not for ever
until_true() {
    local deadline=$((SECONDS + bound))
    until "$@"; do
        ((SECONDS < deadline)) || fail "line ${BASH_LINENO[0]}: '$*' never came true"
        sleep 0.05
    done
}

available() {
    [[ $(property /org/unraid/Vms Manager Available) == "$1" ]]
}

unit_pid() {
    systemctl show -P MainPID "$1"
}

main_pid() {
    unit_pid unraid-vms.service
}

new_main_pid() {
    local pid
    pid=$(main_pid)
    [[ $pid != 0 && $pid != "$1" ]]
}

# now; entries [MATCH…]: what the journal got since, as JSON lines
now() {
    # Not a cursor: journalctl 252 leaves out the first match after one.
    since=@$(date +%s.%6N)
}

entries() {
    journalctl --sync
    journalctl --since="$since" -o json --no-pager "$@"
}

# field NAME: of the journal entries on standard input
field() {
    python3 -c 'import json, sys
for line in filter(str.strip, sys.stdin): print(json.loads(line).get(sys.argv[1], "-"))' "$1"
}

define() {
    virsh -q -c "${2:-qemu:///system}" define /dev/stdin >"$scratch/define" <<XML
<domain type='${3:-qemu}'><name>$1</name><memory unit='MiB'>16</memory>
  <os><type>hvm</type></os><devices><serial type='pty'/><console type='pty'/></devices></domain>
XML
}

# dialogue FILE COMMAND…: on a terminal with polkit's agent, which is given the administrator's
# password once something has been written to the FIFO
dialogue() {
    python3 - "$@" <<'PYTHON'
import os, pty, select, sys, termios, time

child, terminal = pty.fork()
if child == 0:
    # The agent lets go of the descriptor when polkit knows it.
    agent = 'cat < <(exec pkttyagent --process $$ --notify-fd 1); exec "$@"'
    os.execvp("setpriv", sys.argv[2:6] + ["bash", "-c", agent, "-"] + sys.argv[6:])
said, answered, end = b"", False, time.monotonic() + 90
while time.monotonic() < end:
    try:
        if select.select([terminal], [], [], 1)[0]:
            said += os.read(terminal, 4096)
    except OSError:
        break
    if b"Password:" in said and not answered:
        answered = True
        print("asked", flush=True)
        sys.stdin = open(sys.argv[1])
        sys.stdin.readline()
        # Input before the terminal stops echoing would be thrown away.
        while termios.tcgetattr(terminal)[3] & termios.ECHO and time.monotonic() < end:
            time.sleep(0.01)
        os.write(terminal, b"secret\n")
print(said.decode())
os.close(terminal)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
PYTHON
}

setup() {
    systemctl start dbus.socket polkit.service
    meson install -C "$build" --no-rebuild --quiet >"$scratch/install"
    useradd alice
    useradd bob
    useradd carol
    useradd dave
    systemctl start libvirtd.socket
    define web
    define mail
    cat >/etc/polkit-1/rules.d/10-test.rules <<'JS'
polkit.addRule(function(action, subject) {
    if (subject.user == "alice" && action.lookup("vm_name") == "web" &&
        action.lookup("instance") == "" &&
        (action.id == "org.unraid.vms.start" || action.id == "org.unraid.vms.stop")) {
        return polkit.Result.YES;
    }
    if (subject.user == "carol" && action.lookup("vm_name") == "web" &&
        ["adjust", "console", "guest", "migrate", "snapshot"].indexOf(action.id.split(".").pop()) >= 0) {
        return polkit.Result.YES;
    }
    if (subject.user == "dave" && action.lookup("vm_name") == "web" &&
        action.id == "org.unraid.vms.configure") {
        return polkit.Result.YES;
    }
    if (subject.user == "alice" && action.lookup("vm_name") == "lab" &&
        action.id == "org.unraid.vms.configure") {
        return polkit.Result.YES;
    }
});
JS
    # polkitd sees it by itself; this is so that it has.
    systemctl restart polkit.service
}

# run_checks NAME...: in this order
run_checks() {
    setup
    for check; do
        [[ -z ${VMS_ONLY-} || " $VMS_ONLY " == *" $check "* ]] || continue
        "check_$check"
        echo "ok: $check"
    done
}
