#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# polkit decides about each call, whatever happens to polkit, to the caller or to the domain meanwhile.
set -euo pipefail
# shellcheck source=tests/system/installed.sh
source "$(dirname -- "$(realpath -- "$0")")/installed.sh"

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
    denied org.freedesktop.DBus.Error.AccessDenied "adjust" \
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

# An ordinary user tries every method while a job is there: only the reads succeed.
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

# xml NAME-ELEMENTS: of a domain
xml() {
    echo "<domain type='qemu'>$1<memory unit='MiB'>16</memory><os><type>hvm</type></os></domain>"
}

# A user who may define one domain can define no other.
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

# permitted COMMAND…: polkit lets it pass; libvirt may refuse it
permitted() {
    local said
    said=$("$@" 2>&1) || [[ $said != *"Access denied"* && $said != *"Not authorised"* ]] ||
        fail "line ${BASH_LINENO[0]}: '$*' was denied: $said"
}

# split ROW: into `words`, with the whole name of the interface
split() {
    eval "words=(${1//[()<>]/\\&})"
    words[0]=org.unraid.Vms.${words[0]}
}

# for_one_domain USER ROW: permitted for web alone, and denied to who has no rule
for_one_domain() {
    split "$2"
    permitted call "$1" "$web" "${words[@]}"
    denied org.freedesktop.DBus.Error.AccessDenied "mail" call "$1" "$mail" "${words[@]}"
    denied org.freedesktop.DBus.Error.AccessDenied "web" call bob "$web" "${words[@]}"
}

# A rule for one machine permits nothing for another; and root opens no file for carol.
check_methods() {
    local web mail row user
    local -a words
    local -ar adjust=(
        "Config SetCpuPins a(us)a{sv} 1 0 0 0"
        "Config SetBootOrder asa{sv} 1 hd 0"
        "Config SetLink sba{sv} 52:54:00:00:00:00 true 0"
        "Config SetStopTimeout t 0"
        "Storage ChangeMedia ssa{sv} hdc '' 0"
    )
    local -ar others=(
        "Display SetPassword usa{sv} 0 secret 0"
        "Guest SetTime a{sv} 0"
        "Snapshots Create sa{sv} one 1 quiesce b false"
        "Snapshots Create sa{sv} two 2 disk_only b true disks as 1 vda"
        "Snapshots Revert sa{sv} one 1 force b true"
        "Migration Migrate sa{sv} qemu+tls://attic.invalid/system 1 copy_storage b true"
    )
    local -ar configure=(
        "Config AttachHostDevice sa{sv} 1:4 1 config b true"
        "Config DetachHostDevice sa{sv} 1:4 0"
        "Config UpdateDevice sa{sv} <disk/> 1 force b true"
        "Storage ChangeMedia ssa{sv} hdc /etc/shadow 0"
        "Storage Resize sta{sv} vda 1048576 0"
        "Storage Commit sa{sv} vda 1 delete b true"
        "Storage Pull sa{sv} vda 0"
        "Storage Copy ssa{sv} vda /etc/shadow 0"
    )
    # A snapshot, and a file for it that root writes.
    local -ar both=(
        "Snapshots Create sa{sv} mem 1 memory_file s /etc/shadow"
    )
    web=$(path web) mail=$(path mail)
    for row in "${adjust[@]}" "${others[@]}"; do
        for_one_domain carol "$row"
    done
    for row in "${configure[@]}"; do
        for_one_domain dave "$row"
        denied org.freedesktop.DBus.Error.AccessDenied "configure" call carol "$web" "${words[@]}"
    done
    for row in "${both[@]}"; do
        for user in carol dave; do
            split "$row"
            denied org.freedesktop.DBus.Error.AccessDenied "web" call "$user" "$web" "${words[@]}"
        done
    done
    virsh -q -c qemu:///system snapshot-delete web one --metadata 2>/dev/null || true
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

named() {
    [[ $(property "$1" Domain Name) == "\"$2\"" ]]
}

# A permission is for a name: it does not hold for a domain that was renamed while polkit was asked.
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
    # polkit's permission is not kept.
    denied org.freedesktop.DBus.Error.AccessDenied "resume" call bob "$web" org.unraid.Vms.Domain Resume
    call root "$web" org.unraid.Vms.Domain ForceStop
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
    # polkit answers the question of the caller that went away first.
    denied org.freedesktop.DBus.Error.AccessDenied "stop" call bob "$web" org.unraid.Vms.Domain Stop
    is "$(property "$web" Domain State)" '"shutoff"'
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

# The example policy shuts out who may not read, on a bus of its own of each kind: dbus-broker needs a
# journal, which runs here.
check_reading() {
    local said
    said=$(UNRAID_VMSD="$build/src/unraid-vmsd" VMS_BUILD="$build" VMS_TESTS="$top/tests" \
        "$build/tests/service/test-restrict-reading" --tap)
    has "$said" "ok 1 /restrict-reading/dbus-daemon"
    has "$said" "ok 2 /restrict-reading/dbus-broker"
}

run_checks reading polkit methods jobs privilege define renamed_meanwhile dialogue \
    polkit_stopped_in_the_middle caller_that_vanishes no_polkit
