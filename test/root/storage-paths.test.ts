// Storages made of what is in the guest already: bind mounts and overlays; and whom their files are given to.
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  chmodSync,
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CALLER,
  STATE,
  describeWithStorages,
  holdsForDriver,
  mountedAt,
  seen,
  storage,
} from "../support/storages.ts";

let serial = 0;
let directory = "";
beforeAll(() => void (directory = mkdtempSync(join(tmpdir(), "kata-storage-"))));
afterAll(() => rmSync(directory, { recursive: true }));

const place = (kind: string): string => `${STATE}/sandbox/${kind}/${++serial}`;

function filled(): string {
  const path = join(directory, `source-${++serial}`);
  mkdirSync(path);
  writeFileSync(join(path, "file"), "text");
  return path;
}

const bind = (...options: string[]) =>
  storage({ driver: "bind", source: filled(), mountPoint: place("bind"), options });

describeWithStorages("a bind storage", (made) => {
  holdsForDriver(made, {
    good: () => bind("ro", "nosuid"),
    look: ({ mountPoint }) => {
      expect(readFileSync(join(mountPoint, "file"), "utf8")).toBe("text");
      expect(() => writeFileSync(join(mountPoint, "new"), "")).toThrow("EROFS");
    },
    ends: true,
    fails: () => [{ ...bind(), source: "/proc/1/nowhere" }, /clone \/proc\/1\/nowhere: ENOENT/],
  });

  test("of a file is mounted on a file", async () => {
    const source = join(filled(), "file");
    const asked = storage({ driver: "bind", source, mountPoint: place("bind") });
    await using held = await made().add([asked]);
    expect(readFileSync(asked.mountPoint, "utf8")).toBe("text");
    await held[Symbol.asyncDispose]();
    expect(mountedAt(asked.mountPoint)).toBe(0);
  });

  // runtime-rs shares what cannot be written to, and makes the places of volumes on its own side.
  test("has its place on a share that is read-only, where the host has made it", async () => {
    const share = bind("ro");
    mkdirSync(join(share.source, "volumes/place"), { recursive: true });
    writeFileSync(join(share.source, "volumes/node"), "");
    const at = (name: string) => `${share.mountPoint}/volumes/${name}`;
    const volume = storage({ driver: "bind", source: filled(), mountPoint: at("place") });
    const source = join(filled(), "file");
    const node = storage({ driver: "bind", source, mountPoint: at("node") });
    const before = seen();
    const held = await made().add([share, volume, node]);
    expect(readFileSync(join(at("place"), "file"), "utf8")).toBe("text");
    expect(readFileSync(at("node"), "utf8")).toBe("text");
    await held[Symbol.asyncDispose]();
    expect(seen().mounts).toEqual(before.mounts);
    expect(existsSync(join(share.source, "volumes/place"))).toBe(true);
    const missing = storage({ driver: "bind", source, mountPoint: at("missing") });
    await expect(made().add([share, missing])).rejects.toThrow("missing: ENOENT");
    expect(seen().mounts).toEqual(before.mounts);
    expect(made().warnings).toEqual([]);
  });

  test("of what has been mounted before it in the same request works, and ends before it", async () => {
    const below = bind();
    const above = storage({ driver: "bind", source: below.mountPoint, mountPoint: place("bind") });
    await using _ = await made().add([below, above]);
    expect(readFileSync(join(above.mountPoint, "file"), "utf8")).toBe("text");
  });

  test("that is still in use goes out of sight at once, which is told", async () => {
    const asked = bind();
    const held = await made().add([asked]);
    const user = openSync(join(asked.mountPoint, "file"), "r");
    await held[Symbol.asyncDispose]();
    expect(mountedAt(asked.mountPoint)).toBe(0);
    expect(made().warnings).toEqual([expect.stringContaining("a storage is still in use")]);
    closeSync(user);
  });

  test("with rbind has what is mounted below its source, and its propagation", async () => {
    const below = bind();
    const memory = storage({
      driver: "ephemeral",
      source: "tmpfs",
      fstype: "tmpfs",
      mountPoint: `${below.mountPoint}/inner`,
    });
    mkdirSync(join(below.source, "inner"));
    const options = ["rbind", "rshared"];
    const above = { ...bind(...options), source: below.mountPoint };
    await using _ = await made().add([below, memory, above]);
    expect(mountedAt(`${above.mountPoint}/inner`)).toBe(1);
    const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
    expect(lines.find((line) => line.includes(` ${above.mountPoint} `))).toContain("shared:");
    // It would be mounted in both.
    Bun.spawnSync(["umount", `${above.mountPoint}/inner`]);
    expect(mountedAt(memory.mountPoint)).toBe(1);
  });
});

