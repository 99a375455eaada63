import { describe, expect, test } from "bun:test";
import { MOUNT_ATTR, MS } from "../../../src/linux/mount-flags.ts";
import { InvalidSpec } from "../../../src/oci/invalid-spec.ts";
import { parseMountOptions } from "../../../src/oci/mount-options.ts";
import { pick, randomText, seeded } from "../../support/random.ts";

const NOTHING = {
  flags: 0,
  clearedFlags: 0,
  propagation: [],
  recursive: { set: 0, clear: 0 },
  tmpcopyup: false,
  copySymlink: false,
  data: [],
};

const SETS: readonly [string, number][] = [
  ["ro", 0x1],
  ["nosuid", 0x2],
  ["nodev", 0x4],
  ["noexec", 0x8],
  ["sync", 0x10],
  ["remount", 0x20],
  ["mand", 0x40],
  ["dirsync", 0x80],
  ["nosymfollow", 0x100],
  ["noatime", 0x400],
  ["nodiratime", 0x800],
  ["bind", 0x1000],
  ["rbind", 0x5000],
  ["silent", 0x8000],
  ["relatime", 0x200000],
  ["iversion", 0x800000],
  ["strictatime", 0x1000000],
  ["lazytime", 0x2000000],
];

const CLEARS: readonly [string, number, string][] = [
  ["rw", 0x1, "ro"],
  ["suid", 0x2, "nosuid"],
  ["dev", 0x4, "nodev"],
  ["exec", 0x8, "noexec"],
  ["async", 0x10, "sync"],
  ["nomand", 0x40, "mand"],
  ["symfollow", 0x100, "nosymfollow"],
  ["atime", 0x400, "noatime"],
  ["diratime", 0x800, "nodiratime"],
  ["loud", 0x8000, "silent"],
  ["norelatime", 0x200000, "relatime"],
  ["noiversion", 0x800000, "iversion"],
  ["nostrictatime", 0x1000000, "strictatime"],
  ["nolazytime", 0x2000000, "lazytime"],
];

const PROPAGATION: readonly [string, number][] = [
  ["unbindable", 0x20000],
  ["runbindable", 0x24000],
  ["private", 0x40000],
  ["rprivate", 0x44000],
  ["slave", 0x80000],
  ["rslave", 0x84000],
  ["shared", 0x100000],
  ["rshared", 0x104000],
];

const RECURSIVE: readonly [string, number, number][] = [
  ["rro", 0x1, 0],
  ["rrw", 0, 0x1],
  ["rnosuid", 0x2, 0],
  ["rsuid", 0, 0x2],
  ["rnodev", 0x4, 0],
  ["rdev", 0, 0x4],
  ["rnoexec", 0x8, 0],
  ["rexec", 0, 0x8],
  ["rnodiratime", 0x80, 0],
  ["rdiratime", 0, 0x80],
  ["rnosymfollow", 0x200000, 0],
  ["rsymfollow", 0, 0x200000],
  ["rrelatime", 0, 0x70],
  ["rnorelatime", 0, 0x70],
  ["rnoatime", 0x10, 0x70],
  ["ratime", 0, 0x70],
  ["rstrictatime", 0x20, 0x70],
  ["rnostrictatime", 0, 0x70],
];

const EXTENSIONS = ["idmap", "ridmap", "tmpcopyup", "copy-symlink"];

