// A directory with files as the kernel has them in sysfs or procfs.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export class KernelFiles implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), "kata-agent-files-"));

  /** By path: the text of each file. */
  constructor(files: Readonly<Record<string, string>> = {}) {
    for (const [path, text] of Object.entries(files)) this.write(path, text);
  }

  write(path: string, text: string): void {
    const file = join(this.directory, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true });
  }
}
