#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Instances of the unit's template, each with another hypervisor: of this host, by ssh, by TLS.
set -euo pipefail
# shellcheck source=tests/system/installed.sh
source "$(dirname -- "$(realpath -- "$0")")/installed.sh"

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
    # A rule for this host's domains does not permit those of that name elsewhere.
    denied org.freedesktop.DBus.Error.AccessDenied "stop the virtual machine east" \
        call alice "$(path east)" org.unraid.Vms.Domain Stop
    service=org.unraid.Vms.west
    has "$(call bob "${manager[@]:1}" ListDomains)" '"west"'
    east_pid=$(unit_pid unraid-vms@east.service)

    # One that is down does not touch the other.
    systemctl kill -s KILL hypervisor-west.service
    until_true instance_is west false
    instance_is east true
    call root "$(path east)" org.unraid.Vms.Domain Pause
    is "$(unit_pid unraid-vms@east.service)" "$east_pid"
    service=org.unraid.Vms
    until_true available true
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

run_checks instances ssh tls instance_names
