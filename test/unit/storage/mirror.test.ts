// How much of a watched volume is copied when: storage-devices-network.md section 8.
import { afterAll, expect, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Fd } from "../../../src/kernel/fd.ts";
import { TooMuchToWatch, lookAt } from "../../../src/kernel/watched-tree.ts";
import { AT_FDCWD } from "../../../src/linux/constants.ts";
import { openat } from "../../../src/linux/fs.ts";
import { O } from "../../../src/linux/open-flags.ts";
import { Mirror } from "../../../src/storage/mirror.ts";

const top = mkdtempSync(join(tmpdir(), "mirror-"));
afterAll(() => rmSync(top, { recursive: true }));

let serial = 0;

/** A volume, and what copies what has changed in it, and says how much that was. */
function volume() {
  const source = join(top, `source-${++serial}`);
  const root = join(top, `root-${serial}`);
  mkdirSync(source);
  mkdirSync(root);
  const opened = Fd.of("open the root", openat(AT_FDCWD, root, O.PATH | O.DIRECTORY));
  const mirror = new Mirror(opened, "copy");
  const update = async () => mirror.show(await lookAt(source, mirror.entries));
  return {
    mirror,
    update,
    in: (path: string) => join(source, path),
    copy: (path: string) => join(root, "copy", path),
  };
}

test("all of a volume is copied once, and then what is touched", async () => {
  const made = volume();
  mkdirSync(made.in("A/B"), { recursive: true });
  mkdirSync(made.in("A/C"));
  writeFileSync(made.in("1.txt"), "");
  writeFileSync(made.in("A/B/1.txt"), "");
  expect([await made.update(), await made.update()]).toEqual([6, 0]);
  utimesSync(made.in("A/B/1.txt"), new Date(), new Date());
  expect([await made.update(), await made.update()]).toEqual([1, 0]);
});

test("of a ConfigMap that is published anew the link, the directory and the file are copied", async () => {
  const made = volume();
  mkdirSync(made.in("..1"));
  writeFileSync(made.in("..1/key"), "old");
  symlinkSync("..1", made.in("..data"));
  symlinkSync("..data/key", made.in("key"));
  expect(await made.update()).toBe(5);
  mkdirSync(made.in("..2"));
  writeFileSync(made.in("..2/key"), "new");
  rmSync(made.in("..data"));
  symlinkSync("..2", made.in("..data"));
  expect(await made.update()).toBe(3);
  expect(readlinkSync(made.copy("..data"))).toBe("..2");
  expect(readFileSync(made.copy("key"), "utf8")).toBe("new");
});

test("a copy that is cleared is gone, and can be made again", async () => {
  const made = volume();
  writeFileSync(made.in("f"), "x");
  await made.update();
  await made.mirror.clear();
  expect(made.mirror.entries.size).toBe(0);
  expect(await made.update()).toBe(2);
});

test("a volume of 17 entries, or of more than a mebibyte, is too much", async () => {
  const many = volume();
  for (let i = 0; i < 16; i++) symlinkSync("x", many.in(`${i}`));
  await expect(many.update()).rejects.toThrow(TooMuchToWatch);
  const large = volume();
  writeFileSync(large.in("f"), new Uint8Array((1 << 20) - 3));
  symlinkSync("four", large.in("l"));
  await expect(large.update()).rejects.toThrow(TooMuchToWatch);
});
