// What devices a container may use: the rules of a spec, one after another, come to a default and the
// exceptions from it. That is how cgroup v1 keeps them (Documentation/admin-guide/cgroup-v1/devices.rst),
// and what runc makes of a list on both versions.
import { BPF_DEVCG_ACC } from "../linux/bpf.ts";
import { InvalidSpec } from "../oci/invalid-spec.ts";
import type { DeviceCgroup } from "../oci/resources.ts";

/** Bits of BPF_DEVCG_ACC. */
export type Access = number;
export const ALL_ACCESS: Access = BPF_DEVCG_ACC.MKNOD | BPF_DEVCG_ACC.READ | BPF_DEVCG_ACC.WRITE;

const LETTERS = [
  ["r", BPF_DEVCG_ACC.READ],
  ["w", BPF_DEVCG_ACC.WRITE],
  ["m", BPF_DEVCG_ACC.MKNOD],
] as const;

export type DeviceException = {
  readonly type: "b" | "c";
  /** undefined: any. */
  readonly major: number | undefined;
  readonly minor: number | undefined;
  readonly access: Access;
  /** The rule that asks for it, below `linux.resources`; undefined for what every container may. */
  readonly field: string | undefined;
};

export type DevicePolicy = {
  /** What holds for a device without an exception. */
  readonly allow: boolean;
  /** By `deviceName`. The access of one exception has to cover what is asked for. */
  readonly exceptions: ReadonlyMap<string, DeviceException>;
};

const NOTHING: DevicePolicy = { allow: false, exceptions: new Map() };

/** What every container may use, after container.md 2.3: Kata's list, which is also runc's. */
const DEFAULTS: readonly DeviceCgroup[] = [
  { allow: true, type: "c", access: "m" },
  { allow: true, type: "b", access: "m" },
  // null, zero, full, random, urandom
  ...[3, 5, 7, 8, 9].map((minor) => usable(1, minor)),
  // tty, console, ptmx, the terminals of devpts, tun
  usable(5, 0),
  usable(5, 1),
  usable(5, 2),
  usable(136, undefined),
  usable(10, 200),
];

function usable(major: number, minor: number | undefined): DeviceCgroup {
  return { allow: true, type: "c", major, minor, access: "rwm" };
}

/**
 * The rules in their order, on top of `before`; then the defaults. Without rules, which is what Kata's
 * runtimes send, those are all. Throws InvalidSpec for a rule that takes away a part of another one.
 */
export function devicePolicy(
  rules: readonly DeviceCgroup[],
  before: DevicePolicy = NOTHING,
): DevicePolicy {
  const policy = { allow: before.allow, exceptions: new Map(before.exceptions) };
  for (const [index, rule] of rules.entries()) apply(policy, rule, `devices[${index}]`);
  for (const rule of DEFAULTS) {
    // A part of something that the spec forbids stays forbidden.
    if (covering(policy, rule) === undefined) apply(policy, rule, undefined);
  }
  return policy;
}

type Building = { allow: boolean; exceptions: Map<string, DeviceException> };

function apply(policy: Building, rule: DeviceCgroup, field: string | undefined): void {
  const { type, major, minor } = rule;
  if (type === "a") {
    policy.allow = rule.allow;
    policy.exceptions.clear();
    return;
  }
  const name = deviceName({ type, major, minor });
  const had = policy.exceptions.get(name);
  const access = accessOf(rule.access);
  if (rule.allow !== policy.allow) {
    const both = access | (had?.access ?? 0);
    if (both !== 0)
      policy.exceptions.set(name, {
        type,
        major,
        minor,
        access: both,
        field: both === had?.access ? had.field : field,
      });
    return;
  }
  const cover = covering(policy, rule);
  if (cover !== undefined)
    throw new InvalidSpec(
      `linux.resources.${field}: ${deviceText(name, access)} is a part of ${cover}, from which nothing can be taken`,
    );
  const rest = (had?.access ?? 0) & ~access;
  if (had === undefined) return;
  if (rest === 0) policy.exceptions.delete(name);
  else policy.exceptions.set(name, { ...had, access: rest });
}

/** The exception of more devices, if any, that a rule would take some of the devices from. */
function covering(policy: Building, rule: DeviceCgroup): string | undefined {
  const { type, major, minor } = rule;
  if (type === "a" || rule.allow !== policy.allow) return undefined;
  const name = deviceName({ type, major, minor });
  const wider = [
    deviceName({ type, major, minor: undefined }),
    deviceName({ type, major: undefined, minor }),
    deviceName({ type, major: undefined, minor: undefined }),
  ];
  return wider.find((other) => {
    const { access = 0 } = policy.exceptions.get(other) ?? {};
    return other !== name && (access & accessOf(rule.access)) !== 0;
  });
}

/** As in the files of v1: `c 1:*`. */
export function deviceName({
  type,
  major,
  minor,
}: Pick<DeviceException, "type" | "major" | "minor">): string {
  return `${type} ${major ?? "*"}:${minor ?? "*"}`;
}

/** As in the files of v1: `c 1:* rw`. */
export function deviceText(name: string, access: Access): string {
  return `${name} ${accessLetters(access)}`;
}

/** `rw` */
export function accessLetters(access: Access): string {
  const letters = LETTERS.filter(([, bit]) => (access & bit) !== 0).map(([letter]) => letter);
  return letters.join("");
}

/** No letters are no access: such a rule changes nothing. */
function accessOf(letters = ""): Access {
  return LETTERS.reduce((bits, [letter, bit]) => (letters.includes(letter) ? bits | bit : bits), 0);
}
