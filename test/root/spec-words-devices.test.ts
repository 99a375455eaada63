// /dev: the default devices and links, and `linux.devices`.
import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Wanted, linesOf } from "../support/container.ts";
import { describeWithAgent } from "../support/with-agent.ts";

/** Of each name: kind, mode, owner, group, major and minor in hexadecimal. */
const look = (...names: string[]) => `stat -c '%F %a %u %g %t:%T' ${names.join(" ")}`;

const DEFAULTS = ["null", "zero", "full", "random", "urandom", "tty"].map((name) => `/dev/${name}`);
const CHARACTER = "character special file";

/** Nothing is mounted but /proc: /dev is the image's. */
const PROC_ONLY: Wanted = {
  spec: { Mounts: [] },
  mounts: [{ destination: "/proc", type: "proc", source: "proc" }],
  linux: { MaskedPaths: [], ReadonlyPaths: [] },
};

describeWithAgent("the default devices", (agent) => {
  const numbers = ["1:3", "1:5", "1:7", "1:8", "1:9", "5:0"];
  const expected = numbers.map((number) => `${CHARACTER} 666 0 0 ${number}`);

  test("are there, for everybody", async () => {
    expect(await linesOf(agent(), look(...DEFAULTS))).toEqual(expected);
  });

  test("do what they are for", async () => {
    const script = `wc -c < /dev/null; head -c 3 /dev/zero | od -An -tx1; head -c 5 /dev/urandom | wc -c
      (echo x > /dev/full) 2>&1; echo gone > /dev/null`;
    const [empty, zeros, random, full] = await linesOf(agent(), script);
    expect([empty, zeros?.trim(), random]).toEqual(["0", "00 00 00", "5"]);
    expect(full).toContain("No space left on device");
  });

  test("are made in the image where no /dev is mounted, in the place of whatever is there (D14)", async () => {
    const rootfs = agent().rootfs();
    mkdirSync(join(rootfs, "dev"));
    writeFileSync(join(rootfs, "dev/null"), "a file");
    symlinkSync("/etc/passwd", join(rootfs, "dev/zero"));
    symlinkSync("/nowhere", join(rootfs, "dev/full"));
    writeFileSync(join(rootfs, "dev/stdout"), "a file");
    const wanted = { ...PROC_ONLY, rootfs };
    expect(await linesOf(agent(), look(...DEFAULTS), wanted)).toEqual(expected);
    const script = "cat /etc/passwd; readlink /dev/stdout";
    const lines = await linesOf(agent(), script, wanted);
    expect(lines[0]).toStartWith("root:");
    expect(lines.at(-1)).toBe("/proc/self/fd/1");
  });

  test("are none of the guest's", async () => {
    const lines = await linesOf(agent(), "ls /dev");
    const own = ["console", "core", "fd", "full", "kcore", "mqueue", "null", "ptmx", "pts"];
    own.push("random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero");
    expect(own).toEqual(expect.arrayContaining(lines));
  });
});

describeWithAgent("the links in /dev", (agent) => {
  test("lead to the process's own descriptors and to the container's terminals", async () => {
    const links = {
      fd: "/proc/self/fd",
      stdin: "/proc/self/fd/0",
      stdout: "/proc/self/fd/1",
      stderr: "/proc/self/fd/2",
      core: "/proc/kcore",
      kcore: "/proc/kcore",
      ptmx: "pts/ptmx",
    };
    const script = Object.keys(links)
      .map((name) => `readlink /dev/${name}`)
      .join(";");
    expect(await linesOf(agent(), script)).toEqual(Object.values(links));
  });

  test("leave a directory of the image's as it is", async () => {
    const rootfs = agent().rootfs();
    mkdirSync(join(rootfs, "dev/fd"), { recursive: true });
    const lines = await linesOf(agent(), "stat -c %F /dev/fd", { ...PROC_ONLY, rootfs });
    expect(lines).toEqual(["directory"]);
  });
});

