import { expect, test } from "bun:test";
import type { Seccomp } from "../../../src/oci/seccomp.ts";
import { unknownNames } from "../../../src/seccomp/unknown-names.ts";
import { dockerProfile } from "../../support/seccomp-profiles.ts";

const naming = (...names: string[]): Seccomp => ({
  defaultAction: "SCMP_ACT_ERRNO",
  syscalls: [{ names, action: "SCMP_ACT_ALLOW" }],
});

test("names that no architecture has are found, each once", () => {
  expect(unknownNames(naming("read", "raed", "write", "raed", "")).join()).toBe("raed,");
});

test("names of another architecture are no mistake", () => {
  expect(unknownNames(naming("arm_fadvise64_64", "_newselect", "arch_prctl"))).toEqual([]);
});

test("Docker's profile names none of them, nor does an empty one", () => {
  expect(unknownNames(dockerProfile("x86_64"))).toEqual([]);
  expect(unknownNames(dockerProfile("arm64"))).toEqual([]);
  expect(unknownNames({ defaultAction: "SCMP_ACT_ALLOW" })).toEqual([]);
});
