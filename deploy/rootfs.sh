#!/bin/sh
# rootfs.sh PROGRAM ROOT: makes ROOT, which holds a small Debian, the root of an image of volley.
#
# The program is there as `volley` and, for what calls k6, as `k6`. The user is that of k6's own image: 12345, at home in
# /home/k6. k6-operator's initializer needs sh, cat, grep, mkdir and dirname, and a /tmp it may write to.
set -eu
program=$1 root=${2%/}

mkdir -p "$root/usr/bin" "$root/etc" "$root/home/k6" "$root/tmp"
install -m 0755 "$program" "$root/usr/bin/volley"
ln -sf volley "$root/usr/bin/k6"
touch "$root/etc/passwd" "$root/etc/group"
grep -q '^k6:' "$root/etc/passwd" || echo 'k6:x:12345:12345:k6:/home/k6:/bin/sh' >> "$root/etc/passwd"
grep -q '^k6:' "$root/etc/group" || echo 'k6:x:12345:' >> "$root/etc/group"
# Where the script is run by somebody else than root, everything belongs to them anyway.
[ "$(id -u)" != 0 ] || chown 12345:12345 "$root/home/k6"
chmod 1777 "$root/tmp"
for tool in sh cat grep mkdir dirname; do
  [ -e "$root/bin/$tool" ] || [ -e "$root/usr/bin/$tool" ] || { echo "rootfs.sh: the image has no $tool" >&2; exit 1; }
done
