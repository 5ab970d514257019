#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Installs the package that is in the current directory into the system that this runs in, which is
# thrown away afterwards, and tries it. Prints a line for each check: its name, OK or FAIL, and seconds.
set -euo pipefail

readonly bound=20 interval=0.05 ordinary=1234
readonly rc=/etc/rc.d/rc.unraid-vms log=/var/log/syslog
# shellcheck source=tests/elsewhere/checks.sh
source "$(dirname -- "$(realpath -- "$0")")/checks.sh"

ordinarily() {
    setpriv --reuid=$ordinary --regid=$ordinary --clear-groups "$@"
}

main_pid() {
    dbus-send --system --print-reply=literal --dest=org.freedesktop.DBus / \
        org.freedesktop.DBus.GetConnectionUnixProcessID string:org.unraid.Vms | sed 's/.* //'
}

is_gone() {
    [[ ! -d /proc/$1 ]]
}

logged() {
    grep -q "$@" $log
}

domain() {
    cat <<XML
<domain type="qemu"><name>$1</name><memory unit="MiB">32</memory>
  <os><type arch="x86_64" machine="pc">hvm</type></os><features><acpi/></features>
  <devices><serial type="pty"/><video><model type="vga"/></video><graphics type="vnc"/></devices>
</domain>
XML
}

# libvirt's socket is for its group alone, as where its packages leave it without polkit.
configure() {
    getent group libvirt >/dev/null || groupadd --system libvirt
    useradd --uid $ordinary --user-group alice
    cat >/etc/libvirt/libvirtd.conf <<'CONF'
auth_unix_rw = "none"
auth_unix_ro = "none"
unix_sock_group = "libvirt"
unix_sock_rw_perms = "0770"
CONF
    cat >/etc/libvirt/qemu.conf <<'CONF'
user = "root"
group = "root"
security_driver = "none"
cgroup_controllers = [ ]
namespaces = [ ]
remember_owner = 0
stdio_handler = "file"
CONF
    # The whole log in one file, as it comes.
    echo "*.* $log" >/etc/syslog.conf
    touch $log
}

start_libvirtd() {
    libvirtd --daemon --pid-file /run/libvirtd.pid
}

# As installpkg does it.
installpkg() {
    tar -C / -xf "$1"
    (cd / && sh install/doinst.sh)
    rm -r /install
}

check_system() {
    local file
    for file in /usr/lib/systemd/systemd /run/systemd /usr/bin/pkcheck \
        /usr/share/dbus-1/system-services/org.freedesktop.PolicyKit1.service; do
        [[ ! -e $file ]] || fail "$file is here"
    done
    configure
    /etc/init.d/inetutils-syslogd start
    /etc/init.d/dbus start
    start_libvirtd
    domain web | virsh --connect qemu:///system define /dev/stdin
    domain mail | virsh --connect qemu:///system define /dev/stdin
}

# The two commands of docs/ADMIN.md.
check_two_commands() {
    installpkg unraid-vms-*-1.txz
    said=$(vmsctl list)
    has "$said" web
    has "$said" mail
    has "$(ldd /usr/libexec/unraid-vmsd)" libelogind.so
    is "$(readelf -d /usr/libexec/unraid-vmsd /usr/bin/vmsctl | grep -c libsystemd || true)" 0
}

# Nothing of root is left, and the group of libvirt's socket is there.
check_rights() {
    local status limit
    status=$(cat "/proc/$(main_pid)/status")
    is "$(awk '$1 == "Uid:" { print $2, $3, $4, $5 }' <<<"$status")" \
        "$(id -u unraid-vms | sed 's/.*/& & & &/')"
    has " $(awk '$1 == "Groups:" { $1 = ""; print }' <<<"$status") " " $(getent group libvirt | cut -d: -f3) "
    is "$(awk '$1 ~ /^Cap(Inh|Prm|Eff|Amb):/ { print $2 }' <<<"$status" | sort -u)" 0000000000000000
    is "$(awk '$1 == "NoNewPrivs:" { print $2 }' <<<"$status")" 1
    is "$(awk '$1 == "Umask:" { print $2 }' <<<"$status")" 0077
    # Root itself may be bounded where this runs, and cannot raise it.
    limit=$(ulimit -Hn 32768 2>/dev/null || true; ulimit -Hn)
    is "$(awk '/^Max open files/ { print $4, $5 }' "/proc/$(main_pid)/limits")" "$limit $limit"
    is "$(tr '\0' '\n' <"/proc/$(main_pid)/environ" | grep ^HOME=)" HOME=/var/lib/unraid-vms
    is "$(cat "/proc/$(main_pid)/comm")" unraid-vmsd
}

