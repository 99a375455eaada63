// Write limits to a container's cgroup and see that the kernel has taken them.
import { internal } from "../error.ts";
import { Fd } from "../kernel/fd.ts";
import { writeTextAsync } from "../kernel/file-async.ts";
import { listDirectories, readText, tryReadText } from "../kernel/file.ts";
import { perform } from "../kernel/perform.ts";
import { AT_FDCWD } from "../linux/constants.ts";
import { KernelError } from "../linux/error.ts";
import { openat } from "../linux/fs.ts";
import { writeText } from "../linux/io.ts";
import { O } from "../linux/open-flags.ts";
import { phase } from "../tracing/tracer.ts";
import { pageSizeLabel } from "./conversion.ts";
import { type CgroupFiles, type LimitWrite, isTaken } from "./limit-write.ts";
import { tolerate } from "./tree.ts";

/** The directory that has the files of a controller; undefined if it is not mounted. */
export type DirectoryOf = (controller: string) => string | undefined;

/** The huge pages of this kernel by their size, as `2MB`. */
export function pageSizes(): string[] {
  const names = tolerate(["ENOENT"], () => listDirectories("/sys/kernel/mm/hugepages")) ?? [];
  return names.flatMap((name) => pageSizeLabel(name) ?? []);
}

export function filesOf(directoryOf: DirectoryOf): CgroupFiles {
  return {
    read: (file) => {
      const directory = directoryOf(controllerOf(file));
      return directory === undefined ? undefined : tryReadText(`${directory}/${file}`);
    },
    get pageSizes() {
      return pageSizes();
    },
  };
}

/** Throws, naming the field, at the first that the kernel refuses or does not take; the rest stays. */
export function applyWrites(
  writes: readonly LimitWrite[],
  directoryOf: DirectoryOf,
): Promise<void> {
  return phase("limits", async () => {
    using open = new OpenFile();
    for (const write of writes) await applyWrite(write, directoryOf, open);
  });
}

async function applyWrite(
  write: LimitWrite,
  directoryOf: DirectoryOf,
  open: OpenFile,
): Promise<void> {
  const { field, file, value, tolerated = [], readBack } = write;
  const at = `linux.resources.${field}`;
  const controller = controllerOf(file);
  const directory = directoryOf(controller);
  if (directory === undefined)
    throw internal(`${at}: the cgroup controller ${controller} is not mounted`);
  const path = `${directory}/${file}`;
  try {
    if (controller === "memory") await writeTextAsync(path, value);
    else open.write(path, value);
    if (readBack === undefined) return;
    const shown = readText(path);
    if (!isTaken(write, shown))
      throw internal(`${at}: ${path} is ${shown.trim()} after a write of ${value}`);
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    if (!tolerated.some((name) => error.is(name)))
      throw new KernelError(`${at}: ${error.label}`, error.call, error.errno);
  }
}

/** The last file that was written: each device of a policy is a write of its own to one file. */
class OpenFile implements Disposable {
  #path = "";
  #file: Fd | undefined;

  /** Throws a KernelError that begins `write <text> to <path>`. */
  write(path: string, text: string): void {
    const label = `write ${text} to ${path}`;
    if (path !== this.#path) {
      this[Symbol.dispose]();
      this.#file = Fd.of(label, openat(AT_FDCWD, path, O.WRONLY));
      this.#path = path;
    }
    if (this.#file !== undefined) perform(label, writeText(this.#file.number, text));
  }

  [Symbol.dispose](): void {
    this.#file?.close();
    this.#path = "";
  }
}

/** Files are named for their controller: `memory.max`. */
export function controllerOf(file: string): string {
  return file.slice(0, file.indexOf("."));
}
