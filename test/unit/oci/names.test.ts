import { expect, test } from "bun:test";
import { CAP } from "../../../src/linux/capability-names.ts";
import { RLIMIT } from "../../../src/linux/constants.ts";
import { capabilityName } from "../../../src/oci/capability.ts";
import { InvalidSpec, quote } from "../../../src/oci/invalid-spec.ts";
import { RLIMIT_TYPES } from "../../../src/oci/rlimit.ts";
import { sysctlPath } from "../../../src/oci/sysctl-name.ts";

test("every resource limit has the name that the kernel knows, in the kernel's order", () => {
  const inOrder = Object.entries(RLIMIT).toSorted(([, one], [, other]) => one - other);
  const names: readonly string[] = RLIMIT_TYPES;
  expect(names).toEqual(inOrder.map(([name]) => `RLIMIT_${name}`));
});

test("every capability of the kernel can be asked for", () => {
  expect(CAP.map((name) => capabilityName("f", name))).toEqual([...CAP]);
});

test.each(["cap_kill", "CAP_CAP_KILL", "", '"', '""', "CAP_"])("%j is no capability", (name) => {
  expect(() => capabilityName("f", name)).toThrow(InvalidSpec);
});

test.each([
  ["net.ipv4.ip_forward", ["net", "ipv4", "ip_forward"]],
  ["net/ipv4/ip_forward", ["net", "ipv4", "ip_forward"]],
  ["net.ipv4.conf.eno2/100.rp_filter", ["net", "ipv4", "conf", "eno2.100", "rp_filter"]],
  ["net/ipv4/conf/eno2.100/rp_filter", ["net", "ipv4", "conf", "eno2.100", "rp_filter"]],
  ["single", ["single"]],
])("the sysctl %s is found at its path", (name, path) => {
  expect(sysctlPath(name)).toEqual(path);
});

test.each([
  "",
  ".",
  "/",
  "net..ipv4",
  ".net.ipv4",
  "/net/ipv4",
  "net.ipv4.",
  "net/../kernel/panic",
  "net.//.kernel",
  "net/./ipv4",
  "../../etc/passwd",
  "net.ipv4\0",
])("the sysctl %j is refused: it is no path below /proc/sys", (name) => {
  expect(() => sysctlPath(name)).toThrow(InvalidSpec);
});

test("a quoted value is one short line", () => {
  expect(quote('a"\n\0')).toBe('"a\\"\\n\\u0000"');
  expect(quote("x".repeat(1000)).length).toBeLessThan(210);
});
