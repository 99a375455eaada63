// Images that try to lead the agent out of the container: it works as root with the guest's whole tree
// in sight. Nothing outside may be touched or read, and what cannot be done must be said.
import { spawnSync } from "node:child_process";
import { beforeEach, expect, test } from "bun:test";
import {
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { TestAgent } from "../support/agent.ts";
import { type Outcome, type Wanted, idleContainer, linesOf, sh } from "../support/container.ts";
import { describeWithAgent } from "../support/with-agent.ts";

/** Each of many containers and processes is one that fails or starts. */
const LONG_MS = 30_000;

const NONE: Wanted = { spec: { Mounts: [] }, linux: { MaskedPaths: [], ReadonlyPaths: [] } };
const PROC = { destination: "/proc", type: "proc", source: "proc" };

/** Everything below a directory: kind, mode, owner, content, and when it was last changed. */
function contentsOf(directory: string): string[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    const { mode, uid, gid, mtimeMs, rdev } = lstatSync(path);
    const kind = mode & 0o170000;
    const content =
      kind === 0o120000 ? readlinkSync(path) : kind === 0o100000 ? readFileSync(path, "utf8") : "";
    const line = [path, mode.toString(8), uid, gid, rdev, mtimeMs, content].join(" ");
    return kind === 0o040000 ? [line, ...contentsOf(path)] : [line];
  });
}

/** A directory of the guest's, beside the root file systems, with one of each thing to lose. */
function makeOutside(agent: TestAgent): string {
  const outside = join(agent.directory, "outside");
  rmSync(outside, { recursive: true, force: true });
  for (const name of ["bin", "pts", "net", "self", "sys/kernel", "fs/cgroup", "firmware"]) {
    mkdirSync(join(outside, name), { recursive: true });
  }
  for (const name of ["null", "console", "file", "hosts", "resolv.conf", "sys/kernel/msgmax"]) {
    writeFileSync(join(outside, name), `sentinel ${name}\n`);
  }
  writeFileSync(join(outside, "passwd"), "root:x:0:0:root:/stolen:/bin/sh\n");
  writeFileSync(join(outside, "bin/tool"), "#!/bin/sh\necho stolen\n", { mode: 0o755 });
  return outside;
}

