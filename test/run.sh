#!/usr/bin/env bash
# All tests, tier by tier: `npm test`. A tier that lacks something says what, and counts as skipped.
# With CI=true what is skipped has failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Without it some tiers can still run; each looks for what it needs.
bash test/support/setup.sh test || echo "not everything could be installed" >&2
PATH=$PWD/node_modules/.bin:$PATH
command -v bun >/dev/null || exit 1

output=$(mktemp)
trap 'rm -f "$output"' EXIT
rows=() total_passed=0 total_failed=0 total_skipped=0

# tier NAME COMMAND...: run it and count by the lines that close each of its runs of bun test.
tier() {
  local name=$1 passed failed skipped
  shift
  printf '\n== %s\n' "$name"
  "$@" 2>&1 | tee "$output"
  local ended=${PIPESTATUS[0]}
  passed=$(count pass)
  failed=$(count fail)
  skipped=$(($(count skip) + $(count todo)))
  # Before a test, between two, or in none at all.
  if [ "$ended" != 0 ] && [ "$failed" = 0 ]; then failed=1; fi
  if [ "$ended" = 0 ] && [ "$passed" = 0 ]; then failed=1; fi
  row "$name" "$passed" "$failed" "$skipped"
}

count() {
  awk -v word="$1" 'NF == 2 && $2 == word && $1 ~ /^[0-9]+$/ { sum += $1 } END { print sum + 0 }' \
    "$output"
}

# lacking NAME WHAT: the tier cannot run.
lacking() {
  printf '\n== %s\nskipped: %s\n' "$1" "$2"
  row "$1" 0 0 1
}

row() {
  rows+=("$(printf '%-8s %7d %7d %8d' "$@")")
  total_passed=$((total_passed + $2))
  total_failed=$((total_failed + $3))
  total_skipped=$((total_skipped + $4))
}

# Each file on its own: the agent's reaper, which some run in their own process, is one a process.
each_root_file() {
  local file ended=0
  for file in test/root/*.test.ts; do
    bash test/support/namespaces.sh bun test --timeout 20000 "./$file" || ended=1
  done
  return "$ended"
}

# Most of a guest's time is that of the one processor that QEMU plays for it: as many at once as there are.
each_vm_file() {
  # shellcheck disable=SC2016
  find test/vm -name '*.test.ts' | sort |
    xargs -P "$(nproc)" -I{} bash -c 'said=$(bun test "./$1" 2>&1); ended=$?; printf "%s\n" "$said"; exit "$ended"' _ {}
}

# Shebangs that ask for node get bun: Debian's node is older than the linter wants.
tier unit bun run --bun check

tier fuzz bun test ./test/fuzz

echo
bun build.ts || exit 1
# For a guest of the other architecture; its tests say that they lack it.
[ "$(uname -m)" = aarch64 ] || bun build.ts --target=arm64

if [ "$(id -u)" = 0 ]; then
  tier root each_root_file
else
  lacking root "run it as root: it makes namespaces, mounts and cgroups"
fi

if needed=$(bash test/support/has-go.sh) && command -v protoc >/dev/null && [ "$(id -u)" = 0 ]; then
  tier interop bun test ./test/interop
else
  lacking interop "run it as root with $needed and protoc on PATH"
fi

if lacks=$(bun test/support/has-vm.ts); then
  tier vm each_vm_file
else
  lacking vm "needs $lacks"
fi

printf '\n%-8s %7s %7s %8s\n' tier passed failed skipped
printf '%s\n' "${rows[@]}"
printf '\n%d passed, %d failed, %d skipped\n' "$total_passed" "$total_failed" "$total_skipped"

[ "$total_failed" = 0 ] || exit 1
[ "${CI:-}" != true ] || [ "$total_skipped" = 0 ]
