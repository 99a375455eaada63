// Read the files that tell what a container has used.
import { readTextAsync } from "../kernel/file-async.ts";
import { type DirectoryOf, controllerOf } from "./apply.ts";
import type { StatFiles } from "./stats.ts";

/** At once, off the event loop. What cannot be read is left out. */
export async function readStatFiles(
  names: readonly string[],
  directoryOf: DirectoryOf,
): Promise<StatFiles> {
  const read = await Promise.all(
    names.map(async (name) => {
      const directory = directoryOf(controllerOf(name));
      const text =
        directory === undefined ? undefined : await readTextAsync(`${directory}/${name}`);
      return text === undefined ? [] : [[name, text] as const];
    }),
  );
  return new Map(read.flat());
}
