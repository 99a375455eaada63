// Numbers of the OCI spec, which are those of cgroup v1, in the words of cgroup v2.
import { InvalidSpec } from "../oci/invalid-spec.ts";
import type { ThrottleDevice } from "../oci/resources.ts";
import { isUnlimited } from "./limit-write.ts";

/**
 * cpu.shares (2 to 262144, 1024 by default) as cpu.weight (1 to 10000, 100 by default). A curve
 * through both ends and the default, so that a container that asks for the default gets it.
 */
export function weightOfShares(shares: number): number {
  if (shares <= 2) return 1;
  if (shares >= 262_144) return 10_000;
  const power = Math.log2(shares);
  return Math.ceil(10 ** ((power * power + 125 * power) / 612 - 7 / 34));
}

/** blkio.weight (10 to 1000) as io.weight (1 to 10000). */
export function ioWeightOf(weight: number): number {
  return 1 + Math.floor(((weight - 10) * 9999) / 990);
}

/** A limit as v2 takes it. */
export function orMax(limit: number): string {
  return isUnlimited(limit) ? "max" : String(limit);
}

/**
 * Memory and swap together, as memory.swap.max: swap alone. undefined: as it is. No limit for memory
 * is none for swap, unless that is given. Throws InvalidSpec.
 */
export function swapAlone(limit: number | undefined, both: number | undefined): number | undefined {
  if (both === undefined) return limit === -1 ? -1 : undefined;
  if (isUnlimited(both)) return -1;
  if (limit === undefined || isUnlimited(limit))
    throw new InvalidSpec("unable to set swap limit without memory limit");
  if (both < limit) throw new InvalidSpec("memory+swap limit should be >= memory limit");
  return both - limit;
}

/** A line of io.max. A rate of 0 is no limit. */
export function ioMaxLine(key: string, { major, minor, rate }: ThrottleDevice): string {
  return `${major}:${minor} ${key}=${rate === 0 ? "max" : orMax(rate)}`;
}

/** `hugepages-2048kB`, a directory of /sys/kernel/mm/hugepages, as cgroup files say it: `2MB`. */
export function pageSizeLabel(directory: string): string | undefined {
  const [, digits] = /^hugepages-(\d+)kB$/.exec(directory) ?? [];
  if (digits === undefined) return undefined;
  const kB = Number(digits);
  if (kB >= 1 << 20) return `${kB >> 20}GB`;
  return kB >= 1 << 10 ? `${kB >> 10}MB` : `${kB}KB`;
}

const UNITS: Readonly<Record<string, number>> = { K: 1 << 10, M: 1 << 20, G: 1 << 30 };

/** Bytes of a page whose size is `2MB`. */
export function bytesOfPage(label: string): number {
  return Number.parseInt(label, 10) * (UNITS[label.at(-2) ?? ""] ?? 1);
}