check_settings() {
    printf '# Slow guests\nVMS_OPTIONS="--stop-timeout=120 \\\n  --log-level=debug"\n' >/etc/unraid-vms.conf
    # The bus starts it with the next call, as root, whoever makes that.
    chmod 600 /etc/unraid-vms.conf
    $rc stop
    has "$(ordinarily vmsctl service)" "120 s"
    rm /etc/unraid-vms.conf
    $rc restart
    until_true is_available
    has "$(vmsctl service)" "10 s"
}

check_bad_settings() {
    $rc stop
    echo "VMS_OPTIONS=--stop-timeout=soon" >/etc/unraid-vms.conf
    said=$(vmsctl list 2>&1 || true)
    rm /etc/unraid-vms.conf
    [[ -n $said && $said != *memory* ]] || fail "the bus says: $said"
    logged 'unraid-vmsd\[[0-9]*\]: --stop-timeout takes a whole number of seconds: soon'
    vmsctl list >/dev/null
}

check_operations() {
    vmsctl start web
    is "$(state_of web)" running
    vmsctl pause web && vmsctl resume web && vmsctl reset web
    vmsctl save web
    is "$(state_of web)" shutoff
    vmsctl discard web
    vmsctl start web
    vmsctl screenshot web /tmp/web.ppm
    [[ -s /tmp/web.ppm ]] || fail "the picture is empty"
    vmsctl send-key web ctrl-alt-delete
    has "$(vmsctl top --iterations 1)" web
    vmsctl disk web >/dev/null && vmsctl device web >/dev/null
    vmsctl force-stop web
    vmsctl set-memory web 16M
    vmsctl autostart web on && vmsctl autostart web off
    vmsctl rename mail post && vmsctl rename post mail
    vmsctl xml web >/tmp/web.xml
    EDITOR=true vmsctl edit web
    domain third >/tmp/third.xml
    vmsctl define /tmp/third.xml && vmsctl undefine third
    vmsctl host >/dev/null && vmsctl jobs >/dev/null && vmsctl snapshot web list >/dev/null
    has "$(vmsctl metrics)" unraid_vms_available
    vmsctl reconnect
    until_true is_available
}

# It stops what does not obey, after its time.
check_stop() {
    vmsctl start web
    vmsctl set web stop-timeout 1s
    vmsctl stop web
    is "$(state_of web)" shutoff
}

check_no_journal() {
    has "$(vmsctl status web)" "there is no journal here"
}

# The same fields as in the journal, as text.
check_log() {
    logged 'unraid-vmsd\[[0-9]*\]: .* VM_UUID=[-0-9a-f]\{36\} VM_NAME=web VM_OPERATION=Start VM_RESULT=done CALLER_UID=0'
    logged 'unraid-vmsd\[[0-9]*\]: .* VM_NAME=web .*VM_STATE=running'
    logged 'unraid-vmsd\[[0-9]*\]: Connected to .* LIBVIRT_URI=qemu:///system'
}

check_log_control() {
    local set=(dbus-send --system --dest=org.unraid.Vms --print-reply /org/freedesktop/LogControl1
        org.freedesktop.DBus.Properties.Set string:org.freedesktop.LogControl1)
    "${set[@]}" string:LogLevel variant:string:debug
    "${set[@]}" string:LogTarget variant:string:syslog
    ends 1 "${set[@]}" string:LogTarget variant:string:journal
    has "$said" "There is no journal to log to"
    "${set[@]}" string:LogLevel variant:string:info
}

# Everyone reads; nobody is asked for a password, and the answer comes at once.
check_ordinary_user() {
    local before=$EPOCHREALTIME
    has "$(ordinarily vmsctl list)" web
    ends 6 ordinarily vmsctl start web
    has "$said" "polkit is not there to be asked, so only root and the service's own user may"
    before=$((${EPOCHREALTIME/./} - ${before/./}))
    ((before < 2000000)) || fail "it took $before microseconds"
    logged "VM_NAME=web VM_OPERATION=Start VM_RESULT=denied .*CALLER_UID=$ordinary"
    setpriv --reuid=unraid-vms --regid=unraid-vms --clear-groups vmsctl start web
    setpriv --reuid=unraid-vms --regid=unraid-vms --clear-groups vmsctl force-stop web
}

