// How long it takes to say no, or yes, to a spec of whatever length: what is read of a spec that is
// twice as long is about twice as much.
import { describe, expect, test } from "bun:test";
import { create } from "@bufbuild/protobuf";
import { ProcessSchema } from "../../../src/gen/oci_pb.ts";
import { CAP } from "../../../src/linux/capability-names.ts";
import { processFromProto } from "../../../src/oci/from-proto-process.ts";
import { InvalidSpec } from "../../../src/oci/invalid-spec.ts";
import type { Spec } from "../../../src/oci/spec.ts";
import { validateSpec } from "../../../src/oci/validate.ts";
import { minimalSpec, withLinux, withProcess } from "../../support/oci-spec.ts";

const SHORT = 400;

const many = <Item>(count: number, of: (index: number) => Item): Item[] =>
  Array.from({ length: count }, (_, index) => of(index));

const KINDS: Readonly<Record<string, (count: number) => Spec>> = {
  "process.args": (count) => withProcess({ args: many(count, String) }),
  "process.env": (count) => withProcess({ env: many(count, (index) => `A${index}=`) }),
  "process.rlimits": (count) =>
    withProcess({ rlimits: many(count, () => ({ type: "RLIMIT_CPU", hard: 1n, soft: 1n })) }),
  "process.user.additionalGids": (count) =>
    withProcess({ user: { uid: 0, gid: 0, additionalGids: many(count, (index) => index) } }),
  mounts: (count) => ({
    ...minimalSpec,
    mounts: many(count, (index) => ({ destination: `/m${index}`, type: "tmpfs" })),
  }),
  "options of a mount": (count) => ({
    ...minimalSpec,
    mounts: [{ destination: "/m", type: "tmpfs", options: many(count, (index) => `o${index}`) }],
  }),
  "linux.namespaces": (count) => withLinux({ namespaces: many(count, () => ({ type: "mount" })) }),
  "linux.devices": (count) =>
    withLinux({ devices: many(count, (index) => ({ path: `/dev/d${index}`, type: "p" })) }),
  "linux.maskedPaths": (count) => withLinux({ maskedPaths: many(count, (index) => `/m${index}`) }),
  "linux.sysctl": (count) =>
    withLinux({
      sysctl: Object.fromEntries(many(count, (index) => [`net.n${index}`, "1"])),
    }),
  "linux.resources.devices": (count) =>
    withLinux({ resources: { devices: many(count, () => ({ allow: true, type: "a" })) } }),
  "linux.resources.hugepageLimits": (count) =>
    withLinux({
      resources: { hugepageLimits: many(count, () => ({ pageSize: "2MB", limit: 1 })) },
    }),
  "linux.seccomp.syscalls": (count) =>
    withLinux({
      seccomp: {
        defaultAction: "SCMP_ACT_ALLOW",
        syscalls: many(count, () => ({ names: ["mkdir"], action: "SCMP_ACT_LOG" })),
      },
    }),
};

/** How many properties of the spec the validator reads. */
function readsOf(spec: Spec): number {
  let reads = 0;
  const watched = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null) return value;
    return new Proxy(value, {
      get: (target, key, receiver) => {
        reads++;
        return watched(Reflect.get(target, key, receiver));
      },
    });
  };
  try {
    validateSpec(watched(spec) as Spec);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidSpec);
  }
  return reads;
}

describe("twice as many are not looked at four times as often:", () => {
  test.each(Object.entries(KINDS))("%s", (_, of) => {
    const short = readsOf(of(SHORT));
    const long = readsOf(of(2 * SHORT));
    expect(short).toBeGreaterThan(0);
    expect(long).toBeLessThan(2.5 * short);
  });
});

test("a capability that is named a thousand times is in its set once", () => {
  const Permitted = many(1000, () => "CAP_KILL");
  const process = processFromProto(create(ProcessSchema, { Capabilities: { Permitted } }));
  expect(process.capabilities?.permitted).toEqual(["CAP_KILL"]);
  const every = processFromProto(create(ProcessSchema, { Capabilities: { Permitted: [...CAP] } }));
  expect(every.capabilities?.permitted).toEqual([...CAP]);
});
