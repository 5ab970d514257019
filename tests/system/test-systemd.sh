#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The service installed on a real system: booted in a container, with systemd, journald, polkitd,
# the bus and a libvirtd with guests. Exits with 77, and says why, where that cannot be had.
# VMS_BUILD is the build directory; VMS_ONLY, if set, the one check to run after the set-up.
set -euo pipefail

top=$(realpath -- "$(dirname -- "$0")/../..")
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
        "$top/tests/system/${0##*/}" || status=$?
    container_stop
    exit "$status"
fi

readonly manager=(org.unraid.Vms /org/unraid/Vms org.unraid.Vms.Manager)
readonly bound=20
scratch=$(mktemp -d)
check=setup

# ---- what the checks are made of ----

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

main_pid() {
    systemctl show -P MainPID "${1-unraid-vms.service}"
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

# ---- set-up ----

setup() {
    systemctl start dbus.socket polkit.service
    meson install -C "$build" --no-rebuild --quiet >"$scratch/install"
    useradd alice
    useradd bob
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
    if (subject.user == "alice" && action.lookup("vm_name") == "lab" &&
        action.id == "org.unraid.vms.configure") {
        return polkit.Result.YES;
    }
});
JS
    # polkitd sees it by itself; this is so that it has.
    systemctl restart polkit.service
}

# ---- the checks, in this order ----

check_installed() {
    getent passwd unraid-vms >/dev/null
    is "$(systemd-analyze verify unraid-vms.service unraid-vms@east.service 2>&1 |
        grep unraid-vms || true)" ""
    pkaction --action-id org.unraid.vms.force-stop >/dev/null
    local action
    for action in start stop pause resume force-stop reboot reset configure snapshot save migrate \
        console guest read-secrets reconnect; do
        has "$(pkaction --verbose --action-id "org.unraid.vms.$action")" \
            "org.freedesktop.policykit.owner -> unix-user:unraid-vms"
    done
    is "$(pkaction --verbose --action-id org.unraid.vms.start | grep -c 'implicit.*auth_admin$')" 3
    [[ -s /usr/share/dbus-1/interfaces/org.unraid.Vms.Manager.xml ]]
}

counts() {
    [[ $(systemctl show -P StatusText unraid-vms.service) == *": $1 domains" ]]
}

check_activation() {
    is "$(systemctl is-active unraid-vms.service || true)" inactive
    has "$(call bob "${manager[@]:1}" ListDomains)" '"web"'
    is "$(systemctl is-active unraid-vms.service)" active
    is "$(ps -o user= -p "$(main_pid)")" unraid-vms
    is "$(property /org/unraid/Vms Manager Status)" '"available"'
    # systemctl status knows how many there are, by now.
    is "$(systemctl show -P StatusText unraid-vms.service)" "Connected to qemu:///system: 2 domains"
    define third
    until_true counts 3
    virsh -q -c qemu:///system undefine third
    until_true counts 2
}

# Only our user may have the name, and the instances' names.
check_names() {
    local user name
    for user in root bob; do
        for name in org.unraid.Vms org.unraid.Vms.evil; do
            denied org.freedesktop.DBus.Error.AccessDenied "not allowed to own" as "$user" \
                busctl call org.freedesktop.DBus / org.freedesktop.DBus RequestName su "$name" 0
        done
    done
}

exposure() {
    systemd-analyze security --no-pager "$1" | sed -n 's/.*exposure level for .*: \([0-9.]*\) .*/\1/p'
}

check_security() {
    local figure
    figure=$(exposure unraid-vms.service)
    echo "unraid-vms.service: exposure $figure"
    awk "BEGIN { exit !($figure <= 0.5) }"
    figure=$(exposure unraid-vms@east.service)
    echo "unraid-vms@.service: exposure $figure"
    awk "BEGIN { exit !($figure <= 1.5) }"
}

