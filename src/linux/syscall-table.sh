#!/usr/bin/env bash
# Write syscall-table.ts from libseccomp's table of system calls: `syscall-table.sh syscalls.csv`,
# the file src/syscalls.csv of its source. The first line of that names the kernel it was made from.
set -euo pipefail
table=${1:?syscalls.csv of libseccomp}

kernel=$(sed -n '1s/^#syscall (\([^)]*\)).*/\1/p' "$table")
[ -n "$kernel" ] || { echo "$table: the first line names no kernel" >&2; exit 1; }

# The names in the order of their numbers; a number stands where the count does not just go on.
numbers_of() {
  awk -F, -v architecture="$1" '
    NR == 1 { for (i = 1; i <= NF; i++) if ($i == architecture) column = i; next }
    $column ~ /^[0-9]+$/ { print $column, $1 }
  ' "$table" | sort -n -k1,1 -k2,2 | awk '
    $1 != next_number { printf "%s ", $1 }
    { printf "%s ", $2; next_number = $1 + 1 }
  ' | fold -s -w 100 | sed 's/ *$//; s/^/    /'
  echo
}

{
  cat <<HEADER
// Every system call on the architectures that a filter can be asked for, as text: see
// syscall-numbers.ts. Linux $kernel, written by syscall-table.sh: do not edit.
export const SYSCALL_TABLE = {
HEADER
  for architecture in x86_64 x86 x32 aarch64 arm; do
    printf '  %s: `\n' "$architecture"
    numbers_of "$architecture"
    printf '  `,\n'
  done
  echo '} as const;'
} >"$(dirname "${BASH_SOURCE[0]}")/syscall-table.ts"
