// `linux.cgroupsPath` and the mount of type cgroup: where a container is, and what it sees of it.
// Cgroups by themselves are tested in cgroup.test.ts.
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync } from "node:fs";
import { hierarchiesOf } from "../../src/cgroup/hierarchies.ts";
import { parseMountinfo } from "../../src/linux/mountinfo.ts";
import { Code } from "../../src/ttrpc/code.ts";
import type { TestAgent } from "../support/agent.ts";
import { cgroupsNamed } from "../support/held.ts";
import {
  type TestContainer,
  createContainer,
  idleContainer,
  linesOf,
  sh,
} from "../support/container.ts";
import { refusalOf } from "../support/refusal.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const hierarchies = hierarchiesOf(parseMountinfo(readFileSync("/proc/self/mountinfo", "utf8")));
const isV1 = hierarchies.length > 0;
const onV1 = test.skipIf(!isV1);

/** By hierarchy: `/pod/c1` for each that the process is in. */
async function pathsOf(container: TestContainer): Promise<string[]> {
  const { stdout } = await container.run(["cat", "/proc/self/cgroup"]);
  const lines = stdout
    .trimEnd()
    .split("\n")
    .filter((line) => !line.startsWith("0::"));
  return [...new Set(lines.map((line) => line.split(":")[2] ?? ""))];
}

const pathIn = (agent: TestAgent, { containerId }: TestContainer) =>
  `/${agent.cgroup}/${containerId}`;

describeWithAgent("linux.cgroupsPath", (agent) => {
  onV1("is where the first process and every exec are, in all hierarchies", async () => {
    await using container = await idleContainer(agent());
    const path = pathIn(agent(), container);
    expect(await pathsOf(container)).toEqual([path]);
    expect((await container.run(["cat", "/proc/1/cgroup"])).stdout).toContain(`:${path}\n`);
  });

  onV1("may have the form slice:prefix:name", async () => {
    const linux = { CgroupsPath: `${agent().cgroup}:cri:name` };
    await using container = await idleContainer(agent(), { linux });
    expect(await pathsOf(container)).toEqual([`/${agent().cgroup}/cri/name`]);
  });

  onV1("is the container's id where there is none", async () => {
    const id = `${agent().cgroup}-alone`;
    await using container = await idleContainer(agent(), { id, linux: { CgroupsPath: "" } });
    expect(await pathsOf(container)).toEqual([`/${id}`]);
  });

  test("may not be another container's: that one goes on", async () => {
    await using container = await idleContainer(agent());
    const linux = { CgroupsPath: pathIn(agent(), container) };
    const created = createContainer(agent(), ["true"], { linux });
    await expect(created).rejects.toThrow("is in use by process");
    expect((await container.run(["true"])).status).toBe(0);
  });

  test.each(["/../outside", "a/../../b", "a:..:b", "/", "///", "."])(
    "is refused where it is not below the root: %s",
    async (CgroupsPath) => {
      const before = agent().held();
      const created = createContainer(agent(), ["true"], { linux: { CgroupsPath } });
      const { code, message } = await refusalOf(created);
      expect(code).toBe(Code.INVALID_ARGUMENT);
      expect(message).toMatch(/contains '\.\.'|names the root/);
      expect(agent().held()).toEqual(before);
    },
  );

  test("is gone with the container, what the container nested in it too", async () => {
    const container = await idleContainer(agent());
    const own = cgroupsNamed(`${agent().cgroup}/${container.containerId}`);
    expect(own.length).toBeGreaterThan(0);
    for (const directory of own) mkdirSync(`${directory}/nested/deeper`, { recursive: true });
    await container.remove();
    expect(own.filter((directory) => existsSync(directory))).toEqual([]);
  });
});

describeWithAgent("a mount of type cgroup", (agent) => {
  onV1("shows each hierarchy by name, and in it the container's own cgroup", async () => {
    const names = hierarchies.map(({ mountPoint }) => mountPoint.split("/").at(-1) ?? "");
    const shown = await linesOf(agent(), "ls /sys/fs/cgroup");
    expect(shown).toEqual(expect.arrayContaining(names));
    const script = names.map((name) => `cat /sys/fs/cgroup/${name}/cgroup.procs`).join(";");
    const pids = await linesOf(agent(), `${script}; :`);
    expect(pids.filter((pid) => pid === "1")).toHaveLength(names.length);
  });

  onV1("shows the same for every controller that a hierarchy goes by", async () => {
    const together = readdirSync("/sys/fs/cgroup").filter((name) => name.includes(","));
    const script = `for name in ${together.join(" ").replaceAll(",", " ")} /; do
      stat -c %F /sys/fs/cgroup/$name/; done`;
    const kinds = await linesOf(agent(), script);
    expect(new Set(kinds)).toEqual(new Set(["directory"]));
  });

  onV1("is read-only where it says so", async () => {
    const [name] = hierarchies.map(({ mountPoint }) => mountPoint.split("/").at(-1));
    const { stderr } = await sh(agent(), `cd /sys/fs/cgroup; mkdir made ${name}/made`);
    expect(stderr.match(/Read-only file system/g)).toHaveLength(2);
  });

  onV1("lets the container divide its own cgroup where it is writable", async () => {
    const spec = { Mounts: [] };
    const options = ["nosuid", "noexec", "nodev", "relatime", "rw"];
    const mounts = [
      { destination: "/proc", type: "proc", source: "proc" },
      { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options },
    ];
    const freezer = "/sys/fs/cgroup/freezer";
    await using container = await idleContainer(agent(), { spec, mounts });
    const script = `mkdir ${freezer}/made && echo $$ > ${freezer}/made/cgroup.procs; cat /proc/self/cgroup`;
    const { stdout } = await container.run(["sh", "-c", script]);
    expect(stdout).toContain(`:freezer:${pathIn(agent(), container)}/made\n`);
    const outside = `${freezer}${pathIn(agent(), container)}/made`;
    expect(statSync(outside).isDirectory()).toBe(true);
  });
});