check_polkit() {
    local web mail
    web=$(path web) mail=$(path mail)
    now
    # One user may start and stop one machine.
    call alice "$web" org.unraid.Vms.Domain Start
    is "$(property "$web" Domain State)" '"running"'
    denied org.freedesktop.DBus.Error.AccessDenied "start the virtual machine mail" \
        call alice "$mail" org.unraid.Vms.Domain Start
    denied org.freedesktop.DBus.Error.AccessDenied "force" \
        call alice "$web" org.unraid.Vms.Domain ForceStop
    denied org.freedesktop.DBus.Error.AccessDenied "pause the virtual machine web" \
        call alice "$web" org.unraid.Vms.Domain Pause
    # No way around it: a time so short that it forces, properties, another's job.
    denied org.freedesktop.DBus.Error.AccessDenied "force" \
        call alice "$web" org.unraid.Vms.Domain StopWithOptions 'a{sv}' 1 timeout t 1
    denied org.freedesktop.DBus.Error.PropertyReadOnly "" \
        call bob "$web" org.freedesktop.DBus.Properties Set ssv org.unraid.Vms.Domain Autostart b true
    # Others may read, and nothing else.
    has "$(call bob "$web" org.unraid.Vms.Domain GetXml 'a{sv}' 0)" "<name>web</name>"
    denied org.freedesktop.DBus.Error.AccessDenied "secrets" \
        call bob "$web" org.unraid.Vms.Domain GetXml 'a{sv}' 1 secure b true
    denied org.freedesktop.DBus.Error.AccessDenied "stop the virtual machine web" \
        call bob "$web" org.unraid.Vms.Domain Stop
    denied org.freedesktop.DBus.Error.AccessDenied "configur" \
        call bob "$web" org.unraid.Vms.Domain SetAutostart b true
    denied org.freedesktop.DBus.Error.AccessDenied "reconnect" call bob "${manager[@]:1}" Reconnect
    # Without the flag it is said that a dialogue would help.
    busctl_options=(--allow-interactive-authorization=no)
    denied org.freedesktop.DBus.Error.InteractiveAuthorizationRequired "authentication" \
        call bob "$web" org.unraid.Vms.Domain Stop
    busctl_options=()
    is "$(property "$web" Domain State)" '"running"'
    is "$(property "$web" Domain Autostart)" false
    # Root needs nobody's leave.
    call root "$web" org.unraid.Vms.Domain ForceStop
    is "$(property "$web" Domain State)" '"shutoff"'
}

# A job of alice's is nothing that bob may cancel or join.
check_jobs() {
    local web job pid
    web=$(path web)
    call alice "$web" org.unraid.Vms.Domain Start
    # It has no operating system, so it does not obey: the job waits.
    job=$(call alice "$web" org.unraid.Vms.Domain StopWithOptions 'a{sv}' 0 | cut -d'"' -f2)
    denied org.freedesktop.DBus.Error.AccessDenied "stop the virtual machine web" \
        call bob "$job" org.unraid.Vms.Job Cancel
    denied org.freedesktop.DBus.Error.AccessDenied "stop the virtual machine web" \
        call bob "$web" org.unraid.Vms.Domain Stop
    call alice "$job" org.unraid.Vms.Job Cancel
    is "$(property "$web" Domain State)" '"running"'
    call root "$web" org.unraid.Vms.Domain ForceStop
}

# Whoever is nobody tries all that there is, while a job is there: exactly the reads succeed.
check_privilege() {
    local guest
    for guest in one stuck; do
        define "$guest"
        has "$(path "$guest")" /org/unraid/Vms/domain/
    done
    call root "$(path stuck)" org.unraid.Vms.Domain Start
    VMS_INSTALLED=1 "$build/tests/service/test-privilege" >"$scratch/privilege" 2>&1 ||
        fail "$(<"$scratch/privilege")"
    grep '^# [0-9]' "$scratch/privilege"
    call root "$(path stuck)" org.unraid.Vms.Domain ForceStop
    for guest in one stuck; do
        call root "$(path "$guest")" org.unraid.Vms.Domain Undefine 'a{sv}' 0
    done
}

# denied_for TEXT: why, in the journal
denied_for() {
    [[ $(entries VM_NAME=web VM_RESULT=denied | field MESSAGE) == *"$1"* ]]
}

# asks_polkit USER OBJECT-PATH…: a call in the background; returns when polkit has its question
asks_polkit() {
    local seen command
    set_call "$@"
    exec 5< <(exec dbus-monitor --system --profile \
        "interface='org.freedesktop.PolicyKit1.Authority',member='CheckAuthorization',type='method_call'")
    seen=$!
    # It has become a monitor when it says that it has lost its name.
    timeout "$bound" grep -q -m1 NameLost <&5
    "${command[@]}" >"$scratch/answer" 2>&1 &
    asking=$!
    timeout "$bound" grep -q -m1 CheckAuthorization <&5
    kill "$seen"
    exec 5<&-
}

