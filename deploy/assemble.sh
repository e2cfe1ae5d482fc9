#!/bin/sh
# assemble.sh PROGRAM ROOT: the root file system of the image without a container engine, to be entered with enter.sh.
#
# In place of Debian's base it takes the tools and libraries of this machine; all else is rootfs.sh, as in the Dockerfile.
set -eu
program=$1 root=$2
here=$(dirname "$0")

mkdir -p "$root/bin" "$root/usr/bin" "$root/dev" "$root/proc" "$root/etc/ssl/certs"
libraries() { # those a program needs, at the places they have here
  { ldd "$1" 2> /dev/null || true; } | grep -o '/[^ ]*' | while read -r library; do
    [ -e "$root$library" ] || install -D "$library" "$root$library"
  done
}
for tool in sh cat grep mkdir dirname ls sleep id; do
  path=$(readlink -f "$(command -v "$tool")")
  [ -e "$root$path" ] || install -D "$path" "$root$path"
  libraries "$path"
  [ -e "$root/bin/$tool" ] || ln -s "$path" "$root/bin/$tool"
done
libraries "$program"
[ ! -e /etc/ssl/certs/ca-certificates.crt ] || cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
printf 'hosts: files\n' > "$root/etc/nsswitch.conf"
printf '127.0.0.1 localhost\n' > "$root/etc/hosts"
# Enough of /dev for a shell; enter.sh puts the real one over it where it may.
[ -e "$root/dev/null" ] || { : > "$root/dev/null" && chmod 0666 "$root/dev/null"; }
sh "$here/rootfs.sh" "$program" "$root"
