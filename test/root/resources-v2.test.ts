// Limits and statistics of v2 cgroups, as far as this machine has controllers for them.
import { expect, test } from "bun:test";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { createV2 } from "../../src/cgroup/v2.ts";
import type { Resources } from "../../src/oci/resources.ts";
import { cleanCgroups, freshName, v2, v2Root } from "../support/cgroup.ts";

const MiB = 1 << 20;

cleanCgroups();

const needV2 = v2.skip ? " (skipped: needs root and cgroup v2)" : "";
const available = v2.skip
  ? []
  : readFileSync(`${v2Root}/cgroup.controllers`, "utf8").trim().split(" ");

/** Limits that a v2 cgroup can be given, by the controller that they need, and what the files say. */
const ON_V2: readonly (readonly [string, Resources, Readonly<Record<string, string>>])[] = [
  [
    "memory",
    { memory: { limit: 64 * MiB, swap: 96 * MiB, reservation: MiB } },
    { "memory.max": String(64 * MiB), "memory.low": String(MiB) },
  ],
  ["pids", { pids: { limit: 9 } }, { "pids.max": "9" }],
  [
    "cpu",
    { cpu: { shares: 1024, quota: 5000, period: 10_000 } },
    { "cpu.weight": "100", "cpu.max": "5000 10000" },
  ],
  ["cpuset", { cpu: { cpus: "0", mems: "0" } }, { "cpuset.cpus": "0", "cpuset.mems": "0" }],
  [
    "hugetlb",
    {
      hugepageLimits: [
        { pageSize: "2MB", limit: 5 * MiB },
        { pageSize: "3MB", limit: 1 },
      ],
    },
    { "hugetlb.2MB.max": String(4 * MiB), "hugetlb.2MB.rsvd.max": String(4 * MiB) },
  ],
];

test.skipIf(v2.skip)(
  `a v2 cgroup takes the limits of the controllers it has${needV2}`,
  async () => {
    for (const [controller, resources, files] of ON_V2) {
      const name = freshName();
      const cgroup = createV2([name], v2Root);
      if (available.includes(controller)) {
        await cgroup.apply(resources);
        for (const [file, text] of Object.entries(files))
          expect(readFileSync(`${v2Root}/${name}/${file}`, "utf8").trim()).toBe(text);
      } else {
        await expect(cgroup.apply(resources)).rejects.toThrow(/^linux\.resources\.\S+: .*ENOENT: /);
      }
      await cgroup.destroy();
    }
  },
);

test.skipIf(v2.skip)(`a v2 file by name has what is written to it${needV2}`, async () => {
  const name = freshName();
  const cgroup = createV2([name], v2Root);
  await cgroup.apply({ unified: { "cgroup.max.depth": "5" } });
  expect(readFileSync(`${v2Root}/${name}/cgroup.max.depth`, "utf8")).toBe("5\n");
  await expect(cgroup.apply({ unified: { "no.such": "5" } })).rejects.toThrow(
    `linux.resources.unified["no.such"]: `,
  );
  await cgroup.destroy();
});

test.skipIf(v2.skip)(`a v2 cgroup tells of the controllers it has${needV2}`, async () => {
  const name = freshName();
  const cgroup = createV2([name], v2Root);
  const stats = await cgroup.stats();
  expect(stats.cpu).toEqual({ total: 0n, perCpu: [], user: 0n, system: 0n });
  expect(stats.memory !== undefined).toBe(available.includes("memory"));
  expect(stats.pids !== undefined).toBe(available.includes("pids"));
  expect(stats.blockIO !== undefined).toBe(available.includes("io"));
  const sizes = existsSync("/sys/kernel/mm/hugepages")
    ? readdirSync("/sys/kernel/mm/hugepages").length
    : 0;
  expect(Object.keys(stats.hugetlb)).toHaveLength(available.includes("hugetlb") ? sizes : 0);
  await cgroup.destroy();
  // The cgroup is gone: nothing to tell, and no error.
  expect(await cgroup.stats()).toEqual({ hugetlb: {} });
});
