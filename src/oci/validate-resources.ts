// Rules for cgroup limits, at create and at update. Keys here become names of cgroup files, so they
// must stay within the cgroup's directory.
import { InvalidSpec, invalidField } from "./invalid-spec.ts";
import type { Resources } from "./resources.ts";
import { refuseNul } from "./validate-text.ts";

/** As in the names of hugetlb files: the size without leading zeros, then the unit. */
const PAGE_SIZE = /^[1-9][0-9]*[KMG]B$/;

const AT = "linux.resources";

/** Throws InvalidSpec. */
export function validateResources(resources: Resources): void {
  refuseNul(resources, AT);
  const { devices = [], hugepageLimits = [], unified = {}, memory = {} } = resources;
  const { swappiness = 0 } = memory;
  if (swappiness > 100)
    throw new InvalidSpec(`invalid value:${swappiness}. valid memory swappiness range is 0-100`);
  for (const { access = "" } of devices)
    if (!/^[rwm]*$/.test(access)) throw invalidField(`${AT}.devices.access`, access);
  for (const { pageSize } of hugepageLimits)
    if (!PAGE_SIZE.test(pageSize)) throw invalidField(`${AT}.hugepageLimits.pageSize`, pageSize);
  for (const file of Object.keys(unified))
    if (file.includes("/") || !file.includes(".") || file.startsWith("."))
      throw invalidField(`${AT}.unified`, file);
}
