#!/usr/bin/env bash
# Build the agent and run a container with it, through its real protocol, on this machine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if [ "$(id -u)" != 0 ]; then
  echo "the demo makes namespaces, mounts and cgroups: run it as root" >&2
  exit 1
fi

bash test/support/setup.sh build
PATH=$PWD/node_modules/.bin:$PATH
bun build.ts

rootfs=$(mktemp -d)
trap 'rm -rf "$rootfs"' EXIT
bash test/demo/rootfs.sh "$rootfs" sh cat echo hostname id ls sleep

bash test/support/namespaces.sh bun test/demo/demo.ts dist/kata-agent "$rootfs"
