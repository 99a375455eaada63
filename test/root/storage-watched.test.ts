// Volumes that are watched: what a host changes as Kubernetes does is seen in the copy, at once and whole.
import { beforeEach, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statfsSync,
  symlinkSync,
  utimesSync,
  watch,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../../src/async/until.ts";
import { MAGIC } from "../../src/linux/constants.ts";
import { STATE, describeWithStorages, mountedAt, seen, storage } from "../support/storages.ts";

const ROOT = `${STATE}/shared/containers/watchable`;
const SEEN_IN_MS = 5000;

let serial = 0;

describeWithStorages("a watched volume", (made) => {
  let source = "";
  let target = "";
  const at = (path: string) => join(target, path);

  beforeEach(() => {
    source = mkdtempSync(join(tmpdir(), "volume-"));
    target = `${ROOT}/${++serial}`;
  });

  const asked = (path = source) =>
    storage({ driver: "watchable-bind", source: path, mountPoint: target });

  /** As kubelet writes a ConfigMap: a new directory, one rename, links that lead through it. */
  function publish(version: string, files: Readonly<Record<string, string>>): void {
    mkdirSync(join(source, `..${version}`), { mode: 0o755 });
    for (const [name, text] of Object.entries(files))
      writeFileSync(join(source, `..${version}`, name), text);
    const before = existsSync(join(source, "..data"))
      ? readlinkSync(join(source, "..data"))
      : undefined;
    symlinkSync(`..${version}`, join(source, "..data_tmp"));
    renameSync(join(source, "..data_tmp"), join(source, "..data"));
    for (const name of Object.keys(files))
      if (!existsSync(join(source, name))) symlinkSync(`..data/${name}`, join(source, name));
    if (before !== undefined) rmSync(join(source, before), { recursive: true });
  }

  const untilSeen = async (check: () => boolean) => {
    expect(await until(check, SEEN_IN_MS)).toBe(true);
  };
  const tryRead = (path: string): string => {
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      return String(error);
    }
  };

  test("is copied with modes, owners, links and directories, in a tmpfs", async () => {
    mkdirSync(join(source, "A/B"), { recursive: true });
    mkdirSync(join(source, "A/C"), { mode: 0o710 });
    writeFileSync(join(source, "1.txt"), "one", { mode: 0o640 });
    writeFileSync(join(source, "A/B/1.txt"), "deep");
    symlinkSync("/nowhere", join(source, "link"));
    chownSync(join(source, "1.txt"), 1000, 2000);
    chmodSync(join(source, "A/B/1.txt"), 0o4755);
    spawnSync("mkfifo", [join(source, "fifo")]);
    const held = await made().add([asked()]);
    expect(statfsSync(target).type).toBe(MAGIC.TMPFS);
    expect(readdirSync(target).toSorted()).toEqual(["1.txt", "A", "link"]);
    const { mode, uid, gid } = lstatSync(at("1.txt"));
    expect([mode, uid, gid]).toEqual([0o100640, 1000, 2000]);
    expect(lstatSync(at("A/C")).mode).toBe(0o040710);
    expect(lstatSync(at("A/B/1.txt")).mode).toBe(0o104755);
    expect([readFileSync(at("A/B/1.txt"), "utf8"), readlinkSync(at("link"))]).toEqual([
      "deep",
      "/nowhere",
    ]);
    await held[Symbol.asyncDispose]();
    expect(existsSync(target)).toBe(false);
    expect(readdirSync(source)).toHaveLength(4);
  });

  test("follows what is changed, made, replaced by another kind, and removed", async () => {
    writeFileSync(join(source, "f"), "1");
    mkdirSync(join(source, "d"));
    writeFileSync(join(source, "d/x"), "x");
    await made().add([asked()]);
    writeFileSync(join(source, "f"), "2");
    await untilSeen(() => tryRead(at("f")) === "2");
    // Neither its time nor its size tells of this.
    const { atimeMs, mtimeMs } = lstatSync(join(source, "f"));
    writeFileSync(join(source, "f"), "3");
    utimesSync(join(source, "f"), atimeMs / 1000, mtimeMs / 1000);
    await untilSeen(() => tryRead(at("f")) === "3");
    chmodSync(join(source, "f"), 0o600);
    await untilSeen(() => lstatSync(at("f")).mode === 0o100600);
    chownSync(join(source, "d"), 5, 6);
    await untilSeen(() => lstatSync(at("d")).uid === 5);
    writeFileSync(join(source, "new"), "new");
    await untilSeen(() => tryRead(at("new")) === "new");
    rmSync(join(source, "d"), { recursive: true });
    writeFileSync(join(source, "d"), "a file");
    await untilSeen(() => tryRead(at("d")) === "a file");
    rmSync(join(source, "f"));
    mkdirSync(join(source, "f/g"), { recursive: true });
    await untilSeen(() => existsSync(at("f/g")));
    rmSync(join(source, "f"), { recursive: true });
    rmSync(join(source, "new"));
    await untilSeen(() => readdirSync(target).join() === "d");
    expect(made().warnings).toEqual([]);
  });

  test("changed 300 times as Kubernetes does it is never seen torn, and in the end as it is", async () => {
    publish("0", { a: "0", b: "0" });
    await made().add([asked()]);
    // Both keys are read through one directory: what a program does that wants them to fit.
    const script = `import os, sys
while True:
    try: d = os.open("${target}/..data", os.O_RDONLY)
    except OSError as e: print("no data", e); sys.exit(1)
    try:
        a = open(os.open("a", os.O_RDONLY, dir_fd=d)).read()
        b = open(os.open("b", os.O_RDONLY, dir_fd=d)).read()
        if a != b or a == "": print("torn", a, b); sys.exit(1)
    except FileNotFoundError: pass
    os.close(d)`;
    const reader = Bun.spawn(["python3", "-c", script], { stdout: "pipe", stderr: "inherit" });
    let versions = 0;
    for (let i = 1; i <= 300; i++) {
      publish(`${i}`, { a: `${i}`.repeat(3000), b: `${i}`.repeat(3000) });
      if (i % 10 !== 0) continue;
      await untilSeen(() => tryRead(at("a")) === `${i}`.repeat(3000));
      versions += 1;
    }
    expect(versions).toBe(30);
    reader.kill();
    expect(await new Response(reader.stdout).text()).toBe("");
    await untilSeen(() => readdirSync(target).length === 4);
    expect(made().warnings).toEqual([]);
  }, 60_000);

  test("tells who waits for a change by inotify", async () => {
    publish("1", { key: "old" });
    await made().add([asked()]);
    const { promise, resolve } = Promise.withResolvers<string>();
    const watcher = watch(target, (_, name) => {
      if (name === "..data") resolve(readFileSync(at("key"), "utf8"));
    });
    publish("2", { key: "new" });
    expect(await promise).toBe("new");
    watcher.close();
  });

  test("that is one file is changed where it is: whoever has mounted it sees it", async () => {
    const file = join(source, "key");
    writeFileSync(file, "a long first text");
    await made().add([asked(file)]);
    const { ino } = lstatSync(target);
    writeFileSync(file, "short");
    await untilSeen(() => tryRead(target) === "short");
    expect(lstatSync(target).ino).toBe(ino);
  });

  test.each([
    ["17 entries", () => Array.from({ length: 16 }, (_, i) => [`f${i}`, "x"] as const)],
    ["more than a mebibyte", () => [["f", "x".repeat((1 << 20) + 1)] as const]],
  ])("of %s is shown as it is, and the source stays when it ends", async (_, files) => {
    for (const [name, text] of files()) writeFileSync(join(source, name), text);
    const held = await made().add([asked()]);
    expect(mountedAt(target)).toBe(1);
    expect(made().warnings.join()).toContain("is not watched but shown as it is");
    writeFileSync(join(source, "later"), "");
    expect(existsSync(at("later"))).toBe(true);
    await held[Symbol.asyncDispose]();
    expect(readdirSync(source)).toHaveLength(files().length + 1);
    expect(mountedAt(ROOT)).toBe(0);
  });

  test.each([
    ["16 entries", () => Array.from({ length: 15 }, (_, i) => [`f${i}`, "x"] as const)],
    ["a mebibyte", () => [["f", "x".repeat(1 << 20)] as const]],
  ])("of %s is copied", async (_, files) => {
    for (const [name, text] of files()) writeFileSync(join(source, name), text);
    await made().add([asked()]);
    expect(mountedAt(target)).toBe(0);
    expect(readdirSync(target)).toHaveLength(files().length);
  });

  test("that grows too large is shown as it is from then on", async () => {
    writeFileSync(join(source, "f"), "small");
    const held = await made().add([asked()]);
    writeFileSync(join(source, "g"), "x".repeat(2 << 20));
    await untilSeen(() => mountedAt(target) === 1);
    expect(lstatSync(at("g")).size).toBe(2 << 20);
    await held[Symbol.asyncDispose]();
    expect(readdirSync(source).toSorted()).toEqual(["f", "g"]);
  });

  test("whose source goes away stays as it was, with one warning", async () => {
    writeFileSync(join(source, "f"), "kept");
    await made().add([asked()]);
    renameSync(source, `${source}-away`);
    await untilSeen(() => made().warnings.length > 0);
    expect(readFileSync(at("f"), "utf8")).toBe("kept");
    renameSync(`${source}-away`, source);
    writeFileSync(join(source, "f"), "again");
    await untilSeen(() => tryRead(at("f")) === "again");
    expect(made().warnings).toHaveLength(1);
    expect(made().warnings[0]).toContain("ENOENT");
  });

  test("does not lead the agent out by links that a container puts into the copy", async () => {
    const outside = mkdtempSync(join(tmpdir(), "outside-"));
    writeFileSync(join(outside, "f"), "untouched");
    mkdirSync(join(source, "d"));
    writeFileSync(join(source, "d/f"), "1");
    const held = await made().add([asked()]);
    rmSync(at("d"), { recursive: true });
    symlinkSync(outside, at("d"));
    writeFileSync(join(source, "d/f"), "2");
    await untilSeen(() => made().warnings.length > 0);
    rmSync(join(source, "d/f"));
    await held[Symbol.asyncDispose]();
    expect(readFileSync(join(outside, "f"), "utf8")).toBe("untouched");
  });

  test("without a source is refused, and nothing is left", async () => {
    const before = seen();
    await expect(made().add([asked("/nowhere")])).rejects.toThrow("ENOENT");
    expect(seen().mounts).toEqual(before.mounts);
  });

  test.each([`${STATE}/x`, `${ROOT}/a/b`, `${STATE}/shared/containers/other/a`, ROOT])(
    "at the mount point %p is refused",
    async (mountPoint) => {
      await expect(made().add([{ ...asked(), mountPoint }])).rejects.toThrow(
        "nothing is watched there",
      );
    },
  );

  test("has the same root as the others, and with the last of them that goes", async () => {
    const passthrough = `${STATE}/shared/containers/passthrough/watchable/x`;
    const held = await made().add([asked(), { ...asked(), mountPoint: `${ROOT}/other` }]);
    await expect(made().add([{ ...asked(), mountPoint: passthrough }])).rejects.toThrow(
      "watchable mounts must use the same tmpfs root",
    );
    expect(mountedAt(ROOT)).toBe(1);
    await held[Symbol.asyncDispose]();
    expect(mountedAt(ROOT)).toBe(0);
    await made().add([{ ...asked(), mountPoint: passthrough }]);
  });

  test("of the pod, of which no container is, is nothing", async () => {
    const held = await made().storages.add([asked()], { signal: new AbortController().signal });
    expect(existsSync(target)).toBe(false);
    await held[Symbol.asyncDispose]();
  });
});
