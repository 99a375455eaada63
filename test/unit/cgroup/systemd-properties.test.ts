import { expect, test } from "bun:test";
import { unitProperties } from "../../../src/cgroup/systemd-properties.ts";
import type { Resources } from "../../../src/oci/resources.ts";

const INFINITY = 0xffff_ffff_ffff_ffffn;

type Case = readonly [title: string, Resources, v1: object, v2: object];

test.each<Case>([
  ["shares", { cpu: { shares: 1024 } }, { CPUShares: 1024n }, { CPUWeight: 100n }],
  ["no shares", { cpu: { shares: 0 } }, {}, {}],
  [
    "half a processor",
    { cpu: { quota: 25_000, period: 50_000 } },
    { CPUQuotaPeriodUSec: 50_000n, CPUQuotaPerSecUSec: 500_000n },
    { CPUQuotaPeriodUSec: 50_000n, CPUQuotaPerSecUSec: 500_000n },
  ],
  [
    "a quota that systemd would round down",
    { cpu: { quota: 33_333 } },
    { CPUQuotaPerSecUSec: 340_000n },
    { CPUQuotaPerSecUSec: 340_000n },
  ],
  [
    "no quota",
    { cpu: { quota: -1 } },
    { CPUQuotaPerSecUSec: INFINITY },
    { CPUQuotaPerSecUSec: INFINITY },
  ],
  [
    "memory with swap (D31)",
    { memory: { limit: 1 << 20, swap: 3 << 20, reservation: 1 << 19 } },
    { MemoryLimit: 1n << 20n },
    { MemoryMax: 1n << 20n, MemoryLow: 1n << 19n, MemorySwapMax: 2n << 20n },
  ],
  [
    "memory without limit",
    { memory: { limit: -1 } },
    { MemoryLimit: INFINITY },
    { MemoryMax: INFINITY, MemorySwapMax: INFINITY },
  ],
  ["processes", { pids: { limit: 7 } }, { TasksMax: 7n }, { TasksMax: 7n }],
  [
    "any number of processes",
    { pids: { limit: -1 } },
    { TasksMax: INFINITY },
    { TasksMax: INFINITY },
  ],
  [
    "weight of I/O (D30)",
    { blockIO: { weight: 1000 } },
    { BlockIOWeight: 1000n },
    { IOWeight: 10_000n },
  ],
  [
    "places",
    { cpu: { cpus: "0-2,9", mems: "0" } },
    {},
    {
      AllowedCPUs: new Uint8Array([7, 2, 0, 0, 0, 0, 0, 0]),
      AllowedMemoryNodes: new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]),
    },
  ],
  ["nothing", {}, {}, {}],
])("%s is said as systemd says it on both versions", (_, resources, v1, v2) => {
  expect(valuesOf(resources, 1)).toEqual(v1);
  expect(valuesOf(resources, 2)).toEqual(v2);
});

test("swap below memory is refused, as it is without systemd", () => {
  const memory = { limit: 2 << 20, swap: 1 << 20 };
  expect(() => unitProperties({ memory }, 2)).toThrow(
    "memory+swap limit should be >= memory limit",
  );
});

function valuesOf(resources: Resources, version: 1 | 2): object {
  const properties = unitProperties(resources, version);
  return Object.fromEntries(properties.map(([name, { value }]) => [name, value]));
}
