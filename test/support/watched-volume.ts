// A volume that is published as Kubernetes does it, and a program that reads it.
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** As kubelet does it: a new directory, one rename, and then the old one goes. */
export function publish(volume: string, version: number): void {
  const directory = join(volume, `..${version}`);
  mkdirSync(directory);
  for (const key of ["a", "b"]) writeFileSync(join(directory, key), `${version}\n`);
  symlinkSync(`..${version}`, join(volume, "..data_tmp"));
  renameSync(join(volume, "..data_tmp"), join(volume, "..data"));
  for (const key of ["a", "b"]) if (version === 0) symlinkSync(`..data/${key}`, join(volume, key));
  rmSync(join(volume, `..${version - 1}`), { recursive: true, force: true });
}

/** What a container runs that has it at /volume: it says each version that it finds, and whatever is wrong. */
export const READER = `
last=
while :; do
  cd /volume/..data || { echo gone; exit 1; }
  a=$(cat a 2>/dev/null); b=$(cat b 2>/dev/null)
  [ -z "$a" ] || [ -z "$b" ] || [ "$a" = "$b" ] || { echo torn; exit 1; }
  [ -z "$a" ] || [ "$a" = "$last" ] || { last=$a; echo "version $a"; }
  cat /volume/a /volume/b >/dev/null || { echo missing; exit 1; }
done`;
