import { expect, test } from "bun:test";
import { devicePolicy } from "../../../src/cgroup/device-policy.ts";
import { deviceProperties } from "../../../src/cgroup/systemd-devices.ts";
import type { DeviceCgroup } from "../../../src/oci/resources.ts";

const all = (allow: boolean): DeviceCgroup => ({ allow, type: "a", access: "rwm" });

/** Of the last list, which is the whole of it. */
function told(rules: readonly DeviceCgroup[]) {
  const properties = deviceProperties(devicePolicy(rules));
  const lists = properties.filter(([name]) => name === "DeviceAllow");
  return {
    policy: properties[0]?.[1].value,
    first: lists[0]?.[1].value,
    list: lists[1]?.[1].value,
  };
}

test("the devices of every container are told by number, major number and kind", () => {
  const { policy, first, list } = told([]);
  expect([policy, first]).toEqual(["strict", []]);
  expect(list).toEqual([
    ["char-*", "m"],
    ["block-*", "m"],
    ["/dev/char/1:3", "rwm"],
    ["/dev/char/1:5", "rwm"],
    ["/dev/char/1:7", "rwm"],
    ["/dev/char/1:8", "rwm"],
    ["/dev/char/1:9", "rwm"],
    ["/dev/char/5:0", "rwm"],
    ["/dev/char/5:1", "rwm"],
    ["/dev/char/5:2", "rwm"],
    ["char-136", "rwm"],
    ["/dev/char/10:200", "rwm"],
  ]);
});

test("what the rules allow is told with its access, but for one minor number of all major ones", () => {
  const { list } = told([
    all(false),
    { allow: true, type: "b", major: 8, minor: 1, access: "r" },
    { allow: true, type: "b", minor: 77, access: "r" },
  ]);
  expect(list).toContainEqual(["/dev/block/8:1", "r"]);
  expect(JSON.stringify(list)).not.toContain("77");
});

test("a container that may use all devices has no policy, also if it may not use some of them", () => {
  const some: DeviceCgroup = { allow: false, type: "b", major: 8, minor: 1, access: "w" };
  for (const rules of [[all(true)], [all(true), some]]) {
    expect(told(rules)).toEqual({ policy: "auto", first: [], list: undefined });
  }
});
