#!/bin/sh
# enter.sh ROOT COMMAND...: runs a command in the root file system that assemble.sh made, as user 12345 in /home/k6.
set -eu
root=$1
shift
enter='cd "$0" 2> /dev/null; exec "$@"'
if [ "$(id -u)" = 0 ]; then
  # A namespace of mounts of its own: what is mounted here goes with the command.
  inside='mount -t proc proc "$0/proc" 2> /dev/null; mount --rbind /dev "$0/dev" 2> /dev/null; exec chroot --userspec=12345:12345 "$0" /bin/sh -c "$@"'
  if unshare --mount true 2> /dev/null; then
    exec unshare --mount sh -c "$inside" "$root" "$enter" /home/k6 "$@"
  fi
  exec chroot --userspec=12345:12345 "$root" /bin/sh -c "$enter" /home/k6 "$@"
fi
exec unshare --user --map-user=12345 --map-group=12345 --root="$root" /bin/sh -c "$enter" /home/k6 "$@"
