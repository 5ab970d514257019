#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# tests/support/guest/build-guest.sh [--hardware] OUTDIR: makes a guest for the tests in OUTDIR, once:
#   vmlinuz       Debian's cloud kernel, taken from its package without installing it
#   initrd        busybox, the modules for the power button, virtio and a CD drive, and ./init
#   initrd-agent  the same with qemu-guest-agent
#   disk.img      a small ext4 file system for a virtio disk
#   halt.rom      firmware that halts the processor at once, in place of all of these
# With --hardware the kernel is the one for computers, and initrd has the modules for USB drives and
# for network cards of the kind e1000e, too.
# Needs the packages of the group "guests" and, the first time, the network. A finished OUTDIR
# holds the sum of what it was made from, and is left alone as long as that is the same.
set -euo pipefail

here=$(dirname -- "$(realpath -- "$0")")
flavour=cloud-amd64 hardware_modules=''
if [[ ${1-} == --hardware ]]; then
    flavour=amd64 hardware_modules="xhci_pci usb_storage sd_mod e1000e"
    shift
fi
out=$(realpath -m -- "${1:?usage: build-guest.sh [--hardware] OUTDIR}")
base_modules="button evdev"
drive_modules="ata_piix sr_mod"
virtio_modules="virtio_pci virtio_balloon virtio_mem virtio_console virtio_blk virtio_net"

mkdir -p "$out"
exec 9>"$out/.lock"
flock 9
sum=$(cat - "$here/init" "$here/build-guest.sh" <<<"$flavour" | sha256sum)
[[ -e $out/.done && $(<"$out/.done") == "$sum" ]] && exit 0
rm -f "$out/.done"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# fetch PACKAGE DIRECTORY: unpacks it there, without its dependencies.
fetch() {
    (cd "$work" && apt-get -qq download "$1" 2>"$work/apt.log") || {
        cat "$work/apt.log" >&2
        return 1
    }
    dpkg-deb -x "$work/${1}"_*.deb "$2"
}

# dependencies PACKAGE PATTERN: those packages whose names match
dependencies() {
    apt-cache depends --important "$1" | sed -n 's/^ *Depends: //p' | grep -Ex "$2" || true
}

# Unpacks the kernel and its modules to $work/kernel. A kernel is one package up to Debian 13, and
# several later; modules are below /lib up to Debian 12, and then below /usr/lib: kmod, which may be of
# another release, finds them in either.
fetch_kernel() {
    local package root=$work/kernel
    kernel=$(dependencies "linux-image-$flavour" "linux-image-[0-9].*-$flavour" | head -n 1)
    [[ -n $kernel ]] || {
        echo "build-guest.sh: apt knows no linux-image-$flavour (run apt-get update)" >&2
        return 1
    }
    version=${kernel#linux-image-}
    mkdir -p "$root/lib" "$root/usr/lib"
    for package in "$kernel" $(dependencies "$kernel" 'linux-(base|binary|modules)-[0-9].*'); do
        fetch "$package" "$root"
    done
    if [[ -e $root/usr/lib/modules ]]; then
        ln -s ../usr/lib/modules "$root/lib/modules"
    else
        ln -s ../../lib/modules "$root/usr/lib/modules"
    fi
    depmod -b "$root" "$version"
}

# add_modules LIST MODULE...: copies them and writes the order to load them in.
add_modules() {
    local list=$1 module path
    shift
    for module; do
        modprobe -d "$work/kernel" -S "$version" --show-depends "$module"
    done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
        while read -r path; do
            module=$(basename "$path" .xz)
            case $path in
            *.xz) xz -dc "$path" >"$work/root/modules/$module" ;;
            *) cp "$path" "$work/root/modules/$module" ;;
            esac
            echo "$module"
        done >"$work/root/modules/$list"
}

# add_program FILE [AS]: copies it with the libraries that it needs.
add_program() {
    install -D "$1" "$work/root/${2:-$1}"
    # The libraries are those of this machine, where its own package may not be installed.
    ldd "$1" | sed -n 's|^[^/]*\(/[^ ]*\) (0x.*|\1|p' | while read -r library; do
        install -D "$library" "$work/root/$library"
    done
}

pack() {
    (cd "$work/root" && find . -print0 | cpio -0 -o -H newc --quiet -R 0:0 | gzip -6) >"$out/$1.new"
    mv "$out/$1.new" "$out/$1"
}

# make_firmware FILE: at the reset vector, 16 bytes before the end, "cli; hlt" again and again.
make_firmware() {
    truncate -s $((65536 - 16)) "$work/halt.rom"
    printf '\xfa\xf4\xeb\xfc' >>"$work/halt.rom"
    truncate -s 65536 "$work/halt.rom"
    mv "$work/halt.rom" "$1"
}

make_firmware "$out/halt.rom"
fetch_kernel

mkdir -p "$work"/root/{bin,etc,modules,root,usr/sbin}
cp /bin/busybox "$work/root/bin/busybox"
ln -s busybox "$work/root/bin/sh"
install -m 755 "$here/init" "$work/root/init"
printf 'root:x:0:0:root:/root:/bin/sh\n' >"$work/root/etc/passwd"
printf 'root::19000:0:99999:7:::\n' >"$work/root/etc/shadow"
printf 'root:x:0:\n' >"$work/root/etc/group"
# shellcheck disable=SC2086 # the lists are made of words
{
    add_modules base $base_modules
    add_modules virtio $virtio_modules
    add_modules drive $drive_modules
    [[ -z $hardware_modules ]] || add_modules hardware $hardware_modules
}
pack initrd

fetch qemu-guest-agent "$work/agent"
add_program "$work/agent/usr/sbin/qemu-ga" /usr/sbin/qemu-ga
pack initrd-agent

truncate -s 8M "$work/disk.img"
mkdir "$work/files"
echo "a file in the guest" >"$work/files/hello"
/sbin/mke2fs -q -t ext4 -d "$work/files" "$work/disk.img"
mv "$work/disk.img" "$out/disk.img"
find "$work/kernel" -name "vmlinuz*" -exec cp {} "$out/vmlinuz" \;
[[ -s $out/vmlinuz ]]
echo "$sum" >"$out/.done"
