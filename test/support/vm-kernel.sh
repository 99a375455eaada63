#!/usr/bin/env bash
# Print the directory that holds Debian's kernel for virtual machines, unpacked: boot/vmlinuz-* and
# lib/modules/*. It is fetched once and installed nowhere; that takes no root.
set -euo pipefail

cache=${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/kata-agent-test

# The package of that name is empty and depends on the current version: NAME=VERSION. Nothing if apt
# does not know it.
newest() {
  { apt-cache show --no-all-versions linux-image-cloud-amd64 2>/dev/null || true; } |
    sed -n 's/^Depends: \(linux-image-[^ ]*\) (= \([^)]*\))$/\1=\2/p'
}

directory_of() {
  echo "$cache/${1/=/_}"
}

# Succeeds if it is there, or is there now.
fetch() (
  package=$1
  kernel=$(directory_of "$package")
  [ -n "$package" ] || exit 1
  [ ! -d "$kernel" ] || exit 0
  mkdir -p "$cache"
  unfinished=$(mktemp -d "$cache/XXXXXX")
  trap 'rm -rf "$unfinished"' EXIT
  cd "$unfinished"
  apt-get --quiet=2 --option APT::Sandbox::User="$(id -un)" download "$package" >&2 || exit 1
  dpkg-deb --extract ./*.deb tree || exit 1
  # Another run may have been faster.
  mv --no-target-directory tree "$kernel" 2>/dev/null || [ -d "$kernel" ]
)

package=$(newest)
if ! fetch "$package"; then
  # What apt knows is nothing yet, or too old to be had any more.
  apt-get --quiet=2 update >&2
  package=$(newest)
  fetch "$package"
fi
directory_of "$package"
