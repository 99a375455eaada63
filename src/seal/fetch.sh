#!/usr/bin/env bash
# Get what an executable for another architecture is built from: fetch.sh x64|arm64 DIRECTORY
# Bun comes from npm, in the version and with the digest of package-lock.json, to DIRECTORY/bun; glibc
# from Debian's libc6, to DIRECTORY/lib; its version to DIRECTORY/libc6.version, last of all. Nothing is
# installed.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
case $1 in
  x64) debian=amd64 bun=bun-linux-x64 ;;
  arm64) debian=arm64 bun=bun-linux-aarch64 ;;
  *) echo "usage: fetch.sh x64|arm64 DIRECTORY" >&2 && exit 2 ;;
esac
mkdir -p "$2"
directory=$(cd "$2" && pwd)
[ ! "$directory/libc6.version" -nt "$root/package-lock.json" ] || exit 0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cp "$root/package.json" "$root/package-lock.json" "$root/.npmrc" "$scratch"
(cd "$scratch" && npm ci --silent --ignore-scripts --os=linux --cpu="$1")
mv "$scratch/node_modules/@oven/$bun/bin/bun" "$directory/bun"

# Debian 13 and later have it in usr.
libc6=$(bash "$root/src/seal/debian-package.sh" "$debian" libc6)
lib=$libc6/lib
[ -d "$lib" ] || lib=$libc6/usr/lib
rm -rf "$directory/lib"
cp -a "$lib" "$directory/lib"
# The package's directory is called libc6_VERSION_ARCHITECTURE.
version=${libc6##*/libc6_}
echo "${version%_"$debian"}" >"$directory/libc6.version"
