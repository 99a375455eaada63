#!/usr/bin/env bash
# Make a root file system of this machine's own programs and the libraries they need:
# rootfs.sh DIRECTORY PROGRAM...
set -euo pipefail

root=$1
shift

# ldd gives the path of each library, be it after an arrow or, for the loader, at the line's start.
libraries() {
  ldd "$1" 2>/dev/null | grep -o '/[^ ]*' || true
}

mkdir -p "$root"/{bin,etc,tmp}
for name in "$@"; do
  program=$(type -P "$name") || {
    echo "$name is absent" >&2
    exit 1
  }
  cp -L "$program" "$root/bin/$name"
  for library in $(libraries "$program"); do
    [ -e "$root$library" ] || cp -L --parents "$library" "$root"
  done
done
