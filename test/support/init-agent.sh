#!/bin/sh
# Run the agent as PID 1 of what looks like a guest: init-agent.sh ROOT SHARED REPOSITORY CONSOLE MODE
# COMMAND... in user, mount, pid, net, uts, ipc and cgroup namespaces of its own. MODE is rw or ro, for the
# root. The user namespace keeps the agent from what it would do to the machine: devtmpfs is one for all,
# and so is what is linked there.
set -eu
root=$1 shared=$2 repository=$3 console=$4 mode=$5
shift 5

# Nothing is in it but programs, and what the entry code of a sealed agent has mounted.
mount -t tmpfs tmpfs "$root"
for each in /bin /sbin /lib /lib64 /usr; do
  if [ -L "$each" ]; then
    ln -s "$(readlink "$each")" "$root$each"
  elif [ -d "$each" ]; then
    mkdir "$root$each"
    mount --rbind "$each" "$root$each"
  fi
done
for each in "$repository" "$shared"; do
  mkdir -p "$root$each"
  mount --rbind "$each" "$root$each"
done
mkdir "$root/proc" "$root/dev" "$root/etc"
mount -t proc proc "$root/proc"
echo "kata-guest and more" >"$root/etc/hostname"
if [ -n "$console" ]; then
  : >"$root/dev/console"
  mount --bind "$console" "$root/dev/console"
fi
if [ "$mode" = ro ]; then
  # As in an image: what is mounted on must be there.
  mkdir "$root/sys" "$root/run"
  mount -o remount,ro "$root"
fi
exec chroot "$root" "$@"
