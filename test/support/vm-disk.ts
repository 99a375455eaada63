// Disks for a guest: files of the host's, most of which are holes.
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type DiskFile = Disposable & { readonly path: string };

const BYTES = 16 << 20;

/** Who is not root may lack the directory that these programs are in. */
const PATH = `${Bun.env["PATH"]}:/usr/sbin:/sbin`;

/** Begins with `text`. */
export function makeDisk(text = "", bytes = BYTES): DiskFile {
  const directory = mkdtempSync(join(tmpdir(), "kata-agent-disk-"));
  const path = join(directory, "disk");
  writeFileSync(path, text);
  truncateSync(path, bytes);
  return { path, [Symbol.dispose]: () => rmSync(directory, { recursive: true }) };
}

/** Has ext4 on it, and files: by name, the line that each holds. */
export function makeExt4Disk(
  files: Readonly<Record<string, string>> = {},
  bytes = BYTES,
  options: readonly string[] = [],
): DiskFile {
  const tree = mkdtempSync(join(tmpdir(), "kata-agent-tree-"));
  using _ = { [Symbol.dispose]: () => rmSync(tree, { recursive: true }) };
  for (const [name, line] of Object.entries(files)) writeFileSync(join(tree, name), `${line}\n`);
  return makeVolume(["mke2fs", "-q", "-t", "ext4", ...options, "-d", tree], bytes);
}

/** Has a file system on it: `mkfs` is the program that makes it, and its options. */
export function makeVolume(mkfs: readonly string[], bytes = BYTES): DiskFile {
  using undo = new DisposableStack();
  const disk = undo.use(makeDisk("", bytes));
  const { success, stderr } = Bun.spawnSync([...mkfs, disk.path], { env: { ...Bun.env, PATH } });
  if (!success) throw new Error(stderr.toString());
  undo.move();
  return disk;
}

/**
 * The line of a file on the disk's ext4, as the host finds it once the guest has let go of it. Throws where
 * it has not: what is written may still be in a journal.
 */
export function readExt4({ path }: Pick<DiskFile, "path">, file: string): string {
  const print = (...command: string[]) => {
    const { success, stdout, stderr } = Bun.spawnSync(command, { env: { ...Bun.env, PATH } });
    if (!success) throw new Error(stderr.toString());
    return stdout.toString();
  };
  if (print("dumpe2fs", "-h", path).includes("needs_recovery"))
    throw new Error(`${path} has not been unmounted`);
  return print("debugfs", "-R", `cat ${file}`, path);
}
