// What a guest under test starts from: the agent, the kernel's modules, the root file system of its
// containers, and test/vm/guest.c, which stands before the agent.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Entry, archive, file, tree } from "./cpio.ts";
import { makeRootfs } from "./rootfs.ts";
import { modulesFor } from "./vm-modules.ts";
import { PORTS } from "./vm-ports.ts";

export const AGENT = join(import.meta.dir, "../../dist/kata-agent");
const GUEST = join(import.meta.dir, "../vm/guest.c");

/** Where the containers' root file system is in the guest. */
export const ROOTFS = "/rootfs";

/** How the host gets in: virtio-serial and then vsock within the guest, or a vsock device. */
const MODULES = ["virtio_pci", "virtio_console", "vsock_loopback", "vmw_vsock_virtio_transport"];

/** A root file system that holds the agent and nothing else. */
export async function writeAgentAlone(path: string): Promise<void> {
  await write(path, [file("init", readFileSync(AGENT), 0o755)]);
}

/** `modules`: the kernel's lib/modules/VERSION. */
export async function writeInitramfs(path: string, modules: string): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "kata-agent-initramfs-"));
  try {
    const rootfs = join(scratch, "rootfs");
    makeRootfs(rootfs);
    await write(path, [
      file("init", compileGuest(scratch), 0o755),
      file("usr/bin/kata-agent", readFileSync(AGENT), 0o755),
      ...modulesOf(modules),
      ...tree(rootfs, ROOTFS.slice(1)),
    ]);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

async function write(path: string, entries: readonly Entry[]): Promise<void> {
  await Bun.write(path, new Blob(archive(entries)));
}

/** In an order that their names keep. */
function modulesOf(directory: string): Entry[] {
  return modulesFor(MODULES, directory).map(({ name, bytes }, index) =>
    file(`modules/${String(index).padStart(2, "0")}-${name}.ko`, bytes),
  );
}

function compileGuest(scratch: string): Uint8Array {
  const program = join(scratch, "guest");
  const flags = ["-static", "-Os", "-Wall", "-Wextra", "-Werror", `-DPORTS=${PORTS}`];
  const { success, stderr } = Bun.spawnSync(["gcc", ...flags, "-o", program, GUEST]);
  if (!success) throw new Error(stderr.toString());
  return readFileSync(program);
}
