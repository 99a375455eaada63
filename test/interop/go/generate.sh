#!/usr/bin/env bash
# Generate the Go client's stubs from proto/ into protocol/, which git ignores. The versions of both
# generators are held by go.mod and go.sum.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
proto=$here/../../../proto
module=kata-agent.test/interop

if ! command -v protoc >/dev/null; then
  echo "protoc is absent: install Debian's protobuf-compiler and libprotobuf-dev" >&2
  exit 1
fi
if ! command -v go >/dev/null; then
  echo "go is absent: install Go 1.24 or later" >&2
  exit 1
fi

plugins=$(mktemp -d)
trap 'rm -rf "$plugins"' EXIT
(cd "$here" && GOBIN=$plugins go install tool)

rm -rf "$here/protocol"
protoc \
  --proto_path="$proto" \
  --plugin="$plugins/protoc-gen-go" \
  --plugin="$plugins/protoc-gen-go-ttrpc" \
  --go_out="$here" --go_opt=module=$module \
  --go-ttrpc_out="$here" --go-ttrpc_opt=module=$module \
  agent.proto csi.proto health.proto oci.proto types.proto
