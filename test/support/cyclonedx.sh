#!/usr/bin/env bash
# Print the directory of CycloneDX's own library, which has the schemas of their documents and validates
# against them. It is fetched once, from npm, and is no package of this repository's: one test needs it.
set -euo pipefail

packages=(
  @cyclonedx/cyclonedx-library@10.3.0
  # What it validates with.
  ajv@8.17.1 ajv-formats@3.0.1 ajv-formats-draft2019@1.6.1
)
cache=${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/kata-agent
directory=$cache/cyclonedx-10.3.0

if [ ! -d "$directory" ]; then
  mkdir -p "$cache"
  unfinished=$(mktemp -d "$cache/XXXXXX")
  trap 'rm -rf "$unfinished"' EXIT
  npm install --silent --no-save --ignore-scripts --omit=optional --no-audit --no-fund \
    --prefix "$unfinished" "${packages[@]}" >&2
  # Another run may have been faster.
  mv --no-target-directory "$unfinished" "$directory" 2>/dev/null || [ -d "$directory" ]
fi
echo "$directory/node_modules/@cyclonedx/cyclonedx-library"
