#!/usr/bin/env bash
# Succeeds if the go on PATH is new enough for the client of the interop tests; says what is needed.
set -euo pipefail

needed=$(sed -n 's/^go //p' "$(dirname "${BASH_SOURCE[0]}")/../interop/go/go.mod")
echo "go $needed or later"
command -v go >/dev/null
found=$(go env GOVERSION)
[ "$(printf '%s\n' "$needed" "${found#go}" | sort -V | head -n 1)" = "$needed" ]
