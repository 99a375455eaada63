import { expect, test } from "bun:test";
import { cgroupPath } from "../../../src/cgroup/path.ts";
import { pick, seeded } from "../../support/random.ts";

test.each([
  [undefined, ["c1"]],
  ["", ["c1"]],
  ["/kubepods/besteffort/pod1/c1", ["kubepods", "besteffort", "pod1", "c1"]],
  ["kubepods/c1", ["kubepods", "c1"]],
  ["system.slice:cri-containerd:c1", ["system.slice", "cri-containerd", "c1"]],
  ["kubepods.slice::c1", ["kubepods.slice", "c1"]],
  [":cri-containerd:c1", ["cri-containerd", "c1"]],
  ["//a/./b/", ["a", "b"]],
  ["/a..b/...", ["a..b", "..."]],
])("the cgroups path %j is the path %j", (given, path) => {
  expect([...cgroupPath(given, "c1")]).toEqual(path);
});

test.each([
  ["/", "names the root"],
  ["::", "names the root"],
  [".", "names the root"],
  ["../c1", "contains '..'"],
  ["/a/../c1", "contains '..'"],
  ["system.slice:..:c1", "contains '..'"],
  ["/a/b/..", "contains '..'"],
  ["/a\0/../b", "contains '..'"],
  ["/a\0", "contains a NUL or a newline"],
  ["/a\nb", "contains a NUL or a newline"],
  ["/a".repeat(33), "has more than 32 levels"],
])("the cgroups path %j is refused: it %s", (given, reason) => {
  expect(() => cgroupPath(given, "c1")).toThrow(reason);
});

test("a container id is judged as a path is", () => {
  expect(() => cgroupPath("", "..")).toThrow("contains '..'");
});

test("32 levels are taken", () => {
  expect(cgroupPath("/a".repeat(32), "c1")).toHaveLength(32);
});

test("whatever the host sends, every name of the path is a plain name below the root", () => {
  const random = seeded(11);
  const parts = ["/", ":", ".", "..", "a", "pod1.slice", "\0", "\n", " ", "é"];
  for (let round = 0; round < 5000; round++) {
    const length = Math.floor(random() * 12);
    const given = Array.from({ length }, () => pick(random, parts)).join("");
    let path: readonly string[];
    try {
      path = cgroupPath(given, "c1");
    } catch (error) {
      expect(String(error)).toContain("cgroup path");
      continue;
    }
    expect(path.length).toBeGreaterThan(0);
    for (const name of path) expect(name).toMatch(/^(?!\.{1,2}$)[^/\0\n:]+$/);
  }
});
