#!/usr/bin/env bash
# pack.sh PROGRAM MACHINE FOLDER: packs a static program of x86_64 or aarch64 for a release. FOLDER then has
#   volley-vVERSION-linux-ARCH.tar.gz   the program, README, licences
#   volley_VERSION_ARCH.deb             for Debian and Ubuntu, where there is `cargo deb` (else that is said)
#   SHA256SUMS                          of everything in it that is called volley
# Refused: a program that needs libraries of the machine, or is larger than MAX_MEGABYTES (45).
set -euo pipefail
program=$(realpath "$1") machine=$2 folder=$3
root=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$folder"
folder=$(realpath "$folder")
refuse() { echo "pack.sh: $1" >&2; exit 1; }

case $machine in
    x86_64) arch=amd64 ;;
    aarch64) arch=arm64 ;;
    *) refuse "there is no release for $machine, only for x86_64 and aarch64" ;;
esac
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)
readelf -h "$program" > /dev/null 2>&1 || refuse "$program is no program for Linux"
if readelf -d "$program" | grep -q '(NEEDED)'; then
    refuse "$program needs libraries of the machine it was built on: build it for musl"
fi
most=$((${MAX_MEGABYTES:-45} * 1000 * 1000)) size=$(stat -c %s "$program")
[ "$size" -le "$most" ] || refuse "$program has $size bytes, more than $most"

name=volley-v$version-linux-$arch
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/$name"
install -m 0755 "$program" "$work/$name/volley"
install -m 0644 "$root/README.md" "$root/LICENSE-MIT" "$root/LICENSE-APACHE" "$work/$name/"
# The same files make the same archive, byte for byte.
tar --create --sort=name --owner=0 --group=0 --numeric-owner --mtime="@${SOURCE_DATE_EPOCH:-0}" --directory "$work" "$name" |
    gzip -9n > "$folder/$name.tar.gz"

if command -v cargo-deb > /dev/null; then
    # It takes the program where a build would have put it.
    mkdir -p "$work/target/$machine-unknown-linux-musl/release"
    install -m 0755 "$program" "$work/target/$machine-unknown-linux-musl/release/volley"
    (cd "$root" && CARGO_TARGET_DIR=$work/target cargo deb --quiet --no-build --no-strip --target "$machine-unknown-linux-musl" \
        --output "$folder/volley_${version}_$arch.deb")
else
    echo "pack.sh: no Debian package: there is no cargo-deb (cargo install cargo-deb)" >&2
fi
(cd "$folder" && sha256sum volley* > SHA256SUMS)
(cd "$folder" && cat SHA256SUMS)
