// The kernel of the guests under test.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

export type Kernel = {
  readonly image: string;
  /** lib/modules/VERSION */
  readonly modules: string;
};

const SCRIPT = join(import.meta.dir, "../../src/seal/debian-package.sh");

const unpacked = new Map<string, string>();

/** Fetched, if it is not here yet. Throws an Error with the script's words where it cannot be. */
export function kernel(debianArch: string): Kernel {
  const directory = debianPackage(debianArch, `linux-image-cloud-${debianArch}`);
  return {
    image: onlyOne(join(directory, "boot"), /^vmlinuz-/),
    modules: onlyOne(placeIn(directory, "lib/modules"), /^/),
  };
}

/** The directory that holds what is in a package of Debian's, which is not installed. */
export function debianPackage(arch: string, name: string): string {
  const known = unpacked.get(`${name}:${arch}`);
  if (known !== undefined) return known;
  const { success, stdout, stderr } = Bun.spawnSync(["bash", SCRIPT, arch, name]);
  if (!success) throw new Error(stderr.toString().trimEnd());
  const directory = stdout.toString().trimEnd();
  unpacked.set(`${name}:${arch}`, directory);
  return directory;
}

/** Debian 13 and later have it in usr. */
export function placeIn(directory: string, path: string): string {
  const place = join(directory, path);
  return existsSync(place) ? place : join(directory, "usr", path);
}

function onlyOne(directory: string, name: RegExp): string {
  const [found = "", ...more] = readdirSync(directory).filter((each) => name.test(each));
  if (found === "" || more.length > 0) throw new Error(`${directory}: want one ${name}`);
  return join(directory, found);
}