describeWithAgent("an image with hostile links", (agent) => {
  let outside = "";
  let before: string[] = [];
  let rootfs = "";

  beforeEach(() => {
    outside = makeOutside(agent());
    before = contentsOf(outside);
    rootfs = agent().rootfs();
  });

  /** By name: the ways out that a link at `path` may try. */
  const WAYS = ["absolute", "by ..", "by a chain", "by /proc"] as const;

  function link(path: string, way: (typeof WAYS)[number], to = ""): void {
    const at = join(rootfs, path);
    mkdirSync(dirname(at), { recursive: true });
    rmSync(at, { recursive: true, force: true });
    const up = "../".repeat(path.split("/").length + 10);
    const target = join(outside, to);
    if (way === "absolute") symlinkSync(target, at);
    else if (way === "by ..") symlinkSync(`${up}${target.slice(1)}`, at);
    else if (way === "by /proc") symlinkSync(`/proc/1/root${target}`, at);
    else {
      symlinkSync(`${at.slice(rootfs.length)}-next`, at);
      symlinkSync(`${up}${target.slice(1)}`, `${at}-next`);
    }
  }

  /** What comes of it: the outcome, or why there is none. Outside all is as it was. */
  async function tried(script: string, wanted: Wanted): Promise<Outcome | string> {
    let result: Outcome | string;
    try {
      result = await sh(agent(), script, { rootfs, ...wanted });
    } catch (error) {
      result = error instanceof Error ? error.message : String(error);
      // The step and its errno, or a rule that the spec breaks: nothing less.
      expect(result).toMatch(/^.+: E[A-Z0-9]+: .+$|because it is inside \/proc$/);
    }
    expect(contentsOf(outside)).toEqual(before);
    return result;
  }

  const places = [
    "proc",
    "sys",
    "dev",
    "etc",
    "tmp",
    "dev/pts",
    "dev/shm",
    "sys/fs",
    "sys/fs/cgroup",
  ];

  test.each(places.flatMap((place) => WAYS.map((way) => [place, way] as const)))(
    "/%s, %s, lead nowhere outside an ordinary container",
    async (place, way) => {
      link(place, way);
      const mounts = [
        { destination: "/etc/hosts", type: "bind", source: "/etc/hostname", options: ["bind"] },
        { destination: "/tmp/deep/down", type: "tmpfs", source: "tmpfs" },
      ];
      const linux = { Devices: [{ Path: "/dev/net/tun", Type: "c", Major: 10n, Minor: 200n }] };
      const result = await tried("echo runs", { mounts, linux, process: { Cwd: "/tmp/made" } });
      if (typeof result !== "string") expect(result).toMatchObject({ status: 0, stdout: "runs\n" });
    },
  );

  test.each(["proc", "sys"])(
    "/%s is not mounted at the end of a link: the image could play it (D11, CVE-2019-16884, CVE-2019-19921, CVE-2023-27561, CVE-2023-28642)",
    async (at) => {
      mkdirSync(join(rootfs, "elsewhere"));
      symlinkSync("/elsewhere", join(rootfs, at));
      expect(await tried("true", {})).toBe(`open /${at}: ELOOP: Too many levels of symbolic links`);
    },
  );

  test.each(WAYS)(
    "at or above the destination of a mount, %s, stay inside (CVE-2020-2026, CVE-2024-45310)",
    async (way) => {
      link("data", way);
      link("above", way);
      const source = join(agent().directory, "volume");
      mkdirSync(source, { recursive: true });
      const mounts = ["/data", "/above/made/here"].flatMap((destination) => [
        { destination, type: "bind", source, options: ["rbind"] },
        { destination, type: "tmpfs", source: "tmpfs" },
      ]);
      await tried("touch /data/x /above/made/here/x", { ...NONE, mounts: [PROC, ...mounts] });
    },
  );

  test("below a mount of the guest's own are not followed out of the container either", async () => {
    const volume = join(agent().directory, "hostile-volume");
    rmSync(volume, { recursive: true, force: true });
    mkdirSync(volume);
    symlinkSync(outside, join(volume, "out"));
    symlinkSync("../../../../../../../..", join(volume, "up"));
    const mounts = [
      { destination: "/volume", type: "bind", source: volume, options: ["rbind"] },
      { destination: "/volume/out/made", type: "tmpfs", source: "tmpfs" },
      {
        destination: `/volume/up${outside}/file`,
        type: "bind",
        source: "/etc/hostname",
        options: ["bind"],
      },
    ];
    await tried("true", { mounts });
  });

  test.each([
    "/proc/self/root/m",
    "/proc/1/cwd/m",
    "/proc/self/fd/3/m",
    "/proc/sys/kernel",
    "/proc/self",
  ])("%s is no place for a mount", async (destination) => {
    const result = await tried("true", { mounts: [{ destination, type: "tmpfs" }] });
    expect(typeof result).toBe("string");
  });

  test.each(WAYS)("above a device, %s, stay inside", async (way) => {
    link("dev/net", way, "net");
    const Devices = [{ Path: "/dev/net/tun", Type: "c", Major: 10n, Minor: 200n, UID: 5 }];
    await tried("true", { ...NONE, mounts: [PROC], linux: { ...NONE.linux, Devices } });
  });

  test.each(WAYS)(
    "in the place of devices and of the console, %s, give way (CVE-2025-52565)",
    async (way) => {
      for (const name of ["null", "zero", "console", "fd", "stdout"])
        link(`dev/${name}`, way, "null");
      const mounts = [
        PROC,
        { destination: "/dev/pts", type: "devpts", source: "devpts", options: ["newinstance"] },
      ];
      const script = "echo x > /dev/null; echo y > /dev/console; stat -c %t:%T /dev/null";
      await tried(script, { ...NONE, mounts });
      await tried(script, { ...NONE, mounts, process: { Terminal: true } });
    },
  );

  test("lead to what has that name inside, if anything", async () => {
    link("data", "absolute");
    mkdirSync(join(rootfs, outside), { recursive: true });
    const mounts = [{ destination: "/data/made", type: "tmpfs", source: "tmpfs" }];
    const result = await tried("grep -o '/outside/made' /proc/self/mountinfo", { mounts });
    expect(result).toMatchObject({ stdout: "/outside/made\n" });
  });

  test("of things that are none, such as a terminal that is a file, are refused", async () => {
    mkdirSync(join(rootfs, "dev/pts"), { recursive: true });
    writeFileSync(join(rootfs, "dev/pts/ptmx"), "a file");
    const wanted = { ...NONE, mounts: [PROC], process: { Terminal: true } };
    expect(await tried("true", wanted)).toContain("unlock the terminal: ENOTTY");
    symlinkSync("/dev/ptmx", join(rootfs, "dev/pts/other"));
    rmSync(join(rootfs, "dev/pts/ptmx"));
    link("dev/pts/ptmx", "absolute", "console");
    expect(await tried("true", wanted)).toContain("open /dev/pts/ptmx: ELOOP");
  });

  test.each(WAYS)("in a masked and in a read-only path, %s, stay inside", async (way) => {
    link("secret", way);
    link("frozen", way);
    const linux = {
      MaskedPaths: ["/secret", "/secret/file", "/secret/bin"],
      ReadonlyPaths: ["/frozen", "/frozen/file"],
    };
    await tried("true", { linux });
    writeFileSync(join(outside, "file"), "still written\n");
    writeFileSync(join(outside, "bin/new"), "");
  });

  test.each(WAYS)("in the working directory, %s, stay inside", async (way) => {
    link("link", way);
    for (const Cwd of ["/link", "/link/bin", "/link/new/deep"]) {
      const result = await tried("pwd; ls", { process: { Cwd } });
      if (typeof result !== "string") expect(result.stdout).not.toContain("sentinel");
      await using container = await idleContainer(agent());
      const exec = await container.run(["cat", "file"], { Cwd }).catch(() => undefined);
      expect(exec?.stdout ?? "").not.toContain("sentinel");
    }
  });

  test(
    "of procfs as a working directory lead to no directory of the guest's (CVE-2024-21626)",
    async () => {
      await using container = await idleContainer(agent());
      const numbers = Array.from({ length: 40 }, (_, number) => number);
      for (const number of numbers) {
        const Cwd = `/proc/self/fd/${number}`;
        const script = "ls -d ../../../../../../../*; cat ../../../../../../proc/1/comm";
        const made = await sh(agent(), script, { process: { Cwd } }).catch(() => undefined);
        expect(made?.stdout ?? "").not.toContain(agent().directory);
        const exec = await container.run(["sh", "-c", script], { Cwd }).catch(() => undefined);
        if (exec === undefined) continue;
        expect(exec.stdout).toContain("sleep");
      }
    },
    LONG_MS,
  );

  test.each(WAYS)("in PATH and in the program, %s, find nothing outside", async (way) => {
    link("path", way, "bin");
    link("entry", way, "bin/tool");
    for (const args of [["tool"], ["/entry"], ["/path/tool"]]) {
      const process = { Args: args, Env: ["PATH=/path"] };
      const result = await tried("", { process });
      expect(result).toMatch(/^the file .* was not found: /);
    }
  });

  test.each(WAYS)(
    "in the place of /etc/passwd, %s, tell no home of the guest's users",
    async (way) => {
      link("etc/passwd", way, "passwd");
      const result = await tried("echo $HOME", {});
      expect(result).toMatchObject({ stdout: "/\n" });
    },
  );

  test("in the place of /etc/passwd, to what never ends or never begins, are no wait", async () => {
    rmSync(join(rootfs, "etc/passwd"));
    const home = async () => (await linesOf(agent(), "echo $HOME", { rootfs }))[0];
    spawnSync("mkfifo", [join(rootfs, "etc/passwd")]);
    expect(await home()).toBe("/");
    for (const target of ["/dev/zero", "/proc/kmsg", "passwd", "/etc"]) {
      rmSync(join(rootfs, "etc/passwd"));
      symlinkSync(target, join(rootfs, "etc/passwd"));
      expect(await home()).toBe("/");
    }
  });

  test("that lead to each other are an error", async () => {
    symlinkSync("b", join(rootfs, "a"));
    symlinkSync("a", join(rootfs, "b"));
    const mounts = [{ destination: "/a/m", type: "tmpfs", source: "tmpfs" }];
    expect(await tried("true", { mounts })).toContain("ELOOP: Too many levels of symbolic links");
  });
});
