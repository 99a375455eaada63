// Disks of this machine, which are files, as storages.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type LoopDisk, loopDisk } from "../support/loop-disk.ts";
import {
  STATE,
  describeWithStorages,
  holdsForDriver,
  mountedAt,
  seen,
  storage,
} from "../support/storages.ts";

let serial = 0;
const place = (): string => `${STATE}/sandbox/storage/${++serial}`;

let disk: LoopDisk;
beforeAll(() => {
  disk = loopDisk("ext4");
});
afterAll(() => disk[Symbol.dispose]());

const volume = (driver: "blk" | "mmioblk", source: string, ...options: string[]) =>
  storage({ driver, source, fstype: "ext4", mountPoint: place(), options });

const empty = (source: string, ...more: string[]) => ({
  ...volume("blk", source),
  driverOptions: ["create_filesystem", ...more],
});

const line = (path: string) =>
  readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .find((each) => each.split(" ")[1] === path);

describe.each(["blk", "mmioblk"] as const)("the driver %s", (driver) => {
  describeWithStorages("for a disk that is there", (made) => {
    holdsForDriver(made, {
      good: () => volume(driver, disk.path),
      look: ({ mountPoint }) => expect(line(mountPoint)).toStartWith(`${disk.path} `),
      ends: true,
      fails: () => [{ ...volume(driver, disk.path), fstype: "vfat" }, /^mount vfat .*: E\w+: /],
    });
  });
});

describeWithStorages("a disk", (made) => {
  test.each([
    ["/dev/null", 'Invalid device "/dev/null"'],
    ["/dev/fd", 'Unknown device "/dev/fd"'],
    ["/dev/nowhere", "Timeout after 1s waiting for uevent of the disk nowhere"],
    ["/dev/mapper/nothing", `VM device path "/dev/mapper/nothing" doesn't exist`],
    ["/dev/../etc/passwd", 'is not an absolute path without ".."'],
    ["/device", 'VM device path "/device" doesn\'t exist'],
    ["/etc/passwd", "is no PCI path"],
    ["", "is no PCI path"],
  ])("is not %p, and nothing is made for it", async (source, words) => {
    const before = seen();
    await expect(made().add([volume("blk", source)])).rejects.toThrow(words);
    expect(seen()).toEqual(before);
  });

  test.each(["ext4", "bind"])(
    "that does not come is not waited for beyond the time for it, as %s",
    async (fstype) => {
      const before = seen();
      const adding = made().add([{ ...volume("blk", "1e"), fstype }]);
      await expect(adding).rejects.toThrow("Timeout after 1s waiting for uevent of the disk at");
      expect(seen()).toEqual(before);
    },
  );

  test("is read-only where it is to be", async () => {
    const asked = volume("blk", disk.path, "ro");
    await made().add([asked]);
    expect(line(asked.mountPoint)).toContain(" ext4 ro,");
  });

  test("is not mounted but has its node where a container wants the node", async () => {
    const asked = { ...volume("blk", disk.path, "bind"), fstype: "bind" };
    await made().add([asked]);
    const [node, same] = [statSync(asked.mountPoint), statSync(disk.path)];
    expect([node.isBlockDevice(), node.rdev]).toEqual([true, same.rdev]);
  });
});

describeWithStorages("a disk that comes empty", (made) => {
  test("gets a file system without a journal, and is its group's", async () => {
    using fresh = loopDisk();
    const asked = { ...empty(fresh.path), fsGroup: { groupId: 4321, groupChangePolicy: 0 } };
    await made().add([asked]);
    const { gid, mode } = statSync(asked.mountPoint);
    expect([gid, mode & 0o7777]).toEqual([4321, 0o2775]);
    expect(line(asked.mountPoint)).toStartWith(`${fresh.path} ${asked.mountPoint} ext4 rw,`);
    expect(Bun.spawnSync(["dumpe2fs", "-h", fresh.path]).stdout.toString()).not.toContain(
      "journal",
    );
    await made().storages.end();
  });

  test("keeps what is written to it for those who use it later", async () => {
    using fresh = loopDisk();
    const asked = { ...empty(fresh.path), shared: true };
    const first = await made().add([asked]);
    first.keep();
    writeFileSync(join(asked.mountPoint, "kept"), "so");
    await first[Symbol.asyncDispose]();
    await made().add([asked], "c2");
    expect(readFileSync(join(asked.mountPoint, "kept"), "utf8")).toBe("so");
    expect(mountedAt(asked.mountPoint)).toBe(1);
    await made().storages.end();
  });

  test("that is too small is not mounted, and the program says why", async () => {
    using tiny = loopDisk(undefined, 4096);
    const before = seen();
    const words = new RegExp(`^mkfs.ext4 ${tiny.path}: status 1: .*Not enough space`, "s");
    await expect(made().add([empty(tiny.path)])).rejects.toThrow(words);
    expect(seen()).toEqual(before);
  });

  test.each<[readonly string[], string, string]>([
    [["create_filesystem"], "xfs", 'creating filesystem "xfs" for block storage is unsupported'],
    [["encryption_key=ephemeral"], "ext4", "encryption_key=ephemeral is of no use without create"],
    [["create_filesystem", "encryption_key=ephemeral"], "ext4", "no confidential data hub"],
  ])("is refused with %p of %s before anything is done", async (driverOptions, fstype, words) => {
    const asked = { ...volume("blk", disk.path), driverOptions, fstype };
    const before = seen();
    await expect(made().add([asked])).rejects.toThrow(words);
    expect(seen()).toEqual(before);
  });
});
