#!/usr/bin/env bash
# Make the directory $1, which is not there yet: a root file system of Debian with systemd and runc, without
# what nobody reads in a guest. It is fetched once and kept; takes root.
set -euo pipefail

# shellcheck disable=SC1091
. /etc/os-release
cache=${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/kata-agent-test
kept=$cache/systemd-runc-$VERSION_CODENAME.tar

if [ ! -f "$kept" ]; then
  mkdir -p "$cache"
  unfinished=$(mktemp -d "$cache/XXXXXX")
  trap 'rm -rf "$unfinished"' EXIT
  # Where apt fetches from.
  mirror=$(apt-get indextargets --format '$(SITE)' "Codename: $VERSION_CODENAME" | head -n 1)
  debootstrap --variant=minbase --include=systemd,runc "$VERSION_CODENAME" "$unfinished/root" "$mirror" >&2
  rm -rf "$unfinished"/root/{usr/share/{doc,locale,man,zoneinfo},var/{cache,lib/apt,lib/dpkg,log}}
  tar --create --directory "$unfinished/root" --file "$unfinished/tar" .
  mv "$unfinished/tar" "$kept"
fi
mkdir "$1"
tar --extract --directory "$1" --file "$kept"
