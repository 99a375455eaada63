import { expect, test } from "bun:test";
import { parseMountinfo } from "../../../src/linux/mountinfo.ts";
import { pick, randomText, seeded } from "../../support/random.ts";

const LINE =
  "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:7 - ext3 /dev/root rw,errors=continue";

test("a line gives every field of the manual's format", () => {
  expect(parseMountinfo(`${LINE}\n`)).toEqual([
    {
      device: "98:0",
      root: "/mnt1",
      mountPoint: "/mnt2",
      options: ["rw", "noatime"],
      optionalFields: ["master:1", "shared:7"],
      fstype: "ext3",
      source: "/dev/root",
      superOptions: ["rw", "errors=continue"],
    },
  ]);
});

test("a mount without optional fields is read", () => {
  const [mount] = parseMountinfo("31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755");
  expect(mount?.optionalFields).toEqual([]);
  expect(mount?.fstype).toBe("tmpfs");
});

test("an escaped character belongs to its field, and a backslash is escaped once", () => {
  const [mount] = parseMountinfo(
    "1 2 0:3 /a\\040b /c\\011d\\134040 rw - overlay no\\012ne rw,lowerdir=/x\\054y,upperdir=/z",
  );
  expect(mount?.root).toBe("/a b");
  expect(mount?.mountPoint).toBe("/c\td\\040");
  expect(mount?.source).toBe("no\nne");
  expect(mount?.superOptions).toEqual(["rw", "lowerdir=/x,y", "upperdir=/z"]);
});

test("an empty source is a source (D34)", () => {
  const [mount] = parseMountinfo("1 2 0:3 / /mnt rw - tmpfs  rw,size=4k");
  expect(mount?.source).toBe("");
  expect(mount?.superOptions).toEqual(["rw", "size=4k"]);
});

test("a mount point that is called - is not the end of the optional fields", () => {
  const [mount] = parseMountinfo("1 2 0:3 / /- rw shared:1 - tmpfs none rw");
  expect(mount?.mountPoint).toBe("/-");
  expect(mount?.optionalFields).toEqual(["shared:1"]);
});

test.each([
  "",
  "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 ext3 /dev/root rw",
  "36 35 98:0 /mnt1 /mnt2 rw,noatime -",
  "36 35 98:0 /mnt1 /mnt2 rw,noatime - ext3",
  "36 35 98:0 /mnt1 mnt2 rw,noatime - ext3 /dev/root rw",
  "36 35 98:0 - ext3 /dev/root rw",
])("the odd line %j is left out and its neighbours stay", (odd) => {
  expect(parseMountinfo([LINE, odd, LINE].join("\n"))).toHaveLength(2);
});

test("no text makes the parser throw, and what it gives has a mount point and a file system", () => {
  const random = seeded(7);
  const words = [...LINE.split(" "), "-", "", "\\040", "\\9", "\\777", "\n", "/", ","];
  for (let round = 0; round < 5000; round++) {
    const length = Math.floor(random() * 30);
    const text = Array.from({ length }, () =>
      random() < 0.9 ? pick(random, words) : randomText(random, 5),
    ).join(random() < 0.9 ? " " : "");
    for (const mount of parseMountinfo(text)) {
      expect(mount.mountPoint).toStartWith("/");
      expect(mount.fstype).not.toBe("");
      expect(mount.superOptions.length).toBeGreaterThan(0);
    }
  }
});
