// Rules for cgroup limits, at create and at update. Keys here become names of cgroup files, so they
// must stay within the cgroup's directory.
import { InvalidSpec, invalidField } from "./invalid-spec.ts";
import type { Cpu, DeviceCgroup, Resources } from "./resources.ts";
import { refuseNul } from "./validate-text.ts";

/** As in the names of hugetlb files: the size without leading zeros, then the unit. */
const PAGE_SIZE = /^[1-9][0-9]*[KMG]B$/;

const AT = "linux.resources";

/** Throws InvalidSpec. */
export function validateResources(resources: Resources): void {
  refuseNul(resources, AT);
  const { devices = [], hugepageLimits = [], unified = {}, memory = {}, cpu = {} } = resources;
  const { swappiness = 0 } = memory;
  if (swappiness > 100)
    throw new InvalidSpec(`invalid value:${swappiness}. valid memory swappiness range is 0-100`);
  validateDevices(devices);
  validateLists(cpu);
  for (const [index, { pageSize }] of hugepageLimits.entries())
    if (!PAGE_SIZE.test(pageSize))
      throw invalidField(`${AT}.hugepageLimits[${index}].pageSize`, pageSize);
  for (const file of Object.keys(unified))
    if (file.includes("/") || !file.includes(".") || file.startsWith("."))
      throw invalidField(`${AT}.unified`, file);
}

/** What fits the file of a cpuset; each of its ranges may be thousands of numbers. */
const LONGEST_LIST = 4095;

function validateLists({ cpus = "", mems = "" }: Cpu): void {
  for (const [name, list] of Object.entries({ cpus, mems }))
    if (list.length > LONGEST_LIST)
      throw new InvalidSpec(`${AT}.cpu.${name}: more than ${LONGEST_LIST} characters`);
}

/** Each is some instructions of a program, or a write. A privileged container lists some hundred devices. */
const MOST_RULES = 4096;
const LARGEST_NUMBER = 0xffff_ffff;

function validateDevices(rules: readonly DeviceCgroup[]): void {
  if (rules.length > MOST_RULES)
    throw new InvalidSpec(`${AT}.devices: ${rules.length} rules, ${MOST_RULES} at most`);
  for (const [index, { access = "", major = 0, minor = 0 }] of rules.entries()) {
    const at = `${AT}.devices[${index}]`;
    if (!/^[rwm]*$/.test(access)) throw invalidField(`${at}.access`, access);
    if (major > LARGEST_NUMBER) throw invalidField(`${at}.major`, String(major));
    if (minor > LARGEST_NUMBER) throw invalidField(`${at}.minor`, String(minor));
  }
}
