#!/usr/bin/env bash
# Print the directory that holds one of Debian's packages, unpacked: debian-package.sh amd64|arm64 NAME
# It is fetched once and installed nowhere; that takes no root. For another architecture than this
# machine's apt keeps lists of its own, and what it knows of this machine stays as it is.
set -euo pipefail

arch=$1 name=$2
cache=${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/kata-agent

options=(--quiet=2 --option APT::Sandbox::User="$(id -un)")
if [ "$arch" != "$(dpkg --print-architecture)" ]; then
  mkdir -p "$cache/apt-$arch/lists/partial" "$cache/apt-$arch/archives/partial"
  options+=(
    --option APT::Architecture="$arch" --option APT::Architectures="$arch"
    --option Dir::State::status=/dev/null --option Dir::State::lists="$cache/apt-$arch/lists"
    --option Dir::Cache="$cache/apt-$arch"
  )
fi

# A package that only depends on the current version of another stands for that one. NAME=VERSION;
# nothing if apt does not know it.
newest() {
  { apt-cache "${options[@]}" show --no-all-versions "$name" 2>/dev/null || true; } |
    awk -v name="$name" '
      /^Version:/ { version = $2 }
      name ~ /^linux-image-/ && /^Depends: linux-image-/ {
        name = $2
        version = substr($4, 1, length($4) - 1)
      }
      END { if (version != "") print name "=" version }
    '
}

directory_of() {
  echo "$cache/${1/=/_}_$arch"
}

# Succeeds if it is there, or is there now.
fetch() (
  package=$1
  directory=$(directory_of "$package")
  [ -n "$package" ] || exit 1
  [ ! -d "$directory" ] || exit 0
  mkdir -p "$cache"
  unfinished=$(mktemp -d "$cache/XXXXXX")
  trap 'rm -rf "$unfinished"' EXIT
  cd "$unfinished"
  apt-get "${options[@]}" download "$package" >&2 || exit 1
  dpkg-deb --extract ./*.deb tree || exit 1
  # Another run may have been faster.
  mv --no-target-directory tree "$directory" 2>/dev/null || [ -d "$directory" ]
)

package=$(newest)
if ! fetch "$package"; then
  # What apt knows is nothing yet, or too old to be had any more.
  apt-get "${options[@]}" update >&2
  package=$(newest)
  fetch "$package"
fi
directory_of "$package"
