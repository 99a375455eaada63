// Names that programs expect, and the kernel does not make.
import { makeDirectories } from "../kernel/file.ts";
import { attempt, perform } from "../kernel/perform.ts";
import { AT_FDCWD } from "../linux/constants.ts";
import { errnoNumber } from "../linux/errno.ts";
import { KernelError } from "../linux/error.ts";
import { exists, symlinkat, unlinkat } from "../linux/fs.ts";

export type Link = { readonly path: string; readonly target: string };

/** Made where nothing has the name. A shell's `<(…)` needs the first, Kata's tools the last. */
export const LINKS: readonly Link[] = [
  { path: "/dev/fd", target: "/proc/self/fd" },
  { path: "/dev/stdin", target: "/proc/self/fd/0" },
  { path: "/dev/stdout", target: "/proc/self/fd/1" },
  { path: "/dev/stderr", target: "/proc/self/fd/2" },
  { path: "/var/run", target: "/run" },
];

const PTMX: Link = { path: "/dev/ptmx", target: "/dev/pts/ptmx" };

/** Throws a KernelError. */
export function makeLink({ path, target }: Link): void {
  makeDirectories(path.slice(0, path.lastIndexOf("/")));
  const make = symlinkat(target, AT_FDCWD, path);
  const result = attempt(make);
  if (result < 0 && result !== -errnoNumber("EEXIST")) {
    throw new KernelError(`link ${path} to ${target}`, make, -result);
  }
}

/** In place of the node of devtmpfs, which stands for whatever devpts is nearest. Throws a KernelError. */
export function linkPtmx(): void {
  const { path, target } = PTMX;
  perform(`look for ${target}`, exists(target));
  attempt(unlinkat(AT_FDCWD, path));
  makeLink(PTMX);
}
