// Disks for a guest: files of the host's, most of which are holes.
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type DiskFile = Disposable & { readonly path: string };

/** Begins with `text`. */
export function makeDisk(text = "", bytes = 16 << 20): DiskFile {
  const directory = mkdtempSync(join(tmpdir(), "kata-agent-disk-"));
  const path = join(directory, "disk");
  writeFileSync(path, text);
  truncateSync(path, bytes);
  return { path, [Symbol.dispose]: () => rmSync(directory, { recursive: true }) };
}
