#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# test-client.sh ENVIRONMENT TEST WORK CLIENT: gets what the client needs into WORK, while there is
# a network, and runs TEST with it in ENVIRONMENT (tests/support/libvirtd-env, or env). Exits with 77, and
# says why, where the client cannot be had.
set -euo pipefail

environment=$1 test=$2 work=$3 client=$4

skip() {
    echo "skipped: $*" >&2
    exit 77
}

case $client in
*.py)
    /usr/bin/python3 -c 'import dasbus' 2>/dev/null || skip "there is no python3-dasbus"
    command=(/usr/bin/python3 "$client")
    ;;
*.js)
    for tool in node npm; do
        command -v "$tool" >/dev/null || skip "there is no $tool"
    done
    mkdir -p "$work"
    # Without a network npm goes on trying.
    flock "$work" timeout 45 "${client%/*}/install.sh" "$work" || skip "dbus-next cannot be had from npm"
    export NODE_PATH=$work/node_modules
    command=(node "$client")
    ;;
*) command=("$client") ;;
esac
exec "$environment" "$test" "${command[@]}"