check_libvirtd() {
    local pid
    pid=$(main_pid)
    kill -KILL "$(cat /run/libvirtd.pid)"
    until_true eval '! is_available'
    start_libvirtd
    until_true is_available
    is "$(main_pid)" "$pid"
    logged 'unraid-vmsd\[[0-9]*\]: qemu:///system is not available'
}

check_killed() {
    local pid
    pid=$(main_pid)
    kill -KILL "$pid"
    until_true is_gone "$pid"
    has "$(vmsctl list)" web
    [[ $(main_pid) != "$pid" ]] || fail "it is the same process"
}

# The script waits for nothing, and libvirtd may come later.
check_script() {
    local before pid
    kill "$(cat /run/libvirtd.pid)"
    until_true eval '! is_available'
    $rc stop
    ends 3 $rc status
    before=$EPOCHREALTIME
    $rc start
    before=$((${EPOCHREALTIME/./} - ${before/./}))
    ((before < 1000000)) || fail "start took $before microseconds"
    until_true $rc status
    pid=$(main_pid)
    ends 5 vmsctl service
    start_libvirtd
    until_true is_available
    is "$(main_pid)" "$pid"
    $rc restart
    until_true is_available
    [[ $(main_pid) != "$pid" ]] || fail "it is the same process"
}

check_instance() {
    mkdir -p /etc/unraid-vms
    echo "LIBVIRT_URI=test:///default" >/etc/unraid-vms/attic.conf
    $rc start attic
    until_true $rc status attic
    has "$(vmsctl --instance attic list)" test
    $rc stop attic
    ends 3 $rc status attic
    $rc status
}

# Both ends of vmsctl --host are without systemd.
check_host() {
    mkdir -p /root/.ssh /run/sshd
    chmod 700 /root/.ssh
    ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
    cp /root/.ssh/id_ed25519.pub /root/.ssh/authorized_keys
    echo "StrictHostKeyChecking no" >/root/.ssh/config
    /usr/sbin/sshd -p 2222 -o ListenAddress=127.0.0.1 -o UsePAM=no
    has "$(vmsctl --host root@127.0.0.1:2222 list)" web
    vmsctl --host root@127.0.0.1:2222 start web
    is "$(vmsctl --host root@127.0.0.1:2222 list --names | sort | tr '\n' ' ')" "mail web "
    is "$(state_of web)" running
    vmsctl force-stop web
}

# Everything is told to end, as the script "sendsigs" does it: the service obeys, and cuts no power.
check_shutdown() {
    local pid lines
    vmsctl start web
    pid=$(main_pid)
    lines=$(wc -l <$log)
    kill "$pid"
    until_true is_gone "$pid"
    is "$(virsh --connect qemu:///system domstate web | head -n 1)" running
    vmsctl list >/dev/null
    pid=$(main_pid)
    killall5 -15 || true
    until_true is_gone "$pid"
    is "$(tail -n "+$((lines + 1))" $log | grep -c 'VM_OPERATION=\|libvirt does not answer' || true)" 0
}

# The next boot of a root that is kept in memory: the package is installed anew.
check_next_boot() {
    until_true eval '! pgrep -x "libvirtd|dbus-daemon" >/dev/null'
    rm -rf /run/dbus /run/libvirt* /usr/bin/vmsctl /usr/libexec/unraid-vmsd
    sed -i /^unraid-vms:/d /etc/passwd /etc/group
    /etc/init.d/inetutils-syslogd start
    /etc/init.d/dbus start
    start_libvirtd
    installpkg unraid-vms-*-1.txz
    has "$(vmsctl list)" web
    installpkg unraid-vms-*-1.txz
    is "$(grep -c ^unraid-vms: /etc/passwd)" 1
}

# For a check that failed.
tell_more() {
    tail -n 20 $log
}

run_checks system two_commands rights settings bad_settings operations stop no_journal log log_control \
    ordinary_user libvirtd killed script instance host shutdown next_boot
