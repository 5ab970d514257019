#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The journal of the service: every operation is in it, and no secret.
set -euo pipefail
# shellcheck source=tests/system/installed.sh
source "$(dirname -- "$(realpath -- "$0")")/installed.sh"

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
    # A guest that does not listen, and whose power is cut.
    call root "$web" org.unraid.Vms.Domain Start
    call root "$web" org.unraid.Vms.Domain StopWithOptions 'a{sv}' 1 timeout t 100000 >/dev/null
    until_true has_entries VM_NAME=web VM_OPERATION=Stop VM_RESULT=done
    got=$(entries VM_NAME=web VM_OPERATION=Stop VM_RESULT=done)
    is "$(field MESSAGE_ID <<<"$got")" 31ae5e0336fd450fa020a443b10f3648
    has "$(journalctl -x --since="$since" --no-pager VM_NAME=web VM_OPERATION=Stop)" \
        "what it had not written yet is"
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
# The options, an empty array; text in their place is refused.
options = [word.encode() for word in sys.argv[3:]] or [0]
arguments = [b"root", os.environb[b"SECRET"]] + options
r = lib.sd_bus_call_method(bus, b"org.unraid.Vms", sys.argv[1].encode(), b"org.unraid.Vms.Guest",
                           b"SetUserPassword", ctypes.byref(error), None, sys.argv[2].encode(),
                           *arguments)
if r < 0:
    sys.exit("type=error error-name=%s error-message=%s" % (error.name.decode() + " ",
                                                            error.message.decode()))' \
        "$2" "${3-ssa{sv\}}" "${@:4}"
}

# Secrets are in no log, of any process and at any level: not when the call succeeded, failed or was
# refused, and not when polkit asked for a password first.
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
    denied org.unraid.Vms.Error.InvalidState "not running" "${command[@]}"
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

has_entries() {
    [[ -n $(entries "$@") ]]
}

log_control() {
    as "$1" busctl --system set-property org.unraid.Vms /org/freedesktop/LogControl1 \
        org.freedesktop.LogControl1 "${@:2}" 2>&1
}

# The level and the target, as systemctl finds them by the unit's BusName=.
check_log_control() {
    is "$(systemctl service-log-level unraid-vms.service)" info
    is "$(systemctl service-log-target unraid-vms.service)" journal
    systemctl service-log-level unraid-vms.service err
    now
    call root /org/unraid/Vms org.unraid.Vms.Manager Reconnect
    systemctl service-log-level unraid-vms.service debug
    is "$(systemctl service-log-level unraid-vms.service)" debug
    call root /org/unraid/Vms org.unraid.Vms.Manager Reconnect
    until_true has_entries VM_OPERATION=Reconnect
    is "$(entries VM_OPERATION=Reconnect | field VM_RESULT)" "done"
    log_control unraid-vms LogLevel s info
    is "$(systemctl service-log-level unraid-vms.service)" info
    has "$(log_control bob LogLevel s debug || true)" "ccess denied"
    has "$(log_control root LogLevel s loud || true)" "emerg"
    systemctl service-log-target unraid-vms.service console
    is "$(systemctl service-log-target unraid-vms.service)" console
    systemctl service-log-target unraid-vms.service journal
}

run_checks journal log_control secrets
