import { describe, expect, test } from "bun:test";
import {
  checkMappings,
  containerId,
  hostId,
  idMapText,
  isSameMap,
  parseIdMap,
} from "../../../src/oci/id-mapping.ts";
import type { IdMapping, Spec } from "../../../src/oci/spec.ts";
import { checkMappedUser } from "../../../src/oci/validate-user-namespace.ts";
import { validateSpec } from "../../../src/oci/validate.ts";
import { minimalProcess, withLinux } from "../../support/oci-spec.ts";

const entry = (containerID: number, hostID: number, size: number): IdMapping => ({
  containerID,
  hostID,
  size,
});
const MAP = [entry(0, 100_000, 1000), entry(2000, 5000, 10)];
const LAST = 2 ** 32 - 2;

test("an id is found on either side of its entry, up to the last of its ids", () => {
  const inside = [0, 999, 1000, 1999, 2000, 2009, 2010];
  const outside = inside.map((id) => hostId(MAP, id));
  expect(outside).toEqual([100_000, 100_999, undefined, undefined, 5000, 5009, undefined]);
  expect(outside.flatMap((id) => (id === undefined ? [] : [containerId(MAP, id)]))).toEqual([
    0, 999, 2000, 2009,
  ]);
  expect(containerId(MAP, 0)).toBeUndefined();
});

test("a map is written a line an entry, without those of no ids", () => {
  expect(idMapText([...MAP, entry(7, 7, 0)])).toBe("0 100000 1000\n2000 5000 10\n");
});

test("a map is read as the kernel shows it", () => {
  const shown = "         0     100000       1000\n      2000       5000         10\n";
  expect(parseIdMap(shown)).toEqual(MAP);
  expect(parseIdMap("")).toEqual([]);
});

test("two maps are the same in any order", () => {
  expect(isSameMap(MAP, MAP.toReversed())).toBe(true);
  expect(isSameMap(MAP, MAP.slice(0, 1))).toBe(false);
});

describe("a map is refused, by the name of the entry,", () => {
  test.each<[string, readonly IdMapping[], string]>([
    ["beyond the last id inside", [entry(LAST, 0, 2)], "map[0]: goes beyond the last id"],
    ["beyond the last id outside", [entry(0, 0, 1), entry(1, LAST, 2)], "map[1]: goes beyond"],
    [
      "that maps an id twice",
      [entry(0, 0, 10), entry(9, 100, 1)],
      "map[1].containerID: 9 is mapped by map[0], too",
    ],
    [
      "that maps two ids to one",
      [entry(0, 50, 10), entry(100, 45, 6)],
      "map[0].hostID: 50 is mapped by map[1], too",
    ],
    [
      "with more entries than the kernel takes",
      Array.from({ length: 341 }, (_, id) => entry(id, id, 1)),
      "map: 341 entries, the kernel takes 340",
    ],
    [
      "with more text than the kernel takes",
      Array.from({ length: 340 }, (_, id) => entry(1_000_000 + id, 1_000_000 + id, 1)),
      "bytes as text, the kernel takes 4095",
    ],
  ])("%s", (_, map, message) => {
    expect(() => checkMappings("map", map)).toThrow(message);
  });

  test.each<[string, readonly IdMapping[]]>([
    ["all ids", [entry(0, 0, 2 ** 32 - 1)]],
    ["neighbours", [entry(10, 0, 10), entry(0, 10, 10)]],
    ["none", []],
    ["an entry of no ids within another", [entry(0, 0, 10), entry(5, 5, 0)]],
    ["as many entries as the kernel takes", Array.from({ length: 340 }, (_, i) => entry(i, i, 1))],
  ])("but not one of %s", (_, map) => {
    expect(() => checkMappings("map", map)).not.toThrow();
  });
});

describe("a container in a user namespace is refused", () => {
  const inUser = (uidMappings: readonly IdMapping[], linux: object = {}): Spec =>
    withLinux({
      namespaces: [{ type: "mount" }, { type: "user" }],
      uidMappings,
      gidMappings: MAP,
      ...linux,
    });

  test.each<[string, Spec, string]>([
    ["without a root", inUser([entry(1, 1, 1)]), "linux.uidMappings: 0 is not mapped"],
    [
      "with a device of nobody's",
      inUser(MAP, { devices: [{ path: "/dev/x", type: "c", uid: 1500 }] }),
      "linux.devices[0].uid: 1500 is not mapped",
    ],
    [
      "with a map that overlaps itself",
      inUser([entry(0, 0, 5), entry(4, 10, 1)]),
      "linux.uidMappings[1].containerID",
    ],
  ])("%s", (_, spec, message) => {
    expect(() => validateSpec(spec)).toThrow(message);
  });

  test("or an exec as somebody whom it does not know", () => {
    const maps = { uid: MAP, gid: MAP };
    const as = (user: object) => () =>
      checkMappedUser({ ...minimalProcess, user: { uid: 0, gid: 0, ...user } }, maps);
    expect(as({ uid: 1000 })).toThrow("process.user.uid: 1000 is not mapped");
    expect(as({ gid: 1000 })).toThrow("process.user.gid: 1000 is not mapped");
    expect(as({ additionalGids: [5, 1000] })).toThrow("process.user.additionalGids: 1000");
    expect(as({ uid: 999, gid: 2009, additionalGids: [5] })).not.toThrow();
  });

  test("and one that joins another's may leave the maps to that", () => {
    const path = "/run/user";
    const spec = withLinux({ namespaces: [{ type: "mount" }, { type: "user", path }] });
    expect(() => validateSpec(spec)).not.toThrow();
  });
});
