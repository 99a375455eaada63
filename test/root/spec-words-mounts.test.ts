// `mounts`: every kind, in its order, on targets that are there and on targets that are not.
import { beforeAll, expect, test } from "bun:test";
import {
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { parseMountinfo } from "../../src/linux/mountinfo.ts";
import type { TestAgent } from "../support/agent.ts";
import { type MountChange, createContainer, linesOf } from "../support/container.ts";
import { inParallel } from "../support/in-parallel.ts";
import { describeWithAgent } from "../support/with-agent.ts";

async function mountsOf(agent: TestAgent, wanted: Parameters<typeof linesOf>[2]) {
  return parseMountinfo((await linesOf(agent, "cat /proc/self/mountinfo", wanted)).join("\n"));
}

const PROC = { destination: "/proc", type: "proc", source: "proc" };

describeWithAgent("mounts", (agent) => {
  test("are made in the order of the spec, of every kind", async () => {
    const kinds = ["proc", "tmpfs", "devpts", "tmpfs", "mqueue", "sysfs", "tmpfs"];
    const [root, ...others] = await mountsOf(agent(), {
      linux: { MaskedPaths: [], ReadonlyPaths: [] },
    });
    expect(root?.mountPoint).toBe("/");
    const isOwn = ({ mountPoint }: { mountPoint: string }) => !/cgroup\/./.test(mountPoint);
    expect(others.filter(isOwn).map(({ mountPoint, fstype }) => [mountPoint, fstype])).toEqual(
      ["/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys", "/sys/fs/cgroup"].map(
        (at, index) => [at, kinds[index] ?? ""],
      ),
    );
  });

  test("of proc show the container's own processes, of devpts its own terminals", async () => {
    const script = "cat /proc/1/comm; ls /dev/pts; stat -c '%a %g' /dev/pts/ptmx";
    expect(await linesOf(agent(), script)).toEqual(["sh", "ptmx", "666 0"]);
  });

  test("may cover each other: the last is seen", async () => {
    const mounts = ["first", "second"].map((source) => ({
      destination: "/m",
      type: "tmpfs",
      source,
    }));
    const shown = (await mountsOf(agent(), { mounts })).filter((each) => each.mountPoint === "/m");
    expect(shown.map(({ source }) => source)).toEqual(["first", "second"]);
  });

  test("of a devtmpfs show the guest's devices, and none is made there", async () => {
    const mounts = [PROC, { destination: "/dev", type: "devtmpfs", source: "devtmpfs" }];
    const before = readdirSync("/dev");
    const wanted = { spec: { Mounts: [] }, mounts, linux: { MaskedPaths: [], ReadonlyPaths: [] } };
    const lines = await linesOf(agent(), "ls /dev", wanted);
    expect(lines).toEqual(expect.arrayContaining(["null", "zero"]));
    expect(readdirSync("/dev")).toEqual(before);
  });

  test.each([
    [
      "an unknown file system",
      { destination: "/m", type: "nofs" },
      "open a new nofs for /m: ENODEV",
    ],
    [
      "a source that is not there",
      { destination: "/m", type: "bind", source: "/nowhere" },
      "clone /nowhere: ENOENT: No such file or directory",
    ],
    ["a relative destination", { destination: "m", type: "tmpfs" }, 'destination "m" is invalid'],
    ["the root", { destination: "/", type: "tmpfs" }, 'destination "/" is invalid'],
    ["a way up", { destination: "/a/../b", type: "tmpfs" }, 'destination "/a/../b" is invalid'],
    ["a NUL", { destination: "/a\0b", type: "tmpfs" }, "contains NUL"],
    ["a file in the way", { destination: "/etc/passwd/m", type: "tmpfs" }, "ENOTDIR"],
  ])("are refused with %s, and nothing is left", async (_, mount: MountChange, words) => {
    const before = agent().held();
    const created = createContainer(agent(), ["true"], { mounts: [mount] });
    await expect(created).rejects.toThrow(words);
    expect(agent().held()).toEqual(before);
  });
});

describeWithAgent("a bind mount", (agent) => {
  let source = "";

  beforeAll(() => {
    source = join(agent().directory, "source");
    mkdirSync(join(source, "directory"), { recursive: true });
    writeFileSync(join(source, "file"), "from the guest\n");
    writeFileSync(join(source, "directory/inside"), "inside\n");
    symlinkSync("file", join(source, "link"));
  });

  const bind = (name: string, destination: string, ...options: string[]): MountChange => ({
    destination,
    type: "bind",
    source: join(source, name),
    options: ["rbind", ...options],
  });

  test("of a directory is seen at a place that is there, one that is not, and one deep down", async () => {
    const places = ["/etc", "/new", "/var/lib/deep/down"];
    const mounts = places.map((place) => bind("directory", place));
    const script = places.map((place) => `ls ${place}`).join(";");
    expect(await linesOf(agent(), script, { mounts })).toEqual(["inside", "inside", "inside"]);
  });

  test("of a file is seen at a place that is there, one that is not, and one deep down", async () => {
    const places = ["/etc/passwd", "/etc/new", "/var/lib/deep/down"];
    const mounts = places.map((place) => bind("file", place));
    const lines = await linesOf(agent(), `cat ${places.join(" ")}`, { mounts });
    expect(lines).toEqual(["from the guest", "from the guest", "from the guest"]);
  });

  test("leaves the image's own file as it was (D13)", async () => {
    const rootfs = agent().rootfs();
    writeFileSync(join(rootfs, "etc/hosts"), "of the image\n");
    const script = "cat /etc/hosts; echo changed > /etc/hosts";
    await linesOf(agent(), script, { rootfs, mounts: [bind("file", "/etc/hosts")] });
    expect(readFileSync(join(rootfs, "etc/hosts"), "utf8")).toBe("of the image\n");
    expect(readFileSync(join(source, "file"), "utf8")).toBe("changed\n");
    writeFileSync(join(source, "file"), "from the guest\n");
  });

  test("follows a link that is its source: that is the guest's own", async () => {
    const mounts = [bind("link", "/etc/linked")];
    expect(await linesOf(agent(), "cat /etc/linked", { mounts })).toEqual(["from the guest"]);
  });

  test("with a relative source begins at the bundle", async () => {
    const mount = { destination: "/bundle", type: "bind", source: "rootfs/etc", options: ["bind"] };
    expect(await linesOf(agent(), "ls /bundle", { mounts: [mount] })).toEqual(["passwd"]);
  });

  test.each([
    ["a file on a directory", "file", "/etc"],
    ["a directory on a file", "directory", "/etc/passwd"],
  ])("of %s is refused", async (_, name, destination) => {
    const created = createContainer(agent(), ["true"], { mounts: [bind(name, destination)] });
    await expect(created).rejects.toThrow(`mount ${destination}: EINVAL: Invalid argument`);
  });

  test("on a link goes where the link leads inside the image", async () => {
    const rootfs = agent().rootfs();
    mkdirSync(join(rootfs, "run"));
    writeFileSync(join(rootfs, "run/real"), "of the image\n");
    symlinkSync("/run/real", join(rootfs, "etc/resolv.conf"));
    const mounts = [bind("file", "/etc/resolv.conf")];
    const lines = await linesOf(agent(), "cat /run/real /etc/resolv.conf", { rootfs, mounts });
    expect(lines).toEqual(["from the guest", "from the guest"]);
  });

  test.each(["../run/systemd/resolve/stub-resolv.conf", "/nowhere/at/all"])(
    "on a link that leads nowhere takes its place: /etc/resolv.conf to %s",
    async (target) => {
      const rootfs = agent().rootfs();
      symlinkSync(target, join(rootfs, "etc/resolv.conf"));
      const mounts = [bind("file", "/etc/resolv.conf")];
      const lines = await linesOf(agent(), "cat /etc/resolv.conf", { rootfs, mounts });
      expect(lines).toEqual(["from the guest"]);
    },
  );

  test("below a link that leads nowhere is seen: /var/run to a /run that the image lacks", async () => {
    const rootfs = agent().rootfs();
    mkdirSync(join(rootfs, "var"));
    symlinkSync("/run", join(rootfs, "var/run"));
    const at = "/var/run/secrets/kubernetes.io/serviceaccount";
    const mounts = [bind("directory", at)];
    expect(await linesOf(agent(), `ls ${at}`, { rootfs, mounts })).toEqual(["inside"]);
  });

  test("finds its place in a root that is read-only for the container", async () => {
    const spec = { Root: { Path: agent().rootfs(), Readonly: true } };
    const mounts = [bind("directory", "/made/for/it")];
    const script = "ls /made/for/it; touch /made/file 2>&1; touch /made/for/it/x && echo written";
    expect(await linesOf(agent(), script, { spec, mounts })).toEqual([
      "inside",
      "touch: /made/file: Read-only file system",
      "written",
    ]);
  });

  test("on /dev leaves the guest's directory as it is", async () => {
    const spec = { Mounts: [] };
    const linux = { MaskedPaths: [], ReadonlyPaths: [] };
    const mounts = [PROC, bind("directory", "/dev")];
    expect(await linesOf(agent(), "ls /dev", { spec, linux, mounts })).toContain("inside");
    const left = readdirSync(join(source, "directory"));
    expect(left.filter((name) => name !== "x")).toEqual(["inside"]);
    expect(statSync(join(source, "directory")).isDirectory()).toBe(true);
  });
});

describeWithAgent("a place for a mount", (agent) => {
  test("may be made by several containers at once, as in a volume that they share", async () => {
    const destination = "/volume/of/all";
    const mounts = [{ destination, type: "tmpfs", source: "tmpfs", options: [] }];
    for (let round = 0; round < 10; round++) {
      const rootfs = agent().rootfs();
      const made = await inParallel(16, Array.from({ length: 16 }), async () => {
        const container = await createContainer(agent(), ["true"], { rootfs, mounts });
        return [container];
      });
      expect(made.flat()).toHaveLength(16);
      await Promise.all(made.flat().map((container) => container.remove()));
    }
  }, 60_000);
});

describeWithAgent("root", (agent) => {
  test("is where the agent's hosts look for it, for as long as the container lives", async () => {
    const container = await createContainer(agent(), ["true"]);
    const { state, mounts } = agent().held();
    const bundle = `/run/kata-containers/${container.containerId}`;
    expect(state).toContain(`kata-containers/${container.containerId}`);
    expect(mounts.map((each) => each.split(" ")[1])).toContain(`${bundle}/rootfs`);
    const config = readFileSync(`/proc/${agent().pid}/root${bundle}/config.json`, "utf8");
    const root = { path: `${bundle}/rootfs` };
    expect(JSON.parse(config)).toMatchObject({ root, process: { args: ["true"] } });
    await container.remove();
    expect(agent().held().state).not.toContain(`kata-containers/${container.containerId}`);
  });

  test("is read-only where it says so, and what is mounted in it is not", async () => {
    const spec = { Root: { Path: agent().rootfs(), Readonly: true } };
    const script = "touch /file 2>&1; touch /dev/shm/file && echo written";
    expect(await linesOf(agent(), script, { spec })).toEqual([
      "touch: /file: Read-only file system",
      "written",
    ]);
  });

  test.each(["/nowhere", "", "/", "/etc/passwd"])("is refused if it is %p", async (Path) => {
    const before = agent().held();
    const created = createContainer(agent(), ["true"], { spec: { Root: { Path } } });
    await expect(created).rejects.toThrow(/ENOENT|ENOTDIR|root path/);
    expect(agent().held()).toEqual(before);
  });
});