check_polkit_stopped_in_the_middle() {
    local web mail
    web=$(path web) mail=$(path mail)
    now
    systemctl kill -s STOP polkit.service
    asks_polkit alice "$web" org.unraid.Vms.Domain Start
    # Nobody else waits for it.
    has "$(call bob "${manager[@]:1}" ListDomains)" '"web"'
    call root "$mail" org.unraid.Vms.Domain Start
    call root "$mail" org.unraid.Vms.Domain ForceStop
    systemctl kill -s KILL polkit.service
    if wait "$asking"; then fail "allowed by a polkit that died"; fi
    has "$(<"$scratch/answer")" "Access denied"
    denied_for "polkit did not answer"
    is "$(property "$web" Domain State)" '"shutoff"'
    until_true systemctl start polkit.service
}

check_caller_that_vanishes() {
    local web
    web=$(path web)
    now
    systemctl kill -s STOP polkit.service
    asks_polkit alice "$web" org.unraid.Vms.Domain Start
    kill -KILL "$asking"
    wait "$asking" || true
    until_true denied_for "went away"
    systemctl kill -s CONT polkit.service
    # What it is still asked about by then comes after its answer to the first question.
    denied org.freedesktop.DBus.Error.AccessDenied "stop" call bob "$web" org.unraid.Vms.Domain Stop
    is "$(property "$web" Domain State)" '"shutoff"'
}

named() {
    [[ $(property "$1" Domain Name) == "\"$2\"" ]]
}

# What polkit has permitted is permitted to a name: not to the machine that had it when it was asked.
check_renamed_meanwhile() {
    local web
    web=$(path web)
    systemctl kill -s STOP polkit.service
    asks_polkit alice "$web" org.unraid.Vms.Domain Start
    virsh -q -c qemu:///system domrename web other
    until_true named "$web" other
    systemctl kill -s CONT polkit.service
    if wait "$asking"; then fail "allowed by another name"; fi
    is "$(property "$web" Domain State)" '"shutoff"'
    denied org.freedesktop.DBus.Error.AccessDenied "start the virtual machine other" \
        call alice "$web" org.unraid.Vms.Domain Start
    virsh -q -c qemu:///system domrename other web
    until_true named "$web" web
}

# xml NAME-ELEMENTS: of a domain
xml() {
    echo "<domain type='qemu'>$1<memory unit='MiB'>16</memory><os><type>hvm</type></os></domain>"
}

