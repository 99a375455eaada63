#!/usr/bin/env bash
# Print the directory that holds Debian's kernel for virtual machines, unpacked: boot/vmlinuz-* and
# lib/modules/*. It is fetched once, is installed nowhere, and needs neither root nor a /boot.
set -euo pipefail

cache=${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/kata-agent-test

# This package is empty and depends on the one of the current version.
resolve() {
  apt-cache show --no-all-versions linux-image-cloud-amd64 |
    sed -n 's/^Depends: \(linux-image-[^ ]*\) (= \([^)]*\))$/\1=\2/p'
}

package=$(resolve)
if [ -z "$package" ]; then
  echo "apt knows no linux-image-cloud-amd64: run apt-get update" >&2
  exit 1
fi

kernel=$cache/${package/=/_}
if [ ! -d "$kernel" ]; then
  mkdir -p "$cache"
  unfinished=$(mktemp -d "$cache/XXXXXX")
  trap 'rm -rf "$unfinished"' EXIT
  cd "$unfinished"
  apt-get --quiet=2 --option APT::Sandbox::User="$(id -un)" download "$package" >&2
  dpkg-deb --extract ./*.deb tree
  chmod 755 tree
  # Another run may have been faster.
  mv --no-target-directory tree "$kernel" 2>/dev/null || [ -d "$kernel" ]
fi
echo "$kernel"
