// Modules of a kernel that is not running: which ones one needs, and in which order, and some of ours.
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

export type Module = { readonly name: string; readonly bytes: Uint8Array };

/**
 * What has to be loaded for `wanted`, dependencies first. `directory` is a lib/modules/VERSION without
 * the indices of depmod(8), which a package that is not installed lacks: each module names its
 * dependencies itself. Nothing for what is built in; throws for what the kernel lacks.
 */
export function modulesFor(wanted: readonly string[], directory: string): Module[] {
  const builtIn = new Set(
    readFileSync(join(directory, "modules.builtin"), "utf8").trim().split("\n").map(nameOf),
  );
  const files = new Map(
    readdirSync(join(directory, "kernel"), { recursive: true, encoding: "utf8" })
      .filter((path) => /\.ko(\.xz)?$/.test(path))
      .map((path) => [nameOf(path), join(directory, "kernel", path)]),
  );
  const loaded = new Map<string, Module>();
  const load = (name: string): void => {
    if (loaded.has(name) || builtIn.has(name)) return;
    const path = files.get(name);
    if (path === undefined) throw new Error(`${directory} has no module ${name}`);
    const bytes = read(path);
    for (const needed of dependenciesOf(bytes)) load(needed);
    loaded.set(name, { name, bytes });
  };
  for (const name of wanted) load(name);
  return [...loaded.values()];
}

/** The kernel's own name: kernel/drivers/virtio/virtio-rng.ko.xz is virtio_rng. */
function nameOf(path: string): string {
  return basename(path)
    .replace(/\.ko(\.xz)?$/, "")
    .replaceAll("-", "_");
}

function read(path: string): Uint8Array {
  const bytes = readFileSync(path);
  if (!path.endsWith(".xz")) return bytes;
  const { stdout, stderr, success } = Bun.spawnSync(["xz", "--decompress", "--stdout", path]);
  if (!success) throw new Error(`${path}: ${stderr}`);
  return stdout;
}

/** `depends=a,b` in the section .modinfo, among other words that each end with a NUL. */
function dependenciesOf(bytes: Uint8Array): string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const key = "\0depends=";
  const at = buffer.indexOf(key);
  if (at < 0) return [];
  const from = at + key.length;
  const names = buffer.toString("latin1", from, buffer.indexOf(0, from));
  return names
    .split(",")
    .filter((name) => name !== "")
    .map(nameOf);
}

/**
 * Of the source test/vm/`directory`. `modules` is the lib/modules/VERSION of the kernel that is to load it.
 * Throws an Error for want of that kernel's headers, or with the compiler's words.
 */
export function compileModule(directory: string, modules: string): Module {
  const headers = `/usr/src/linux-headers-${basename(modules)}`;
  if (!existsSync(headers)) throw new Error(`${headers}: Debian's package of that name is absent`);
  const scratch = mkdtempSync(join(tmpdir(), "kata-agent-module-"));
  try {
    cpSync(join(import.meta.dir, "../vm", directory), scratch, { recursive: true });
    const command = ["make", "-C", headers, `M=${scratch}`, "modules"];
    const { success, stdout, stderr } = Bun.spawnSync(command);
    if (!success) throw new Error(`${stdout}${stderr}`);
    const name = directory.replaceAll("-", "_");
    return { name, bytes: readFileSync(join(scratch, `${name}.ko`)) };
  } finally {
    rmSync(scratch, { recursive: true });
  }
}
