// Stop every process of a cgroup, and let them go on: where v1 and v2 differ, and what they share.
import { until } from "../async/until.ts";
import { readText, writeText } from "../kernel/file.ts";

export type Freezer = {
  readonly file: string;
  readonly frozen: string;
  readonly thawed: string;
  /** Whether every process of the cgroup and of those nested in it has stopped. */
  readonly isFrozen: (cgroup: string) => boolean;
};

/** Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst; the state is FREEZING in between. */
export const V1_FREEZER: Freezer = {
  file: "freezer.state",
  frozen: "FROZEN",
  thawed: "THAWED",
  isFrozen: (cgroup) => readText(`${cgroup}/freezer.state`).trim() === "FROZEN",
};

/** Documentation/admin-guide/cgroup-v2.rst, cgroup.freeze */
export const V2_FREEZER: Freezer = {
  file: "cgroup.freeze",
  frozen: "1",
  thawed: "0",
  isFrozen: (cgroup) => /^frozen 1$/m.test(readText(`${cgroup}/cgroup.events`)),
};

const CAP_MS = 2000;

/**
 * Resolves when all have stopped. The order is repeated with each look: a v1 cgroup can stay at
 * FREEZING for good when a process was in a fork, until it is told again. On failure it is thawed.
 */
export async function freeze(cgroup: string, freezer: Freezer): Promise<void> {
  const frozen = await until(() => {
    writeText(`${cgroup}/${freezer.file}`, freezer.frozen);
    return freezer.isFrozen(cgroup);
  }, CAP_MS);
  if (frozen) return;
  thaw(cgroup, freezer);
  throw new Error(`freeze ${cgroup}: some processes still run after ${CAP_MS} ms`);
}

export function thaw(cgroup: string, freezer: Freezer): void {
  writeText(`${cgroup}/${freezer.file}`, freezer.thawed);
}
