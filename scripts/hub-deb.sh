#!/usr/bin/env bash
# Packs the hub's binary as a .deb with a systemd unit and a data folder of its own.
set -euo pipefail
binary=$(realpath "$1")
cd "$(dirname "$0")/.."
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
architecture=$(dpkg --print-architecture)
root=target/debian/root
rm -rf "$root"
install -Dm755 "$binary" "$root/usr/bin/standpipe-hub"
strip "$root/usr/bin/standpipe-hub"
install -Dm644 packaging/standpipe-hub.service "$root/lib/systemd/system/standpipe-hub.service"
install -Dm644 LICENSE "$root/usr/share/doc/standpipe-hub/copyright"
install -Dm644 target/THIRD-PARTY.txt "$root/usr/share/doc/standpipe-hub/THIRD-PARTY.txt"
mkdir -p "$root/DEBIAN"
cat >"$root/DEBIAN/control" <<CONTROL
Package: standpipe-hub
Version: $version
Architecture: $architecture
Maintainer: The Standpipe developers <maintainers@standpipe.invalid>
Section: net
Priority: optional
Depends: libc6, libgcc-s1, adduser
Description: The office's server of Standpipe
 Takes what inspectors record on their tablets, tracks the issues found, and
 serves the office's console. Keeps everything in one folder.
CONTROL
install -Dm755 -t "$root/DEBIAN" packaging/postinst packaging/prerm
dpkg-deb --root-owner-group --build "$root" "target/debian/standpipe-hub_${version}_$architecture.deb"
