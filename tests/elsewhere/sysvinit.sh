# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The target "sysvinit" of tests/elsewhere.sh, which sources this: Debian 13 with sysvinit and elogind,
# without systemd and polkit. The service is built there with libelogind and packed by
# packaging/txz.sh; sysvinit-checks.sh installs the package and tries it.

: "${roots:?}" # of tests/elsewhere.sh

# Debian's elogind has no library any more: the one of the same version is built from Debian's source.
sysvinit_packages() {
    packages_of build | grep -vx libsystemd-dev
    printf '%s\n' sysvinit-core elogind dbus dbus-bin inetutils-syslogd procps iproute2 openssh-server \
        openssh-client libvirt-daemon libvirt-daemon-driver-qemu libvirt-clients qemu-system-x86 seabios \
        python3 xz-utils dpkg-dev gperf python3-jinja2 libcap-dev libmount-dev libudev-dev libacl1-dev
}

# The commands, run in the root, that make the library and put it where pkg-config finds it.
sysvinit_build_library() {
    cat <<'SH'
set -e
dpkg --purge --force-depends polkitd
sed -n 's/^deb /deb-src /p' /etc/apt/sources.list >/etc/apt/sources.list.d/source.list
apt-get -qq update
cd /usr/src
apt-get -qq source --tar-only --download-only elogind
mkdir elogind
tar -C elogind --strip-components=1 -xf elogind_*.orig.tar.*
meson setup build elogind -Dmode=release -Dman=disabled -Dhtml=disabled -Dtests=false -Dtranslations=false \
    -Dpam=disabled -Dpolkit=disabled -Daudit=disabled -Dselinux=disabled --prefix=/usr/local --libdir=lib
library=$(ninja -C build -t targets all | sed -n 's/^\(libelogind\.so\.[0-9.]*\): .*/\1/p' | sort | tail -n 1)
pc=$(ninja -C build -t targets all | sed -n 's/^\(.*\/libelogind\.pc\): .*/\1/p')
ninja -C build "$library" "$pc"
mkdir -p /usr/local/include/elogind/systemd /usr/local/lib/pkgconfig
cp "$PWD"/elogind/src/systemd/*.h /usr/local/include/elogind/systemd/
cp "$PWD/build/$pc" /usr/local/lib/pkgconfig/
cp "build/$library" /usr/local/lib/
ln -s "$library" /usr/local/lib/libelogind.so
ldconfig
SH
}

# sysvinit_inside ROOT COMMAND...: in a copy of ROOT that is thrown away afterwards, with processes,
# network, /dev and /run of its own.
sysvinit_inside() {
    # shellcheck disable=SC2016 # the inner shell expands it
    unshare --mount --pid --net --ipc --uts --fork --kill-child --propagation private bash -c '
        set -e
        lower=$1 scratch=$1.memory
        shift
        mkdir -p "$scratch"
        mount -t tmpfs tmpfs "$scratch"
        root=$scratch/root
        mkdir "$scratch/upper" "$scratch/work" "$root"
        mount -t overlay -o "lowerdir=$lower,upperdir=$scratch/upper,workdir=$scratch/work" overlay "$root"
        mount -t proc proc "$root/proc"
        mount -t sysfs sysfs "$root/sys"
        mount -t tmpfs -o mode=755 tmpfs "$root/run"
        mount -t tmpfs tmpfs "$root/tmp"
        mount -t tmpfs -o mode=755 tmpfs "$root/dev"
        for node in null zero full random urandom tty; do
            touch "$root/dev/$node"
            mount --bind "/dev/$node" "$root/dev/$node"
        done
        mkdir "$root/dev/pts" "$root/dev/shm" "$root/run/lock"
        mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
        ln -s pts/ptmx "$root/dev/ptmx"
        ln -s /proc/self/fd "$root/dev/fd"
        ln -s fd/0 "$root/dev/stdin"
        ip link set lo up
        exec chroot "$root" env -i HOME=/root LANG=C.UTF-8 TERM=dumb \
            PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin "$@"' - "$@"
}

# on_sysvinit TARGET
on_sysvinit() {
    local root=$roots/$1 line packages
    if [[ ! -d $root ]]; then
        mapfile -t packages < <(sysvinit_packages)
        make_root "$root.packages" trixie amd64 "${packages[@]}"
        sysvinit_build_library | inside "$root.packages" sh >/dev/null
        mv "$root.packages" "$root"
    fi
    copy_sources "$root"
    inside "$root" env VMS_TXZ_BUILD=/build /src/packaging/txz.sh -Dsd-bus-provider=libelogind \
        -Dwerror=true >/dev/null
    made
    while read -r line; do
        # shellcheck disable=SC2086 # the name, the result and the seconds
        count sysvinit-$line
    done < <(sysvinit_inside "$root" /src/tests/elsewhere/sysvinit-checks.sh)
}
