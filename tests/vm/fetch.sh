#!/bin/sh
# fetch.sh FOLDER: Debian's kernel, its usbip program and udev, downloaded and unpacked, not installed. What is there already is kept.
set -eu
folder=$(realpath -m "$1")
[ ! -f "$folder/vmlinuz" ] || [ ! -f "$folder/udevadm" ] || exit 0
kernel=$(apt-cache depends linux-image-amd64 2>/dev/null | sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p' | head -n 1)
[ -n "$kernel" ] || {
    echo "fetch.sh: apt knows no linux-image-amd64; run apt-get update" >&2
    exit 1
}
mkdir -p "$folder"
work=$(mktemp -d "$folder/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -o APT::Sandbox::User=root download -qq "$kernel" usbip udev
version=${kernel#linux-image-}
dpkg-deb --fsys-tarfile "$kernel"_*.deb |
    tar -x --wildcards "./boot/vmlinuz-*" './lib/modules/*/modules.*' './lib/modules/*/kernel/drivers/usb'
dpkg-deb --fsys-tarfile usbip_*.deb | tar -x ./usr/sbin/usbip
dpkg-deb --fsys-tarfile udev_*.deb | tar -x ./bin/udevadm
depmod -b . "$version"
rm -rf "$folder/lib"
mv lib "$folder/lib"
mv usr/sbin/usbip bin/udevadm "$folder"
echo "$version" >"$folder/version"
mv "boot/vmlinuz-$version" "$folder/vmlinuz" # last: what says that all of it is there
