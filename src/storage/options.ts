// The options of a storage: words for the kernel, data for the file system, and what is meant for the
// agent (storage-devices-network.md section 2.4).
import { InvalidSpec, quote } from "../oci/invalid-spec.ts";
import { type MountOptions, parseMountOptions } from "../oci/mount-options.ts";

/** mount(2) takes one page, with the NUL at its end. */
const LONGEST_DATA = 4095;

/** For the agent, for containerd and for programs of the host (mount(8), X-* and x-*): the kernel knows none of them. */
const NOT_FOR_THE_KERNEL = /^(io\.katacontainers\.|[Xx]-|(_netdev|nofail)$)/;

export type StorageOptions = MountOptions & {
  /** What mount(2) takes as its last argument. */
  readonly text: string;
};

/** Throws InvalidSpec for words that no storage may have, and for more than mount(2) takes. */
export function storageOptions(options: readonly string[]): StorageOptions {
  const asked = options.filter((option) => !NOT_FOR_THE_KERNEL.test(option));
  for (const word of ["loop", "remount"])
    if (asked.includes(word)) throw new InvalidSpec(`Invalid mount option: ${word}`);
  const parsed = parseMountOptions(asked);
  if (parsed.idmap !== undefined || parsed.tmpcopyup || parsed.copySymlink)
    throw new InvalidSpec("Invalid mount option: it is one of a container's mounts");
  const text = parsed.data.join(",");
  if (Buffer.byteLength(text) > LONGEST_DATA) throw new InvalidSpec("Mount option exceeds 4K size");
  return { ...parsed, text };
}

/** The value of the last option `name=value`; undefined if there is none. */
export function optionValue(options: readonly string[], name: string): string | undefined {
  return options.findLast((option) => option.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** A group or user id. Throws InvalidSpec. */
export function idOption(options: readonly string[], name: string): number | undefined {
  const value = optionValue(options, name);
  if (value === undefined) return undefined;
  const id = Number(value);
  // 2^32 - 1 means "none" to chown(2).
  if (!/^\d{1,10}$/.test(value) || id >= 0xffff_ffff)
    throw new InvalidSpec(`the option ${quote(`${name}=${value}`)} is no id`);
  return id;
}

/** Permission bits. Throws InvalidSpec. */
export function modeOption(options: readonly string[], name = "mode"): number | undefined {
  const value = optionValue(options, name);
  if (value === undefined) return undefined;
  if (!/^[0-7]{1,5}$/.test(value) || Number.parseInt(value, 8) > 0o7777)
    throw new InvalidSpec(`the option ${quote(`${name}=${value}`)} is no mode`);
  return Number.parseInt(value, 8);
}