describeWithAgent("linux.devices", (agent) => {
  const withDevices = (
    ...Devices: NonNullable<NonNullable<Wanted["linux"]>["Devices"]>
  ): Wanted => ({
    linux: { Devices },
  });
  const device = (Path: string, Type: string, Major: number, Minor: number, more = {}) => ({
    Path,
    Type,
    Major: BigInt(Major),
    Minor: BigInt(Minor),
    ...more,
  });

  test("are of each type, with mode and owner", async () => {
    const wanted = withDevices(
      device("/dev/fuse", "c", 10, 229, { FileMode: 0o600, UID: 5, GID: 6 }),
      device("/dev/disk", "b", 254, 17, { FileMode: 0o660 }),
      device("/dev/raw", "u", 1, 3, { FileMode: 0o640, GID: 7 }),
      device("/dev/pipe", "p", 0, 0, { FileMode: 0o622, UID: 8 }),
    );
    const script = look("/dev/fuse", "/dev/disk", "/dev/raw", "/dev/pipe");
    expect(await linesOf(agent(), script, wanted)).toEqual([
      `${CHARACTER} 600 5 6 a:e5`,
      "block special file 660 0 0 fe:11",
      `${CHARACTER} 640 0 7 1:3`,
      "fifo 622 8 0 0:0",
    ]);
  });

  test("are for everybody where no mode is given", async () => {
    const wanted = withDevices(device("/dev/any", "c", 1, 3));
    expect(await linesOf(agent(), look("/dev/any"), wanted)).toEqual([`${CHARACTER} 666 0 0 1:3`]);
  });

  test("have large numbers in full", async () => {
    const wanted = withDevices(device("/dev/large", "c", 4095, 1_048_575));
    const lines = await linesOf(agent(), look("/dev/large"), wanted);
    expect(lines).toEqual([`${CHARACTER} 666 0 0 fff:fffff`]);
  });

  test("may be in a directory of /dev that is not there yet", async () => {
    const wanted = withDevices(device("/dev/net/deep/tun", "c", 10, 200, { FileMode: 0o600 }));
    const lines = await linesOf(agent(), look("/dev/net/deep/tun"), wanted);
    expect(lines).toEqual([`${CHARACTER} 600 0 0 a:c8`]);
  });

  test("take the place of a default, but /dev/ptmx stays the container's own (D14)", async () => {
    const wanted = withDevices(
      device("/dev/null", "c", 1, 5, { FileMode: 0o600 }),
      device("/dev/ptmx", "c", 5, 2),
    );
    const script = `${look("/dev/null")}; readlink /dev/ptmx`;
    expect(await linesOf(agent(), script, wanted)).toEqual([
      `${CHARACTER} 600 0 0 1:5`,
      "pts/ptmx",
    ]);
  });

  test.each([
    ["/etc/device", "c", "is not a valid device path"],
    ["/dev", "c", "is not a valid device path"],
    ["/dev/../etc/x", "c", "is not a valid device path"],
    ["dev/x", "c", "is not a valid device path"],
    ["/dev/x", "z", "invalid linux.devices[0].type"],
    ["/dev/null/x", "c", "ENOTDIR"],
  ])("are refused in the wrong place or of no type: %s %s", async (path, type, words) => {
    const wanted = withDevices(device(path, type, 1, 3));
    await expect(linesOf(agent(), "true", wanted)).rejects.toThrow(words);
  });

  test("are not made where /dev is the guest's own", async () => {
    const guest = readdirSync("/dev");
    const mounts = [
      ...(PROC_ONLY.mounts ?? []),
      { destination: "/dev", type: "bind", source: "/dev", options: ["rbind"] },
    ];
    const { linux } = withDevices(device("/dev/kata-agent-test", "c", 1, 3));
    await linesOf(agent(), "true", {
      ...PROC_ONLY,
      mounts,
      linux: { ...PROC_ONLY.linux, ...linux },
    });
    expect(readdirSync("/dev")).toEqual(guest);
  });
});
