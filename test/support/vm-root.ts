// What a guest under test starts from: the agent, the kernel's modules, the root file system of its
// containers, and test/vm/guest.c, which stands before the agent.
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Entry, archive, directory, file, tree } from "./cpio.ts";
import type { Arch } from "../../src/linux/arch.ts";
import { BUSYBOX, makeRootfs } from "./rootfs.ts";
import { kernel } from "./vm-kernel.ts";
import { type Module, compileModule, modulesFor } from "./vm-modules.ts";
import { NATIVE, PLATFORMS, busyboxFor } from "./vm-platform.ts";
import { PORTS } from "./vm-ports.ts";

/**
 * "memory": all of it in an initramfs. "disk": an initramfs that changes over to a disk, read-only, as
 * Kata's images are. "systemd": the same with a distribution on it, in which systemd starts the agent.
 * "tests": the same without systemd, and with Bun and this repository. "agent": an initramfs that holds
 * the agent and nothing else, nor anything that loads modules for it.
 */
export type Root = "memory" | "disk" | "systemd" | "tests" | "agent";

/** A disk is read-only. */
export function isOnDisk(root: Root): boolean {
  return root === "disk" || root === "systemd" || root === "tests";
}

/** Paths of what QEMU is given. */
export type RootFiles = { readonly initramfs: string; readonly disk?: string };

/** Where the containers' root file system is in the guest. */
export const ROOTFS = "/rootfs";

/** Where a guest that runs tests has this repository. */
export const REPOSITORY = "/repository";

const AGENT_AT = "usr/bin/kata-agent";
const GUEST = join(import.meta.dir, "../vm/guest.c");
const DEBIAN = join(import.meta.dir, "debian-root.sh");
const SOURCES = join(import.meta.dir, "../..");
const UNITS = join(SOURCES, "docs/systemd");

/** What of them the tests of the root tier need. */
const TESTED = [
  "package.json",
  "bunfig.toml",
  "docs",
  "src",
  "test",
  "node_modules/consola",
  "node_modules/@bufbuild/protobuf",
];

/** How the host gets in: virtio-serial and then vsock within the guest, or a vsock device. */
const MODULES = ["virtio_pci", "virtio_console", "vsock_loopback", "vmw_vsock_virtio_transport"];
const DISK_MODULES = ["virtio_blk", "ext4"];

/** Where guest.c mounts the disk; that it is there tells it to. */
const DISK_AT = "disk";
const DISK_SIZE = "512M";

/** The directories of a distribution: nobody can make one where all is read-only. */
const DIRECTORIES = ["dev", "etc", "proc", "run", "sys", "tmp", "usr/bin", "var"];

/** Who is not root may lack the directory that mke2fs is in. */
export const PATH = `${Bun.env["PATH"]}:/usr/sbin:/sbin`;

export type RootOptions = {
  readonly root?: Root;
  readonly arch?: Arch;
  /** More for an initramfs. */
  readonly files?: readonly Entry[];
  /** More of the kernel's modules: they are loaded before the agent starts. */
  readonly modules?: readonly string[];
  /** Modules of ours, by their directories in test/vm; they are loaded after all others. */
  readonly ownModules?: readonly string[];
  /** Directories that a disk does not have. */
  readonly without?: readonly string[];
};

/** Written to the directory `into`. */
export async function writeRoot(options: RootOptions, into: string): Promise<RootFiles> {
  const { root = "memory", arch = NATIVE, files = [], ownModules = [], without = [] } = options;
  const { agent, debian, compiler } = PLATFORMS[arch];
  const initramfs = join(into, "initramfs");
  if (root === "agent") {
    await write(initramfs, [file("init", readFileSync(agent), 0o755), ...files]);
    return { initramfs };
  }
  const { modules } = kernel(debian);
  const wanted = [...MODULES, ...(options.modules ?? [])];
  const scratch = mkdtempSync(join(tmpdir(), "kata-agent-root-"));
  try {
    const first = file("init", compileGuest(compiler, scratch), 0o755);
    if (isOnDisk(root)) {
      const loaded = entriesOf(modulesFor([...wanted, ...DISK_MODULES], modules));
      await write(initramfs, [first, ...loaded, directory(DISK_AT)]);
      const names = DIRECTORIES.filter((name) => !without.includes(name));
      const onDisk = join(scratch, "root");
      if (root === "systemd") installUnits(onDisk);
      if (root === "tests") installTests(onDisk);
      return { initramfs, disk: makeDisk(arch, names, into, onDisk) };
    }
    const rootfs = join(scratch, "rootfs");
    makeRootfs(rootfs, busyboxFor(arch));
    const last = file(AGENT_AT, readFileSync(agent), 0o755);
    const own = ownModules.map((name) => compileModule(name, modules));
    const loaded = entriesOf([...modulesFor(wanted, modules), ...own]);
    const containers = tree(rootfs, ROOTFS.slice(1));
    await write(initramfs, [first, last, ...loaded, ...containers, ...files]);
    return { initramfs };
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

async function write(path: string, entries: readonly Entry[]): Promise<void> {
  await Bun.write(path, new Blob(archive(entries)));
}

/** In an order that their names keep. */
function entriesOf(modules: readonly Module[]): Entry[] {
  return modules.map(({ name, bytes }, index) =>
    file(`modules/${String(index).padStart(2, "0")}-${name}.ko`, bytes),
  );
}

function makeDisk(arch: Arch, directories: readonly string[], into: string, root: string): string {
  const path = join(into, "disk");
  for (const name of directories) mkdirSync(join(root, name), { recursive: true });
  rmSync(join(root, "var/run"), { force: true });
  symlinkSync("../run", join(root, "var/run"));
  copyFileSync(PLATFORMS[arch].agent, join(root, AGENT_AT));
  makeRootfs(join(root, ROOTFS), busyboxFor(arch));
  const options = ["-q", "-t", "ext4", "-O", "^has_journal", "-d", root];
  run(["mke2fs", ...options, path, DISK_SIZE]);
  return path;
}

/** Debian with systemd, and our units where docs/systemd says that they go. */
function installUnits(root: string): void {
  run(["bash", DEBIAN, root]);
  const units = join(root, "usr/lib/systemd/system");
  cpSync(UNITS, units, { recursive: true });
  // Debian has it elsewhere, for who wants it.
  symlinkSync("/usr/share/systemd/tmp.mount", join(units, "tmp.mount"));
}

/** Debian, with what `bun test` takes; without its systemd the agent is process 1. */
function installTests(root: string): void {
  run(["bash", DEBIAN, root]);
  rmSync(join(root, "usr/lib/systemd/systemd"));
  copyFileSync(process.execPath, join(root, "usr/bin/bun"));
  copyFileSync(BUSYBOX, join(root, "usr/bin/busybox"));
  for (const name of TESTED) {
    cpSync(join(SOURCES, name), join(root, REPOSITORY, name), { recursive: true });
  }
}

function compileGuest(compiler: string, scratch: string): Uint8Array {
  const program = join(scratch, "guest");
  const flags = ["-static", "-Os", "-Wall", "-Wextra", "-Werror", `-DPORTS=${PORTS}`];
  run([compiler, ...flags, "-o", program, GUEST]);
  return readFileSync(program);
}

function run(command: readonly string[]): void {
  const { success, stderr } = Bun.spawnSync([...command], { env: { ...Bun.env, PATH } });
  if (!success) throw new Error(stderr.toString());
}
