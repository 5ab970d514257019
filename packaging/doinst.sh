# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Run by installpkg in the root directory of the system, at each boot where that is kept in memory:
# what is there already stays as it is.

user=unraid-vms
home=/var/lib/unraid-vms

grep -q "^$user:" etc/group || chroot . groupadd -r $user
grep -q "^$user:" etc/passwd ||
    chroot . useradd -r -g $user -d $home -s /bin/false -c 'Virtual machines on D-Bus' $user
mkdir -p .$home
chroot . chown $user:$user $home
chmod 0700 .$home

# The bus reads its policy and its services again; it is never restarted.
if [ "$(pwd -P)" = / ] && [ -S run/dbus/system_bus_socket ]; then
    dbus-send --system --print-reply --dest=org.freedesktop.DBus /org/freedesktop/DBus \
        org.freedesktop.DBus.ReloadConfig >/dev/null || true
fi
