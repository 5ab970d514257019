#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The page in Chromium, behind a real cockpit-ws and bridge, with the installed service and a libvirtd
# with guests, in a booted container. Its screenshots go to $VMS_BUILD/screenshots. Exits with 77, and
# says why, where that cannot be had. $VMS_ONLY, if set, is a pattern of the only cases to run.
set -euo pipefail

top=$(realpath -- "$(dirname -- "$0")/../..")
build=$(realpath -- "${VMS_BUILD:-$top/build}")

# Each with a bridge of its own: $1 is the user, $2 the port.
serve() {
    setsid setpriv --reuid="$1" --regid="$1" --init-groups env HOME=/tmp \
        /usr/lib/cockpit/cockpit-ws --local-session=/usr/bin/cockpit-bridge --address=127.0.0.1 \
        --port="$2" </dev/null >"$scratch/ws-$2" 2>&1 &
}

# Cockpit as it is installed: one logs in, and its shell has the page. erin may use sudo.
serve_logins() {
    useradd --create-home --shell=/bin/bash --groups=sudo erin
    echo erin:secret | chpasswd
    setsid /usr/lib/cockpit/cockpit-ws --no-tls --address=127.0.0.1 --port="$1" \
        </dev/null >"$scratch/ws-$1" 2>&1 &
}

# Why a case failed stands last: tests/count.py shows the end of the output.
explain() {
    journalctl --no-pager -o short-precise -n 40 -u 'unraid-vms*'
    cat "$scratch"/ws-*
    tail -n 5 /run/vms/web.console
    grep -A 35 '^not ok' "$scratch/cases" | head -n 38
}

in_container() {
    # shellcheck source=tests/system/installed.sh
    source "$top/tests/system/installed.sh"
    echo 'cgroup_controllers = [ "cpuacct" ]' >>/etc/libvirt/qemu.conf
    setup
    mkdir -p /run/vms
    serve root 9190
    serve bob 9191
    serve_logins 9192
    until_true bash -c ': </dev/tcp/127.0.0.1/9190 && : </dev/tcp/127.0.0.1/9191 &&
        : </dev/tcp/127.0.0.1/9192' 2>/dev/null
    export VMS_SCREENSHOTS=$scratch/screenshots
    mkdir "$VMS_SCREENSHOTS"
    virsh -q -c qemu:///system undefine web
    virsh -q -c qemu:///system undefine mail
    status=0
    node --test-name-pattern="${VMS_ONLY:-.}" "$top/tests/page/browser-cases.mjs" 2>&1 |
        tee "$scratch/cases" >&2 || status=$?
    ((!status)) || explain >&2 || true # whatever of it there is
    tar -C "$VMS_SCREENSHOTS" -cf - .
    exit "$status"
}

if [[ -n ${VMS_IN_CONTAINER-} ]]; then
    in_container
fi

# shellcheck source=tests/system/container
source "$top/tests/system/container"
for tool in node chromium cockpit-bridge /usr/lib/cockpit/cockpit-ws sudo libvirtd; do
    command -v "$tool" >/dev/null || container_skip "there is no $tool"
done
[[ -e /usr/share/cockpit/shell/manifest.json ]] || container_skip "there is no cockpit-system"
container_check
"$top/tests/support/guest/build-guest.sh" "${VMS_GUEST_DIR:=$top/build-guest}"
container_start
status=0
mkdir -p "$build/screenshots"
container_exec env VMS_IN_CONTAINER=1 VMS_BUILD="$build" VMS_GUEST_DIR="$VMS_GUEST_DIR" \
    VMS_ONLY="${VMS_ONLY-}" "$(realpath -- "$0")" |
    tar -C "$build/screenshots" --no-same-owner -xf - || status=$?
container_stop
exit "$status"
