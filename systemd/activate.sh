#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# activate.sh USER: after an install into the running system, what a package would do there.
# A staged install (DESTDIR) is left to its package. Enables and starts nothing.
set -eu

[ -z "${DESTDIR:-}" ] || exit 0
[ "$(id -u)" = 0 ] || exit 0

if command -v systemd-sysusers >/dev/null; then
    systemd-sysusers unraid-vms.conf
elif ! id "$1" >/dev/null 2>&1; then
    echo "activate.sh: there is no user $1 yet, and no systemd-sysusers to make it" >&2
fi
[ -d /run/systemd/system ] || exit 0
journalctl --update-catalog
systemctl daemon-reload
# The bus reads its policy again; it is never restarted.
busctl call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus ReloadConfig
