#!/usr/bin/env bash
# Run a command as if on a machine of its own, as far as processes, mounts, names and /run go:
# namespaces.sh COMMAND... Needs root.
set -euo pipefail

# The shell stays process 1, for it reaps orphans; when it ends, the kernel kills whoever is left.
exec unshare --mount --pid --fork --uts --ipc --mount-proc --kill-child \
  sh -c 'mount -t tmpfs -o mode=755 tmpfs /run && "$@"; exit $?' sh "$@"
