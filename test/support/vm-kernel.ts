// The kernel of the guests under test.
import { readdirSync } from "node:fs";
import { join } from "node:path";

export type Kernel = {
  readonly image: string;
  /** lib/modules/VERSION */
  readonly modules: string;
};

const SCRIPT = join(import.meta.dir, "vm-kernel.sh");

let cached: Kernel | undefined;

/** Fetched, if it is not here yet. Throws an Error with the script's words where it cannot be. */
export function kernel(): Kernel {
  cached ??= find();
  return cached;
}

function find(): Kernel {
  const { success, stdout, stderr } = Bun.spawnSync(["bash", SCRIPT]);
  if (!success) throw new Error(stderr.toString().trimEnd());
  const directory = stdout.toString().trimEnd();
  return {
    image: onlyOne(join(directory, "boot"), /^vmlinuz-/),
    modules: onlyOne(join(directory, "lib/modules"), /^/),
  };
}

function onlyOne(directory: string, name: RegExp): string {
  const [found = "", ...more] = readdirSync(directory).filter((each) => name.test(each));
  if (found === "" || more.length > 0) throw new Error(`${directory}: want one ${name}`);
  return join(directory, found);
}
