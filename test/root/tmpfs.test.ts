// What a tmpfs takes over from the directory that it covers: its mode, and with `tmpcopyup` what is in
// it.
import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeWithEngine } from "../support/engine.ts";

const HOST = 100_000;
const MAP = [{ containerID: 0, hostID: HOST, size: 65_536 }];
const NAMESPACES = ["mount", "ipc", "uts", "user"].map((type) => ({ type }));

describeWithEngine("a tmpfs", (engine) => {
  const tmpfs = (destination: string, ...options: string[]) => ({
    destination,
    type: "tmpfs",
    source: "tmpfs",
    options,
  });

  function filledRootfs(): string {
    const rootfs = engine().rootfs();
    const data = join(rootfs, "data");
    mkdirSync(join(data, "inner/deep"), { recursive: true });
    chmodSync(data, 0o1751);
    writeFileSync(join(data, "file"), "x".repeat(100_000));
    writeFileSync(join(data, "empty"), "");
    writeFileSync(join(data, "inner/deep/program"), "#!/bin/sh\necho ran\n");
    chownSync(join(data, "inner/deep/program"), 1000, 1001);
    chmodSync(join(data, "inner/deep/program"), 0o4755);
    chmodSync(join(data, "inner"), 0o700);
    symlinkSync("/etc/passwd", join(data, "link"));
    spawnSync("mkfifo", [join(data, "fifo")]);
    return rootfs;
  }

  const LOOK = [
    "stat -c '%a %u:%g %s %F' /data/file /data/empty /data/inner /data/inner/deep/program | sed 's/ [0-9]* dir/ dir/'",
    "readlink /data/link; /data/inner/deep/program; ls /data; stat -c %a /data",
    "grep -c ' /data tmpfs ' /proc/mounts; touch /data/new",
  ].join("; ");
  const SEEN = [
    "644 0:0 100000 regular file",
    "644 0:0 0 regular empty file",
    "700 0:0 directory",
    "4755 1000:1001 19 regular file",
    "/etc/passwd",
    "ran",
    "empty",
    "file",
    "inner",
    "link",
    "1751",
    "1",
  ];

  test("has the mode of the directory, unless it is told one, or there was none", async () => {
    const root = { path: filledRootfs() };
    const mounts = [tmpfs("/data"), tmpfs("/etc", "mode=700"), tmpfs("/none")];
    expect(await engine().lines("stat -c %a /data /etc /none", { root, mounts })).toEqual([
      "1751",
      "700",
      "1777",
    ]);
  });

  test("with tmpcopyup is filled with what the directory holds, and leaves that as it is", async () => {
    const root = { path: filledRootfs() };
    const mounts = [tmpfs("/data", "tmpcopyup")];
    expect(await engine().lines(LOOK, { root, mounts })).toEqual(SEEN);
    expect(spawnSync("ls", [join(root.path, "data")]).stdout.toString()).not.toContain("new");
  });

  test("with tmpcopyup is so in a user namespace", async () => {
    const root = { path: filledRootfs() };
    // Keeps the set-id bit, as chown by path does not.
    spawnSync("sh", ["-c", `chown -Rh ${HOST}:${HOST} "$0"`, root.path]);
    const program = join(root.path, "data/inner/deep/program");
    chownSync(program, HOST + 1000, HOST + 1001);
    chmodSync(program, 0o4755);
    const mounts = [tmpfs("/data", "tmpcopyup")];
    const linux = { namespaces: NAMESPACES, uidMappings: MAP, gidMappings: MAP };
    expect(await engine().lines(LOOK, { root, mounts, linux })).toEqual(SEEN);
  });

  test("with tmpcopyup and ro is filled first", async () => {
    const root = { path: filledRootfs() };
    const mounts = [tmpfs("/data", "tmpcopyup", "ro")];
    const script = "cat /data/file | wc -c; touch /data/new 2>/dev/null || echo refused";
    expect(await engine().lines(script, { root, mounts })).toEqual(["100000", "refused"]);
  });

  test("with tmpcopyup follows no link out of the image, to look or to copy", async () => {
    const root = { path: engine().rootfs() };
    writeFileSync(join(engine().directory, "secret"), "secret");
    symlinkSync(engine().directory, join(root.path, "data"));
    const mounts = [tmpfs("/data", "tmpcopyup")];
    const script = `ls /data; test -e ${engine().directory}/secret || echo nothing`;
    expect(await engine().lines(script, { root, mounts })).toEqual(["nothing"]);
  });

  test.each([
    ["more than the tmpfs holds", ["size=64k"], "copy /data/file: ENOSPC"],
    ["an entry too many", [], 'tmpcopyup of the mount "/data": too many entries'],
  ])("with tmpcopyup is refused %s", async (what, options, words) => {
    const root = { path: filledRootfs() };
    if (what === "an entry too many")
      for (let i = 0; i < 4096; i++) writeFileSync(join(root.path, `data/${i}`), "");
    const mounts = [tmpfs("/data", "tmpcopyup", ...options)];
    await expect(engine().lines("true", { root, mounts })).rejects.toThrow(words);
  });
});