describeWithStorages("an overlayfs storage", (made) => {
  const overlay = (...options: string[]) => {
    const [lower, top] = [filled(), filled()];
    writeFileSync(join(top, "file"), "on top");
    return storage({
      driver: "overlayfs",
      source: "overlay",
      fstype: "overlay",
      mountPoint: place("overlay"),
      options: [`lowerdir=${top}:${lower}`, ...options],
    });
  };

  holdsForDriver(made, {
    good: () => overlay(),
    look: ({ mountPoint }) => expect(readFileSync(join(mountPoint, "file"), "utf8")).toBe("on top"),
    ends: true,
    fails: () => [overlay("nothing-like-this"), /mount overlay overlay on .*: EINVAL/],
  });

  test("with overlay-rw keeps what a container writes in memory of its own", async () => {
    const before = seen();
    const asked = overlay("io.katacontainers.fs-opt.overlay-rw");
    const held = await made().add([asked], "c7");
    writeFileSync(join(asked.mountPoint, "new"), "written");
    expect(readFileSync(`${STATE}/c7/written/upper/new`, "utf8")).toBe("written");
    await held[Symbol.asyncDispose]();
    expect(seen().mounts).toEqual(before.mounts);
    expect(existsSync(`${STATE}/c7`)).toBe(false);
  });

  // As Kata's runtime in Go asks for images of EROFS without a disk to write to.
  test("takes away what was written to the container's own directory, and nothing else", async () => {
    const kept = `${STATE}/kept`;
    const directories = ["fs", "work"].map((name) => `${STATE}/c7/${name}`);
    const asked = {
      ...overlay(`upperdir=${directories[0]}`, `workdir=${directories[1]}`),
      driverOptions: [...directories, kept].map(
        (path) => `io.katacontainers.volume.overlayfs.create_directory=${path}`,
      ),
    };
    const held = await made().add([asked], "c7");
    mkdirSync(join(asked.mountPoint, "new/deep", "d/".repeat(200)), { recursive: true });
    writeFileSync(join(asked.mountPoint, "new/deep/file"), "written");
    symlinkSync("/etc", join(asked.mountPoint, "new/link"));
    writeFileSync(join(kept, "file"), "");
    await held[Symbol.asyncDispose]();
    expect(existsSync(`${STATE}/c7`)).toBe(false);
    expect(existsSync(join(kept, "file"))).toBe(true);
    expect(existsSync("/etc/passwd")).toBe(true);
    expect(made().warnings).toEqual([]);
  });

  test("leaves alone what others have mounted in the container's own directory", async () => {
    const disk = filled();
    const at = `${STATE}/c7/disk`;
    const asked = {
      ...overlay(`upperdir=${at}/fs`, `workdir=${at}/work`),
      driverOptions: ["fs", "work"].map(
        (name) => `io.katacontainers.volume.overlayfs.create_directory=${at}/${name}`,
      ),
    };
    const below = storage({ driver: "bind", source: disk, mountPoint: at });
    const held = await made().add([below, asked], "c7");
    writeFileSync(join(asked.mountPoint, "new"), "written");
    await held[Symbol.asyncDispose]();
    expect(readFileSync(join(disk, "fs/new"), "utf8")).toBe("written");
  });

  test("of the pod leaves the directories of all containers as they are", async () => {
    const path = `${STATE}/undefined/fs`;
    const create = `io.katacontainers.volume.overlayfs.create_directory=${path}`;
    await made().storages.addForPod([{ ...overlay(), driverOptions: [create] }], CALLER);
    writeFileSync(join(path, "file"), "written");
    await made().storages.end();
    expect(existsSync(join(path, "file"))).toBe(true);
    rmSync(`${STATE}/undefined`, { recursive: true });
  });

  test("with overlay-rw needs a container", async () => {
    const before = seen();
    const asked = overlay("io.katacontainers.fs-opt.overlay-rw");
    await expect(made().storages.addForPod([asked], CALLER)).rejects.toThrow(
      "No container id in rw overlay",
    );
    expect(seen().mounts).toEqual(before.mounts);
  });

  test("has as many layers as fit into a page of options", async () => {
    const layers = Array.from({ length: 40 }, () => filled());
    writeFileSync(join(layers[39] ?? "", "last"), "");
    const asked = { ...overlay(), options: [`lowerdir=${layers.join(":")}`] };
    await using _ = await made().add([asked]);
    expect(existsSync(join(asked.mountPoint, "last"))).toBe(true);
  });
});

