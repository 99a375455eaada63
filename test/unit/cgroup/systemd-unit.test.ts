import { expect, test } from "bun:test";
import { systemdUnit } from "../../../src/cgroup/systemd-unit.ts";
import { pick, seeded } from "../../support/random.ts";

test.each([
  ["system.slice:cri-containerd:c1", "cri-containerd-c1.scope", "system.slice"],
  [":cri-containerd:c1", "cri-containerd-c1.scope", "system.slice"],
  ["::", "kata_agent-c1.scope", "system.slice"],
  ["kubepods.slice::c1", "c1.scope", "kubepods.slice"],
])("the cgroups path %j is the unit %s in %s", (given, name, slice) => {
  const unit = systemdUnit(given, "c1");
  expect(unit?.name).toBe(name);
  expect(unit?.slice).toBe(slice);
  expect(unit?.path.join("/")).toBe(`${slice}/${name}`);
});

test("a slice lies in those that its name begins with", () => {
  const unit = systemdUnit("kubepods-besteffort-pod1.slice:cri:c1", "c1");
  expect(unit?.path.join("/")).toBe(
    "kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod1.slice/cri-c1.scope",
  );
});

test("the root slice is the root of the tree", () => {
  expect(systemdUnit("-.slice:cri:c1", "c1")?.path).toEqual(["cri-c1.scope"]);
});

test.each(["/kubepods/pod1/c1", "c1", "a:b", "a:b:c:d", "/a:b:c", ""])(
  "%j is a path and names no unit",
  (given) => {
    expect(systemdUnit(given, "c1")).toBeUndefined();
  },
);

test.each([
  ["system.slice:cri:", "has no name"],
  ["system.slice:cri:x.slice", "names a slice"],
  ["system:cri:c1", "has no valid slice"],
  ["a--b.slice:cri:c1", "has no valid slice"],
  ["-a.slice:cri:c1", "has no valid slice"],
  [".slice:cri:c1", "has no valid slice"],
  ["system.slice:cri:c 1", "no name of a unit"],
  ["system.slice:cri:c\n1", "no name of a unit"],
  ["system.slice:cri:c\u00001", "no name of a unit"],
  [`system.slice:cri:${"c".repeat(260)}`, "no name of a unit"],
])("the cgroups path %j is refused: it %s", (given, reason) => {
  expect(() => systemdUnit(given, "c1")).toThrow(reason);
});

test("whatever the host sends, a unit's path has no part that leads elsewhere", () => {
  const random = seeded(7);
  const letters = [..."ab-./:\\@\0\n", ".slice", "..", "::"];
  for (let round = 0; round < 5000; round++) {
    const text = Array.from({ length: 1 + (round % 9) }, () => pick(random, letters)).join("");
    try {
      const parts = systemdUnit(text, "c1")?.path ?? [];
      for (const part of parts) expect(part).toMatch(/^[^/\0\n]+\.(slice|scope)$/);
    } catch (error) {
      expect(String(error)).toContain("cgroup path");
    }
  }
});
