#!/usr/bin/env bash
# Build the agent and run a container with it, through its real protocol: run.sh on this machine,
# run.sh --vm in a virtual machine whose first process the agent is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

case $* in
  "") needs=build ;;
  --vm) needs=vm ;;
  *) echo "usage: run.sh [--vm]" >&2 && exit 2 ;;
esac
if [ "$(id -u)" != 0 ]; then
  echo "the demo makes namespaces, mounts and cgroups: run it as root" >&2
  exit 1
fi

bash test/support/setup.sh "$needs"
PATH=$PWD/node_modules/.bin:$PATH
bun build.ts

# All temporary files are in it, so that the demo sees what is left.
TMPDIR=$(mktemp -d)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
if [ "$needs" = vm ]; then
  what=(--vm)
else
  what=(dist/kata-agent "$TMPDIR/rootfs")
  bash test/demo/rootfs.sh "$TMPDIR/rootfs" sh cat echo hostname id ls sleep
fi

bash test/support/namespaces.sh bun test/demo/demo.ts "${what[@]}"
