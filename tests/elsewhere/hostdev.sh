# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The target "hostdev" of tests/elsewhere.sh, which sources this: a whole machine, since a container has
# neither a USB bus nor an IOMMU. It is Debian 12 in QEMU, without hardware virtualisation. It has two USB
# sticks of one model, with the same serial number, and two network cards behind an IOMMU. hostdev-checks.sh
# runs in it and gives a stick to a guest, which is a QEMU in that QEMU.

: "${roots:?}" # of tests/elsewhere.sh

hostdev_packages() {
    packages_of build libvirtd guests
    printf '%s\n' dbus linux-image-amd64 polkitd systemd-sysv udev
}

# The service, installed, and the guest.
hostdev_install() {
    cat <<'SH'
set -e
[ -e /build/build.ninja ] ||
    meson setup -Dwerror=true -Dtests=false -Dcockpit=false -Dactivate=false /build /src >/dev/null
ninja --quiet -C /build
meson install -C /build --no-rebuild --quiet
systemd-sysusers unraid-vms.conf
/src/tests/support/guest/build-guest.sh --hardware /guest
SH
}

# hostdev_image ROOT: makes its file system, ROOT.image
hostdev_image() {
    rm -f "$1.image"
    truncate -s 8G "$1.image"
    /sbin/mke2fs -q -t ext4 -O ^has_journal -d "$1" "$1.image"
}

# hostdev_stick NAME: adds a USB stick to `machine`, with the name on its first line
hostdev_stick() {
    local file=$roots/hostdev.$1
    truncate -s 0 "$file"
    truncate -s 8M "$file"
    echo "$1" | dd of="$file" conv=notrunc status=none
    machine+=(-drive "if=none,id=$1,format=raw,file=$file" -device "usb-storage,serial=1,drive=$1")
}

# hostdev_card NUMBER: adds a network card to `machine`; a hub connects them
hostdev_card() {
    machine+=(-netdev "hubport,hubid=0,id=port$1" -device "e1000e,netdev=port$1,mac=52:54:00:00:00:0$1")
}

# hostdev_boot ROOT: it is off when hostdev-checks.sh has ended
hostdev_boot() {
    local append machine
    append="root=/dev/vda rw console=ttyS0 quiet mitigations=off intel_iommu=on"
    append+=" systemd.run=/src/tests/elsewhere/hostdev-checks.sh"
    machine=(timeout 3600 setpriv --pdeathsig KILL qemu-system-x86_64 -accel tcg -machine q35
        -m 2G -smp 2 -nodefaults -display none -no-reboot
        -kernel "$1/vmlinuz" -initrd "$1/initrd.img" -append "$append"
        -drive "if=virtio,format=raw,snapshot=on,file=$1.image"
        -serial "file:$1.log" -serial "file:$1.rows"
        -device "intel-iommu,intremap=on,caching-mode=on" -device qemu-xhci)
    hostdev_stick first
    hostdev_stick second
    hostdev_card 1
    hostdev_card 2
    "${machine[@]}" </dev/null
}

# on_hostdev TARGET
on_hostdev() {
    local root=$roots/$1 packages row rows
    command -v qemu-system-x86_64 >/dev/null || skip "qemu-system-x86 is not installed"
    mapfile -t packages < <(hostdev_packages)
    make_root "$root" bookworm amd64 "${packages[@]}"
    copy_sources "$root"
    hostdev_install | inside "$root" sh
    hostdev_image "$root"
    made
    rm -f "$root.log" "$root.rows"
    hostdev_boot "$root"
    mapfile -t rows < <(tr -d '\r' <"$root.rows")
    for row in "${rows[@]}"; do
        # shellcheck disable=SC2086 # the name, the result and the seconds
        [[ $row == end ]] || count hostdev-$row
    done
    [[ ${rows[*]} == *end && ${rows[*]} != *FAIL* ]] || tail -n 100 "$root.log" >&2
    [[ ${rows[*]} == *end ]]
}