# Who may define one machine defines no other.
check_define() {
    local before uuid
    uuid=$(virsh -c qemu:///system domuuid web | sed -n 1p)
    before=$(virsh -c qemu:///system dumpxml web)
    call alice "${manager[@]:1}" DefineDomain s "$(xml '<name>lab</name>')" >/dev/null
    virsh -q -c qemu:///system domuuid lab >/dev/null
    denied org.freedesktop.DBus.Error.AccessDenied "web" \
        call alice "${manager[@]:1}" DefineDomain s "$(xml '<name>web</name>')"
    denied org.freedesktop.DBus.Error.AccessDenied "mail" \
        call bob "${manager[@]:1}" DefineDomain s "$(xml '<name>mail</name>')"
    local trick
    for trick in "<name>lab</name><name>web</name>" "<name>web</name><name>lab</name>" \
        "<name>lab<!-- --></name><uuid>$uuid</uuid>" "<metadata><name>lab</name></metadata><name>web</name>" \
        "<name>lab</name><uuid></uuid><uuid>$uuid</uuid>" "<name><b>lab</b></name><name>web</name>"; do
        call alice "${manager[@]:1}" DefineDomain s "$(xml "$trick")" >/dev/null 2>&1 || true
        is "$(virsh -c qemu:///system dumpxml web)" "$before"
        is "$(virsh -c qemu:///system list --all --name | sort | xargs)" "lab mail web"
    done
    call alice "$(path lab)" org.unraid.Vms.Domain Undefine 'a{sv}' 0
    denied org.freedesktop.DBus.Error.AccessDenied "web" \
        call alice "$(path web)" org.unraid.Vms.Domain Undefine 'a{sv}' 0
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
said, answered, end = b"", False, time.monotonic() + 20
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
        # What is typed before the terminal no longer echoes is thrown away.
        while termios.tcgetattr(terminal)[3] & termios.ECHO and time.monotonic() < end:
            time.sleep(0.01)
        os.write(terminal, b"secret\n")
print(said.decode())
os.close(terminal)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
PYTHON
}

check_dialogue() {
    local web mail command
    web=$(path web) mail=$(path mail)
    usermod -p "$(openssl passwd -6 secret)" root
    call root "$web" org.unraid.Vms.Domain Start
    mkfifo "$scratch/go"
    set_call bob "$web" org.unraid.Vms.Domain Pause
    exec 5< <(dialogue "$scratch/go" "${command[@]}" 2>&1)
    read -r -t "$bound" asked <&5
    is "$asked" asked
    # It stays open, and nobody waits for it.
    denied org.freedesktop.DBus.Error.AccessDenied "mail" \
        call alice "$mail" org.unraid.Vms.Domain Start
    call root "$mail" org.unraid.Vms.Domain Start
    call root "$mail" org.unraid.Vms.Domain ForceStop
    is "$(property "$web" Domain State)" '"running"'
    echo >"$scratch/go"
    has "$(cat <&5)" "Authentication is required to pause the virtual machine web"
    is "$(property "$web" Domain State)" '"paused"'
    # What was allowed once is not kept.
    denied org.freedesktop.DBus.Error.AccessDenied "resume" call bob "$web" org.unraid.Vms.Domain Resume
    call root "$web" org.unraid.Vms.Domain ForceStop
}

check_no_polkit() {
    local web
    web=$(path web)
    systemctl mask --runtime --now polkit.service
    denied org.freedesktop.DBus.Error.AccessDenied "polkit" \
        call alice "$web" org.unraid.Vms.Domain Start
    call root "$web" org.unraid.Vms.Domain Start
    call root "$web" org.unraid.Vms.Domain ForceStop
    systemctl unmask --runtime polkit.service
    systemctl start polkit.service
}

check_journal() {
    local web uid got
    web=$(path web)
    uid=$(id -u alice)
    now
    call alice "$web" org.unraid.Vms.Domain Start
    denied org.freedesktop.DBus.Error.AccessDenied "" call bob "$web" org.unraid.Vms.Domain Stop
    call root "$web" org.unraid.Vms.Domain ForceStop

    got=$(entries VM_NAME=web VM_OPERATION=Start)
    is "$(field VM_RESULT <<<"$got")" "done"
    is "$(field CALLER_UID <<<"$got")" "$uid"
    is "$(field VM_UUID <<<"$got")" "$(virsh -c qemu:///system domuuid web | sed -n 1p)"
    is "$(field MESSAGE_ID <<<"$got")" b24248350e3246318379e578c05e2699
    has "$(field CALLER_BUS_NAME <<<"$got")" ":1."
    got=$(entries VM_NAME=web VM_RESULT=denied | sed -n 1p)
    is "$(field VM_OPERATION <<<"$got")" Stop
    is "$(field POLKIT_ACTION <<<"$got")" org.unraid.vms.stop
    is "$(field CALLER_UID <<<"$got")" "$(id -u bob)"
    is "$(field MESSAGE_ID <<<"$got")" 74a067593538401bbcf7830ccf65d391
    has "$(entries VM_NAME=web VM_OPERATION=ForceStop | field VM_RESULT)" "done"
    # Its states, whoever caused them.
    has "$(entries VM_NAME=web VM_STATE=running | field VM_STATE_REASON)" booted
    has "$(entries VM_NAME=web VM_STATE=shutoff | field VM_STATE_REASON)" destroyed
    # And journalctl -x explains.
    has "$(journalctl -x --since="$since" --no-pager VM_NAME=web)" "Defined-By: unraid-vms"
    # A failure carries libvirt's number.
    virsh -q -c qemu:///system define /dev/stdin >/dev/null <<'XML'
<domain type='qemu'><name>broken</name><memory unit='MiB'>16</memory><os><type>hvm</type></os>
<devices><disk type='file'><source file='/nonexistent'/><target dev='vda' bus='virtio'/></disk></devices></domain>
XML
    if call root "$(path broken)" org.unraid.Vms.Domain Start 2>/dev/null; then fail "broken starts"; fi
    got=$(entries VM_NAME=broken VM_OPERATION=Start)
    is "$(field VM_RESULT <<<"$got")" failed
    [[ $(field LIBVIRT_ERROR_CODE <<<"$got") =~ ^[0-9]+$ ]]
    virsh -q -c qemu:///system undefine broken
}

# set_password USER OBJECT-PATH [SIGNATURE [MORE]]: to $SECRET, put into `command`. polkit writes down
# the command line of a caller whom it asks for a password: nothing secret may be in there.
set_password() {
    set_command "$1" python3 -c '
import ctypes, os, sys
lib = ctypes.CDLL("libsystemd.so.0")
class Error(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("message", ctypes.c_char_p), ("need_free", ctypes.c_int)]
bus, error = ctypes.c_void_p(), Error()
lib.sd_bus_open_system(ctypes.byref(bus))
lib.sd_bus_set_allow_interactive_authorization(bus, 1)
arguments = [b"root", os.environb[b"SECRET"]] + [word.encode() for word in sys.argv[3:]]
r = lib.sd_bus_call_method(bus, b"org.unraid.Vms", sys.argv[1].encode(), b"org.unraid.Vms.Guest",
                           b"SetUserPassword", ctypes.byref(error), None, sys.argv[2].encode(),
                           *arguments)
if r < 0:
    sys.exit("type=error error-name=%s error-message=%s" % (error.name.decode() + " ",
                                                            error.message.decode()))' \
        "$2" "${3-ss}" "${@:4}"
}

# What is secret is in no log, whoever keeps it and however much it keeps: not where it was done, not
# where it failed, was refused, or polkit asked for a password first.
check_secrets() {
    local vault got command xml_secret=abra-42
    export SECRET=swordfish-42
    virsh -q -c qemu:///system define /dev/stdin >/dev/null <<XML
<domain type='qemu'><name>vault</name><memory unit='MiB'>16</memory><os><type>hvm</type></os>
<devices><channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
<graphics type='vnc' socket='/tmp/vault.vnc' passwd='$xml_secret'/></devices></domain>
XML
    mkdir -p /run/systemd/system/unraid-vms.service.d
    printf '[Service]\nEnvironment=VMS_OPTIONS=--log-level=debug\n' \
        >/run/systemd/system/unraid-vms.service.d/test.conf
    systemctl daemon-reload
    now
    systemctl restart unraid-vms.service
    has "$(tr '\0' ' ' <"/proc/$(main_pid)/cmdline")" "--log-level=debug"
    vault=$(path vault)
    has "$(call root "$vault" org.unraid.Vms.Domain GetXml 'a{sv}' 1 secure b true)" "$xml_secret"
    denied org.freedesktop.DBus.Error.AccessDenied "secrets" \
        call alice "$vault" org.unraid.Vms.Domain GetXml 'a{sv}' 1 secure b true
    set_password root "$vault"
    denied org.unraid.Vms.Error.OperationFailed "not running" "${command[@]}"
    call root "$vault" org.unraid.Vms.Domain Start
    denied org.unraid.Vms.Error.OperationFailed "agent" "${command[@]}"
    set_password alice "$vault"
    denied org.freedesktop.DBus.Error.AccessDenied "guest agent" "${command[@]}"
    set_password root "$vault" sss more
    denied org.freedesktop.DBus.Error.InvalidArgs "" "${command[@]}"
    # Through polkit's dialogue, too.
    usermod -p "$(openssl passwd -6 secret)" root
    mkfifo "$scratch/told"
    set_password bob "$vault"
    exec 5< <(dialogue "$scratch/told" "${command[@]}" 2>&1)
    read -r -t "$bound" asked <&5
    is "$asked" asked
    echo >"$scratch/told"
    got=$(cat <&5)
    has "$got" "Authentication is required to act inside the virtual machine vault"
    has "$got" "agent is not connected"
    [[ $got != *"$SECRET"* ]]
    call root "$vault" org.unraid.Vms.Domain ForceStop

    # That all of this was logged, the journal shows; of every process, with all fields.
    is "$(entries VM_NAME=vault VM_OPERATION=SetUserPassword | field VM_RESULT | sort | uniq -c | xargs)" \
        "1 denied 3 failed"
    is "$(entries VM_NAME=vault VM_OPERATION=GetXml | field VM_RESULT)" denied
    has "$(entries -u polkit.service | field MESSAGE)" "org.unraid.vms.guest"
    got=$(entries --all)
    has "$got" '"vault"'
    [[ $got != *"$SECRET"* && $got != *"$xml_secret"* ]]
    if grep -rq -e "$SECRET" -e "$xml_secret" /var/log /run/log; then fail "a log file has it"; fi

    virsh -q -c qemu:///system undefine vault
    rm /run/systemd/system/unraid-vms.service.d/test.conf
    systemctl daemon-reload
    systemctl restart unraid-vms.service
}

check_killed() {
    local pid
    pid=$(main_pid)
    kill -KILL "$pid"
    until_true new_main_pid "$pid"
    has "$(call bob "${manager[@]:1}" ListDomains)" '"web"'
}

check_watchdog() {
    local pid
    mkdir -p /run/systemd/system/unraid-vms.service.d
    printf '[Service]\nWatchdogSec=2s\n' >/run/systemd/system/unraid-vms.service.d/test.conf
    systemctl daemon-reload
    systemctl restart unraid-vms.service
    pid=$(main_pid)
    kill -STOP "$pid"
    until_true new_main_pid "$pid"
    rm /run/systemd/system/unraid-vms.service.d/test.conf
    systemctl daemon-reload
    systemctl restart unraid-vms.service
    has "$(call bob "${manager[@]:1}" ListDomains)" '"web"'
}

check_stop_and_boot() {
    until_true available true
    now
    systemctl stop unraid-vms.service
    is "$(systemctl show -P Result unraid-vms.service)" success
    # That it leaves libvirt is no news of libvirt.
    is "$(entries MESSAGE_ID=5cf93210166748ec963489607541a2b2 | wc -l)" 0
    systemctl enable --now unraid-vms.service 2>/dev/null
    is "$(systemctl is-active unraid-vms.service)" active
    systemctl disable unraid-vms.service 2>/dev/null
    has "$(call bob "${manager[@]:1}" ListDomains)" '"web"'
}

check_libvirtd_restarted() {
    local web pid
    web=$(path web) pid=$(main_pid)
    call root "$web" org.unraid.Vms.Domain Start
    now
    systemctl restart libvirtd.service
    until_true available true
    is "$(property "$web" Domain State)" '"running"'
    call root "$web" org.unraid.Vms.Domain ForceStop
    is "$(main_pid)" "$pid"
}

# One entry when it goes away, one when it is back, however often it is tried meanwhile.
check_libvirtd_away() {
    until_true available true
    now
    systemctl stop libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd.service
    until_true available false
    for _ in 1 2 3 4 5; do
        denied org.unraid.Vms.Error.NotAvailable "VMs are not available" \
            call root "${manager[@]:1}" Reconnect
    done
    has "$(systemctl show -P StatusText unraid-vms.service)" "not available"
    systemctl start libvirtd.socket libvirtd.service
    until_true available true
    is "$(entries MESSAGE_ID=5cf93210166748ec963489607541a2b2 | wc -l)" 1
    is "$(entries MESSAGE_ID=d42c4b446aaa44d1b186b5ea14c1a5f6 | wc -l)" 1
}

# What its PID files say reaches it: it has a watch on their directory.
check_watches() {
    local watched
    until_true available true
    watched=$(sed -n 's/^inotify .* ino:\([0-9a-f]*\) .*/\1/p' "/proc/$(main_pid)/fdinfo/"*)
    [[ $'\n'$watched$'\n' == *$'\n'"$(printf %x "$(stat -c %i /run/libvirt)")"$'\n'* ]]
}

# Descriptors pass through the confinement.
check_descriptors() {
    local web
    web=$(path web)
    call root "$web" org.unraid.Vms.Domain Start
    has "$(call root "$web" org.unraid.Vms.Display OpenConsole s "")" "h "
    denied org.freedesktop.DBus.Error.AccessDenied "console" \
        call alice "$web" org.unraid.Vms.Display OpenConsole s ""
    call root "$web" org.unraid.Vms.Domain ForceStop
}

# The socket for a group, and no rule of ours: it is in the group.
check_group() {
    mkdir -p /run/systemd/system/libvirtd.socket.d
    printf '[Socket]\nSocketMode=0660\nSocketGroup=libvirt\n' \
        >/run/systemd/system/libvirtd.socket.d/test.conf
    cp /etc/libvirt/libvirtd.conf "$scratch/"
    echo 'auth_unix_rw = "none"' >>/etc/libvirt/libvirtd.conf
    systemctl daemon-reload
    systemctl stop libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd.service
    systemctl start libvirtd.socket
    is "$(stat -c '%a %G' /run/libvirt/libvirt-sock)" "660 libvirt"
    until_true available true
    call root "$(path web)" org.unraid.Vms.Domain Start
    call root "$(path web)" org.unraid.Vms.Domain ForceStop
    cp "$scratch/libvirtd.conf" /etc/libvirt/
    rm /run/systemd/system/libvirtd.socket.d/test.conf
    systemctl daemon-reload
    systemctl stop libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd.service
    systemctl start libvirtd.socket
}

# hypervisor NAME [OPTION…]: a libvirtd of its own, which sees nothing of the system's
hypervisor() {
    mkdir -p "/run/vms-$1" "$scratch/$1"
    chmod 755 "$scratch" "$scratch/$1"
    cat >>"$scratch/$1/libvirtd.conf" <<CONF
unix_sock_dir = "/run/vms-$1"
unix_sock_rw_perms = "0777"
auth_unix_rw = "none"
CONF
    cat >"$scratch/$1/node.xml" <<XML
<node><domain type='test'><name>$1</name><memory>16384</memory><os><type>hvm</type></os></domain></node>
XML
    systemd-run -q --unit="hypervisor-$1" -p PrivateTmp=no \
        -p TemporaryFileSystem="/run/libvirt /var/lib/libvirt /var/cache/libvirt /var/log/libvirt" \
        /usr/sbin/libvirtd "${@:2}" -f "$scratch/$1/libvirtd.conf" -p "/run/vms-$1/pid"
    until_true test -S "/run/vms-$1/libvirt-sock"
    mkdir -p /etc/unraid-vms
    echo "LIBVIRT_URI=test+unix://$scratch/$1/node.xml?socket=/run/vms-$1/libvirt-sock" \
        >"/etc/unraid-vms/$1.conf"
}

instance_is() {
    service=org.unraid.Vms.$1
    available "$2"
}

check_instances() {
    local east_pid
    hypervisor east
    hypervisor west
    systemctl start unraid-vms@east.service unraid-vms@west.service
    until_true instance_is east true
    until_true instance_is west true
    service=org.unraid.Vms.east
    has "$(call bob "${manager[@]:1}" ListDomains)" '"east"'
    # What a rule permits for this host's machines it does not permit for others of that name.
    denied org.freedesktop.DBus.Error.AccessDenied "stop the virtual machine east" \
        call alice "$(path east)" org.unraid.Vms.Domain Stop
    service=org.unraid.Vms.west
    has "$(call bob "${manager[@]:1}" ListDomains)" '"west"'
    east_pid=$(main_pid unraid-vms@east.service)

    # One that is down does not touch the other.
    systemctl kill -s KILL hypervisor-west.service
    until_true instance_is west false
    instance_is east true
    call root "$(path east)" org.unraid.Vms.Domain Pause
    is "$(main_pid unraid-vms@east.service)" "$east_pid"
    service=org.unraid.Vms
    available true
    systemctl stop unraid-vms@east.service unraid-vms@west.service
    systemctl stop hypervisor-east.service
}

# certificate NAME SUBJECT [EXTENSION]: signed by the authority of that directory
certificate() {
    openssl req -newkey ed25519 -nodes -keyout "$1-key.pem" -subj "/CN=$2" -out "$1.csr" 2>/dev/null
    openssl x509 -req -in "$1.csr" -CA cacert.pem -CAkey cakey.pem -days 2 -out "$1cert.pem" \
        -extfile <(echo "${3-subjectAltName=DNS:$2}") 2>/dev/null
}

# Out of the confinement of the template, to another host that is this one.
check_ssh() {
    local home=/var/lib/unraid-vms
    install -d -o unraid-vms -g unraid-vms -m 700 "$home" "$home/.ssh"
    ssh-keygen -q -t ed25519 -N '' -f "$home/.ssh/id_ed25519"
    chown -R unraid-vms: "$home"
    install -D -m 600 "$home/.ssh/id_ed25519.pub" /root/.ssh/authorized_keys
    systemctl start ssh.service
    ssh-keyscan localhost >"$home/.ssh/known_hosts" 2>/dev/null
    mkdir -p /etc/unraid-vms
    echo 'LIBVIRT_URI=qemu+ssh://root@localhost/system' >/etc/unraid-vms/remote.conf
    systemctl start unraid-vms@remote.service
    until_true instance_is remote true
    has "$(call bob "${manager[@]:1}" ListDomains)" '"web"'
    service=org.unraid.Vms
    systemctl stop unraid-vms@remote.service ssh.service
}

check_tls() {
    local pki=/etc/unraid-vms/pki
    chmod 755 "$scratch"
    mkdir -p "$pki"
    (
        cd "$pki"
        openssl req -x509 -newkey ed25519 -nodes -keyout cakey.pem -subj /CN=authority \
            -days 2 -out cacert.pem 2>/dev/null
        certificate server localhost
        certificate client client
        mv client-key.pem clientkey.pem
        chown unraid-vms clientkey.pem
    )
    mkdir -m 755 "$scratch/tls"
    cat >"$scratch/tls/libvirtd.conf" <<CONF
listen_tls = 1
tls_port = "16599"
key_file = "$pki/server-key.pem"
cert_file = "$pki/servercert.pem"
ca_file = "$pki/cacert.pem"
CONF
    hypervisor tls --listen
    echo "LIBVIRT_URI=test+tls://localhost:16599/default?pkipath=$pki" >/etc/unraid-vms/tls.conf
    systemctl start unraid-vms@tls.service
    until_true instance_is tls true
    has "$(call bob "${manager[@]:1}" ListDomains)" '"test"'
    service=org.unraid.Vms
    systemctl stop unraid-vms@tls.service hypervisor-tls.service
}

check_instance_names() {
    now
    echo "LIBVIRT_URI=test:///default" >/etc/unraid-vms/9bad.conf
    if systemctl start unraid-vms@9bad.service 2>/dev/null; then fail "9bad is no bus name"; fi
    has "$(entries -u unraid-vms@9bad.service | field MESSAGE)" "does not begin with a digit: 9bad"
    if systemctl start unraid-vms@nowhere.service 2>/dev/null; then fail "it has no URI"; fi
    has "$(entries -u unraid-vms@nowhere.service | field MESSAGE)" "URI"
    is "$(systemctl show -P NRestarts unraid-vms@nowhere.service)" 0
}

# A bus without systemd starts it by itself.
check_without_systemd() {
    local pid bus
    systemctl stop unraid-vms.service
    # Masked, or what loses its bus would have systemd start that again.
    systemctl mask --runtime --now dbus.service dbus.socket
    rm -f /run/dbus/system_bus_socket
    exec 5< <(exec dbus-daemon --system --nofork --nopidfile --print-address 2>"$scratch/bus")
    bus=$!
    read -r -t "$bound" _ <&5
    # libvirtd has lost its bus, too, and is not asked.
    is "$(property /org/unraid/Vms Manager Uri)" '"qemu:///system"'
    pid=$(busctl --system call org.freedesktop.DBus / org.freedesktop.DBus GetConnectionUnixProcessID \
        s org.unraid.Vms | cut -d' ' -f2)
    is "$(ps -o user= -p "$pid")" unraid-vms
    is "$(main_pid)" 0
    kill "$bus"
    # It ends with its bus.
    timeout "$bound" tail --pid="$pid" -s 0.05 -f /dev/null
    systemctl unmask --runtime dbus.service dbus.socket
    systemctl start dbus.socket
    until_true systemctl start polkit.service
}

check_uninstalled() {
    local file
    systemctl stop unraid-vms.service
    ninja -C "$build" uninstall >"$scratch/uninstall"
    while read -r file; do
        [[ $file == "#"* || ! -f $file ]] || fail "$file is still there"
    done <"$build/meson-logs/install-log.txt"
    systemctl daemon-reload
    busctl call org.freedesktop.DBus / org.freedesktop.DBus ReloadConfig
    denied org.freedesktop.DBus.Error.ServiceUnknown "" call root "${manager[@]:1}" ListDomains
}

setup
checks=(installed activation names security polkit jobs privilege define renamed_meanwhile dialogue polkit_stopped_in_the_middle
    caller_that_vanishes no_polkit journal secrets killed watchdog stop_and_boot libvirtd_restarted
    libvirtd_away watches)
[[ ! -e $top/dbus/org.unraid.Vms.Display.xml ]] || checks+=(descriptors)
checks+=(group instances ssh tls instance_names without_systemd uninstalled)
for check in "${checks[@]}"; do
    [[ -z ${VMS_ONLY-} || " $VMS_ONLY " == *" $check "* ]] || continue
    "check_$check"
    echo "ok: $check"
done