describeWithStorages("fsGroup", (made) => {
  const GROUP = 1234;
  const ALWAYS = 0;
  const ON_ROOT_MISMATCH = 1;
  const give = async (source: string, groupChangePolicy = ALWAYS, ...options: string[]) => {
    const fsGroup = { groupId: GROUP, groupChangePolicy };
    const asked = { ...bind(...options), source, fsGroup };
    await (await made().add([asked]))[Symbol.asyncDispose]();
  };
  const modeOf = (path: string) => (lstatSync(path).mode & 0o7777).toString(8);
  const groupOf = (path: string) => lstatSync(path).gid;

  test("is given all files and may read and write them, and follows no link", async () => {
    const [source, outside] = [filled(), filled()];
    mkdirSync(join(source, "inner/deep"), { recursive: true });
    writeFileSync(join(source, "inner/deep/program"), "");
    chmodSync(join(source, "inner/deep/program"), 0o4711);
    chmodSync(join(source, "file"), 0o600);
    symlinkSync(outside, join(source, "link"));
    symlinkSync(join(outside, "file"), join(source, "inner/link"));
    symlinkSync("/nowhere", join(source, "dangling"));
    Bun.spawnSync(["mkfifo", join(source, "fifo")]);
    await give(source);
    const inside = ["", "file", "inner", "inner/deep", "inner/deep/program", "fifo"];
    expect(inside.map((path) => modeOf(join(source, path)))).toEqual([
      "2775",
      "660",
      "2775",
      "2775",
      "4771",
      "664",
    ]);
    expect(inside.map((path) => groupOf(join(source, path)))).toEqual(inside.map(() => GROUP));
    expect([outside, join(outside, "file"), join(source, "link")].map(groupOf)).toEqual([0, 0, 0]);
  });

  test("is not given a volume that is read-only, which is told", async () => {
    const source = filled();
    await give(source, ALWAYS, "ro");
    expect(groupOf(join(source, "file"))).toBe(0);
    expect(made().warnings).toEqual([expect.stringContaining("a read-only storage keeps")]);
  });

  test("of one that is right, by its group and modes, costs a look", async () => {
    const source = filled();
    for (const path of ["", "file"]) {
      Bun.spawnSync(["chgrp", `${GROUP}`, join(source, path)]);
      chmodSync(join(source, path), 0o2770);
    }
    const before = statSync(join(source, "file")).ctimeMs;
    await give(source);
    expect(statSync(join(source, "file")).ctimeMs).toBe(before);
  });

  test("is left alone by OnRootMismatch where the root is as it should be", async () => {
    const source = filled();
    await give(source);
    Bun.spawnSync(["chgrp", "0", join(source, "file")]);
    await give(source, ON_ROOT_MISMATCH);
    expect(groupOf(join(source, "file"))).toBe(0);
    chmodSync(source, 0o755);
    await give(source, ON_ROOT_MISMATCH);
    expect(groupOf(join(source, "file"))).toBe(GROUP);
  });

  test("is given nothing outside while directories and links change places", async () => {
    const [source, outside] = [filled(), filled()];
    for (let i = 0; i < 200; i++) {
      mkdirSync(join(source, `d${i}`));
      writeFileSync(join(source, `d${i}/file`), "");
    }
    linkSync(join(source, "file"), join(source, "hard"));
    const race = async () => {
      for (let i = 0; i < 300; i++) {
        const path = join(source, `d${i % 200}`);
        renameSync(path, join(source, "away"));
        symlinkSync(outside, path);
        await new Promise((resolve) => void setImmediate(resolve));
        rmSync(path);
        renameSync(join(source, "away"), path);
      }
    };
    await Promise.all([race(), give(source)]);
    expect([outside, join(outside, "file")].map(groupOf)).toEqual([0, 0]);
    expect(statSync(source).gid).toBe(GROUP);
  });
});
