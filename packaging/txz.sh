#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# packaging/txz.sh [MESON-OPTION...]
#
# Builds a package in Slackware's format, unraid-vms-VERSION-ARCH-1.txz, in the current directory. The
# build is kept in $VMS_TXZ_BUILD (build-txz beside the sources) and used again. SOURCE_DATE_EPOCH is
# heeded.
set -euo pipefail

top=$(dirname -- "$(dirname -- "$(realpath -- "$0")")")
build=${VMS_TXZ_BUILD:-$top/build-txz}
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
options=(--prefix=/usr --sysconfdir=/etc --localstatedir=/var --mandir=/usr/man --buildtype=release
    -Dactivate=false -Dtests=false "$@")

if [[ -e $build/build.ninja ]]; then
    meson configure "$build" "${options[@]}"
else
    meson setup "$build" "$top" "${options[@]}"
fi
meson compile -C "$build"
DESTDIR=$stage meson install -C "$build" --no-rebuild --strip --quiet

# Systemd's files are of no use there; sysusers.d is what doinst.sh does.
rm -rf "$stage"/usr/lib/{systemd,sysusers.d}
find "$stage/usr/man" -type f -exec gzip -9n {} + 2>/dev/null || true
install -D -m 0755 "$top/examples/rc.unraid-vms" "$stage/etc/rc.d/rc.unraid-vms"
install -D -m 0644 "$top/docs/ADMIN.md" "$stage/usr/doc/unraid-vms/ADMIN.md"
install -D -m 0755 "$top/packaging/doinst.sh" "$stage/install/doinst.sh"
install -D -m 0644 "$top/packaging/slack-desc" "$stage/install/slack-desc"

version=$(meson introspect --projectinfo "$build" | sed 's/.*"version": "\([^"]*\)".*/\1/')
architecture=$(uname -m)
package=unraid-vms-$version-${architecture/#i?86/i586}-1.txz
chmod 0755 "$stage"
tar -C "$stage" --sort=name --owner=0 --group=0 --numeric-owner ${SOURCE_DATE_EPOCH:+--mtime=@"$SOURCE_DATE_EPOCH"} \
    -cJf "$package" .
echo "$PWD/$package"
