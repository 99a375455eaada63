#!/usr/bin/env bash
# Install what a Debian machine lacks: `setup.sh build` for the build and the demo, `setup.sh vm` for the
# demo in a virtual machine too, `setup.sh test` for every test and benchmark as well. Says nothing and
# does nothing where all is there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

purpose=${1:?build, vm or test}

# Debian's packages, and what each is for.
packages=()
# npm brings Bun, which runs everything else. Others than Debian's package may have brought npm.
command -v npm >/dev/null || packages+=(npm)
if [ "$purpose" != build ]; then
  # A machine in which a guest is started, with Debian's kernel, whose modules may be packed, and a disk.
  case $(dpkg --print-architecture) in
    arm64) packages+=(qemu-system-arm) ;;
    *) packages+=(qemu-system-x86) ;;
  esac
  packages+=(xz-utils e2fsprogs)
  # What stands before the agent in a guest is compiled here.
  packages+=(gcc libc6-dev)
  # One static file with every program that the containers of guests and of the tests run.
  packages+=(busybox-static)
fi
if [ "$purpose" = test ]; then
  # The kernel's headers: our constants and structs are held against them.
  packages+=(linux-libc-dev)
  # protoc: src/gen is held against proto/, and the Go client's stubs are made from it.
  packages+=(protobuf-compiler libprotobuf-dev)
  # The sealed file is stripped with every strip there is, and its entry code assembled again for both
  # architectures; arm64 runs under emulation.
  packages+=(binutils elfutils llvm gcc-aarch64-linux-gnu linux-libc-dev-arm64-cross qemu-user-static)
  # A module for the guests' kernel: a clock such as an emulator does not show them.
  packages+=("linux-headers-cloud-$(dpkg --print-architecture)" make)
  # A guest for arm64 as well.
  packages+=(qemu-system-arm libc6-dev-arm64-cross)
  # Disks of image layers, with their hashes.
  packages+=(erofs-utils cryptsetup-bin fdisk)
  # The archive of a release is unpacked as osbuilder does it.
  packages+=(zstd)
  # systemd-analyze: the units of docs/systemd are held against what it understands.
  command -v systemd-analyze >/dev/null || packages+=(systemd)
  # Our D-Bus is held against the daemon's, and a guest is made in which systemd starts the agent.
  packages+=(dbus-daemon debootstrap)
  # What the agent does to the network is looked at, and its packet filters are set, by the usual programs.
  packages+=(iproute2 iptables)
  # The filters of system calls are held against its.
  packages+=(libseccomp2)
  # Metrics are read as Prometheus reads them.
  packages+=(python3-prometheus-client)
  # Volumes of a guest, beside those of e2fsprogs.
  packages+=(xfsprogs btrfs-progs)
  # The benchmarks run it beside the agent, and what its containers see is compared; script(1) gives one
  # of them a terminal.
  packages+=(runc bsdutils)
  # The interop tests' client. Debian 12 has too old a one, and then says so below.
  bash test/support/has-go.sh >/dev/null || packages+=(golang-go)
fi

is_absent() {
  ! dpkg-query --show --showformat '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed
}

# What a command prints matters only if it fails.
quietly() {
  local log ended=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 </dev/null || ended=$?
  [ "$ended" = 0 ] || cat "$log" >&2
  rm -f "$log"
  return "$ended"
}

missing=()
for package in "${packages[@]}"; do
  if is_absent "$package"; then missing+=("$package"); fi
done
if [ "${#missing[@]}" -gt 0 ]; then
  if [ "$(id -u)" != 0 ]; then
    echo "these Debian packages are absent, and only root can install them: ${missing[*]}" >&2
    exit 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  quietly apt-get update
  quietly apt-get install --yes --no-install-recommends "${missing[@]}"
fi

# npm writes the first of the two at the end of an install.
if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then quietly npm ci; fi

# npm leaves the linter's binary out where node is older than the linter wants, as Debian 12's is.
# Bun runs npm as well, and is new enough.
if [ "$purpose" = test ] && ! compgen -G 'node_modules/@oxlint/binding-*' >/dev/null; then
  bun=$(mktemp)
  trap 'rm -f "$bun"' EXIT
  cp -L node_modules/.bin/bun "$bun"
  chmod +x "$bun"
  quietly "$bun" "$(command -v npm)" ci
fi

if [ "$purpose" = test ] && ! needed=$(bash test/support/has-go.sh); then
  echo "test/interop needs $needed, and Debian's is older: put one on PATH" >&2
fi
