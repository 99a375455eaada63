#!/usr/bin/env bash
# Turn the protocol files beside this script into TypeScript: generate.sh [DIRECTORY]
# DIRECTORY is src/gen unless given. Generated files that are there already are replaced.
set -euo pipefail

proto=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$proto")
out=${1:-$root/src/gen}

if ! command -v protoc >/dev/null; then
  echo "protoc is absent: install Debian's protobuf-compiler and libprotobuf-dev" >&2
  exit 1
fi

# The plugin's own first line asks for a newer node than Debian has; bun runs it as well.
plugin=$(mktemp)
trap 'rm -f "$plugin"' EXIT
cat >"$plugin" <<EOF
#!/bin/sh
exec "$root/node_modules/.bin/bun" "$root/node_modules/@bufbuild/protoc-gen-es/bin/protoc-gen-es"
EOF
chmod +x "$plugin"

mkdir -p "$out"
rm -f "$out"/*_pb.ts
# erasable_syntax: an enum becomes a constant object, as tsconfig's erasableSyntaxOnly demands.
protoc \
  --proto_path="$proto" \
  --plugin=protoc-gen-es="$plugin" \
  --es_out="$out" \
  --es_opt=target=ts,import_extension=ts,erasable_syntax=true \
  agent.proto csi.proto health.proto oci.proto types.proto