describe("one option", () => {
  test("defaults changes nothing and is not passed to the file system", () => {
    expect(parseMountOptions(["defaults"])).toEqual(NOTHING);
  });

  test.each(SETS)("%s sets its flag", (option, flags) => {
    expect(parseMountOptions([option])).toEqual({ ...NOTHING, flags });
  });

  test.each(CLEARS)("%s clears its flag and is remembered", (option, clearedFlags, opposite) => {
    expect(parseMountOptions([option])).toEqual({ ...NOTHING, clearedFlags });
    expect(parseMountOptions([opposite, option])).toEqual({ ...NOTHING, clearedFlags });
  });

  test.each(CLEARS)("%s is undone by a later word for its flag", (option, flags, opposite) => {
    expect(parseMountOptions([option, opposite])).toEqual({ ...NOTHING, flags });
  });

  test.each(PROPAGATION)("%s is propagation", (option, flag) => {
    expect(parseMountOptions([option])).toEqual({ ...NOTHING, propagation: [flag] });
  });

  test.each(RECURSIVE)("%s is an attribute of the whole tree", (option, set, clear) => {
    expect(parseMountOptions([option])).toEqual({ ...NOTHING, recursive: { set, clear } });
  });

  test.each(["idmap", "ridmap"] as const)("%s asks for an id-mapped mount", (idmap) => {
    expect(parseMountOptions([idmap])).toEqual({ ...NOTHING, idmap });
  });

  test("tmpcopyup and copy-symlink are ours to carry out", () => {
    expect(parseMountOptions(["tmpcopyup"])).toEqual({ ...NOTHING, tmpcopyup: true });
    expect(parseMountOptions(["copy-symlink"])).toEqual({ ...NOTHING, copySymlink: true });
  });

  test.each([
    "mode=755",
    "size=65536k",
    "acl",
    "noacl",
    "lowerdir=/a,upperdir=/b",
    "RO",
    "",
    "constructor",
    "__proto__",
  ])("'%s' goes to the file system as it is", (option) => {
    expect(parseMountOptions([option])).toEqual({ ...NOTHING, data: [option] });
  });

  test("a NUL is refused, since the kernel would stop reading there", () => {
    expect(() => parseMountOptions(["ro", "size=1\0,x"])).toThrow(InvalidSpec);
  });
});

describe("several options", () => {
  test("propagation and data keep their order and repetitions", () => {
    const { propagation, data } = parseMountOptions(["b=1", "shared", "a=2", "rslave", "b=1"]);
    expect(propagation).toEqual([MS.SHARED, MS.SLAVE | MS.REC]);
    expect(data).toEqual(["b=1", "a=2", "b=1"]);
  });

  test("the options of a usual read-only volume make one set of flags", () => {
    const { flags, propagation } = parseMountOptions(["rbind", "rprivate", "ro", "nosuid"]);
    expect(flags).toBe(MS.BIND | MS.REC | MS.RDONLY | MS.NOSUID);
    expect(propagation).toEqual([MS.PRIVATE | MS.REC]);
  });

  test("the last word for a recursive attribute wins", () => {
    expect(parseMountOptions(["rro", "rrw"]).recursive).toEqual({ set: 0, clear: 0x1 });
    expect(parseMountOptions(["rrw", "rro"]).recursive).toEqual({ set: 0x1, clear: 0 });
  });

  test("access times of a tree are one value: the last replaces the one before", () => {
    const { recursive } = parseMountOptions(["rnoatime", "rstrictatime", "rro"]);
    expect(recursive.set).toBe(MOUNT_ATTR.STRICTATIME | MOUNT_ATTR.RDONLY);
    expect(recursive.clear).toBe(0x70);
  });

  test("any words make flags that no word clears again, and never throw but for a NUL", () => {
    const random = seeded(3);
    const known = [...SETS, ...CLEARS, ...PROPAGATION, ...RECURSIVE].map(([option]) => option);
    for (let round = 0; round < 3000; round += 1) {
      const options = Array.from({ length: Math.floor(random() * 6) }, () =>
        random() < 0.7 ? pick(random, [...known, ...EXTENSIONS]) : randomText(random, 6),
      );
      if (options.some((option) => option.includes("\0"))) {
        expect(() => parseMountOptions(options)).toThrow(InvalidSpec);
        continue;
      }
      const { flags, clearedFlags, data } = parseMountOptions(options);
      expect(flags & clearedFlags).toBe(0);
      expect(data.every((option) => !known.includes(option))).toBe(true);
    }
  });
});
