// What a guest under test starts from: the agent, the kernel's modules, the root file system of its
// containers, and test/vm/guest.c, which stands before the agent.
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Entry, archive, directory, file, tree } from "./cpio.ts";
import { makeRootfs } from "./rootfs.ts";
import { modulesFor } from "./vm-modules.ts";
import { PORTS } from "./vm-ports.ts";

/**
 * "memory": all of it in an initramfs. "disk": an initramfs that changes over to a disk, read-only, as
 * Kata's images are. "agent": an initramfs that holds the agent and nothing else, nor anything that
 * loads modules for it.
 */
export type Root = "memory" | "disk" | "agent";

/** Where the containers' root file system is in the guest. */
export const ROOTFS = "/rootfs";

export const AGENT = join(import.meta.dir, "../../dist/kata-agent");
const AGENT_AT = "usr/bin/kata-agent";
const GUEST = join(import.meta.dir, "../vm/guest.c");

/** How the host gets in: virtio-serial and then vsock within the guest, or a vsock device. */
const MODULES = ["virtio_pci", "virtio_console", "vsock_loopback", "vmw_vsock_virtio_transport"];
const DISK_MODULES = ["virtio_blk", "ext4"];

/** Where guest.c mounts the disk; that it is there tells it to. */
const DISK_AT = "disk";
const DISK_SIZE = "256M";

/** The directories of a distribution: nobody can make one where all is read-only. */
const DIRECTORIES = ["dev", "etc", "proc", "run", "sys", "tmp", "usr/bin", "var"];

/** Who is not root may lack the directory that mke2fs is in. */
export const PATH = `${Bun.env["PATH"]}:/usr/sbin:/sbin`;

/** Written to the directory `into`; `modules` is the kernel's lib/modules/VERSION. */
export async function writeRoot(
  root: Root,
  into: string,
  modules: string,
): Promise<{ readonly initramfs: string; readonly disk?: string }> {
  const initramfs = join(into, "initramfs");
  if (root === "agent") {
    await write(initramfs, [file("init", readFileSync(AGENT), 0o755)]);
    return { initramfs };
  }
  const scratch = mkdtempSync(join(tmpdir(), "kata-agent-root-"));
  try {
    const first = file("init", compileGuest(scratch), 0o755);
    if (root === "disk") {
      const loaded = modulesOf([...MODULES, ...DISK_MODULES], modules);
      await write(initramfs, [first, ...loaded, directory(DISK_AT)]);
      return { initramfs, disk: makeDisk(join(into, "disk"), scratch) };
    }
    const rootfs = join(scratch, "rootfs");
    makeRootfs(rootfs);
    const agent = file(AGENT_AT, readFileSync(AGENT), 0o755);
    const loaded = modulesOf(MODULES, modules);
    await write(initramfs, [first, agent, ...loaded, ...tree(rootfs, ROOTFS.slice(1))]);
    return { initramfs };
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

async function write(path: string, entries: readonly Entry[]): Promise<void> {
  await Bun.write(path, new Blob(archive(entries)));
}

/** In an order that their names keep. */
function modulesOf(wanted: readonly string[], modules: string): Entry[] {
  return modulesFor(wanted, modules).map(({ name, bytes }, index) =>
    file(`modules/${String(index).padStart(2, "0")}-${name}.ko`, bytes),
  );
}

function makeDisk(path: string, scratch: string): string {
  const root = join(scratch, "root");
  for (const name of DIRECTORIES) mkdirSync(join(root, name), { recursive: true });
  symlinkSync("../run", join(root, "var/run"));
  copyFileSync(AGENT, join(root, AGENT_AT));
  makeRootfs(join(root, ROOTFS));
  const options = ["-q", "-t", "ext4", "-O", "^has_journal", "-d", root];
  run(["mke2fs", ...options, path, DISK_SIZE]);
  return path;
}

function compileGuest(scratch: string): Uint8Array {
  const program = join(scratch, "guest");
  const flags = ["-static", "-Os", "-Wall", "-Wextra", "-Werror", `-DPORTS=${PORTS}`];
  run(["gcc", ...flags, "-o", program, GUEST]);
  return readFileSync(program);
}

function run(command: readonly string[]): void {
  const { success, stderr } = Bun.spawnSync([...command], { env: { ...Bun.env, PATH } });
  if (!success) throw new Error(stderr.toString());
}
