// Containers' cgroups on this machine's own hierarchies: v1, and v2 wherever it is mounted.
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { until } from "../../src/async/until.ts";
import { createCgroup } from "../../src/cgroup/cgroup.ts";
import { V2_FREEZER } from "../../src/cgroup/freezer.ts";
import { killAll } from "../../src/cgroup/kill.ts";
import type { CgroupPath } from "../../src/cgroup/path.ts";
import { pidsIn, removeAll } from "../../src/cgroup/tree.ts";
import { createV1 } from "../../src/cgroup/v1.ts";
import { createV2 } from "../../src/cgroup/v2.ts";
import { listDirectories, makeDirectory, readText, writeText } from "../../src/kernel/file.ts";
import {
  cleanCgroups,
  enter,
  eventually,
  freshName,
  hierarchies,
  isRoot,
  run,
  spin,
  stateOf,
  v1,
  v2,
  v2Root,
} from "../support/cgroup.ts";
import { reapInThisFile } from "../support/child.ts";

reapInThisFile();
cleanCgroups();

describe.each([v1, v2])("$name", (version) => {
  const { name, skip, create, roots, main, freezer, isFrozen, taken } = version;
  const why = skip ? ` (skipped: needs root and cgroup ${name})` : "";
  const it = (title: string, body: () => Promise<void>) => test.skipIf(skip)(title + why, body);
  const everywhere = (path: CgroupPath) => roots.map((root) => `${root}/${path.join("/")}`);

  it("a child gets into every directory of its container's cgroup", async () => {
    const path: CgroupPath = [freshName(), "c1"];
    const cgroup = create(path);
    const child = await enter(cgroup);
    for (const directory of everywhere(path)) expect(pidsIn(directory)).toEqual([child.pid]);
  });

  it("a path that a process is in, or is below, is refused and stays as it is", async () => {
    const path: CgroupPath = [freshName(), "c1"];
    const child = await enter(create(path));
    expect(() => create(path)).toThrow(`is in use by process ${child.pid}`);
    expect(() => create([path[0]])).toThrow(`is in use by process ${child.pid}`);
    for (const directory of everywhere(path)) expect(pidsIn(directory)).toEqual([child.pid]);
  });

  it("freezing stops a running process and thawing lets it go on", async () => {
    const path: CgroupPath = [freshName(), "c1"];
    const cgroup = create(path);
    const child = await run(cgroup, spin);
    await eventually(() => stateOf(child) === "R");
    await cgroup.freeze();
    expect(isFrozen(`${main}/${path.join("/")}`)).toBe(true);
    expect(stateOf(child)).not.toBe("R");
    await cgroup.thaw();
    expect(isFrozen(`${main}/${path.join("/")}`)).toBe(false);
    await eventually(() => stateOf(child) === "R");
  });

  it("an empty cgroup can be frozen", async () => {
    const path: CgroupPath = [freshName()];
    const cgroup = create(path);
    await cgroup.freeze();
    expect(isFrozen(`${main}/${path[0]}`)).toBe(true);
  });

  it("a kill reaches nested cgroups, also those that the container has frozen itself (D23)", async () => {
    const path: CgroupPath = [freshName()];
    const cgroup = create(path);
    const nested = `${main}/${path[0]}/a`;
    makeDirectory(nested);
    makeDirectory(`${nested}/b`);
    const inner = [await enter(cgroup), await run(cgroup, spin)] as const;
    const outer = await run(cgroup, spin);
    writeText(`${nested}/cgroup.procs`, String(inner[0].pid));
    writeText(`${nested}/b/cgroup.procs`, String(inner[1].pid));
    writeText(`${nested}/b/${freezer[0]}`, freezer[1]);
    await eventually(() => isFrozen(`${nested}/b`));
    await cgroup.kill();
    const statuses = await Promise.all([outer, ...inner].map(({ exit }) => exit));
    expect(statuses).toEqual([137, 137, 137]);
    await cgroup.destroy();
    expect(existsSync(`${main}/${path[0]}`)).toBe(false);
  });

  it("a frozen container can be killed", async () => {
    const cgroup = create([freshName()]);
    const child = await run(cgroup, spin);
    await cgroup.freeze();
    await cgroup.kill();
    expect(await child.exit).toBe(137);
  });

  it("a kill wins against a process that forks as fast as it can", async () => {
    const path: CgroupPath = [freshName()];
    const cgroup = create(path);
    const factory = "while :; do (exec sleep 1000) & done";
    await run(cgroup, factory);
    await eventually(() => pidsIn(`${main}/${path[0]}`).length > 20);
    await cgroup.kill();
    await eventually(() => pidsIn(`${main}/${path[0]}`).length === 0);
    await cgroup.destroy();
  });

  it("a kill wins against a process that only starts the next one and ends", async () => {
    const own = freshName();
    const cgroup = create([own]);
    const child = await run(cgroup, 'sh -c "$1" sh "$1" &');
    await child.exit;
    const seen = new Set<number>();
    await eventually(() => {
      for (const pid of pidsIn(`${main}/${own}`)) seen.add(pid);
      return seen.size > 3;
    });
    await cgroup.kill();
    await cgroup.destroy();
  });

  it("a kill of nobody is no error", async () => {
    const cgroup = create([freshName()]);
    await cgroup.kill();
    await cgroup.destroy();
    await cgroup.kill();
  });

  it("destroy waits for the last process, leaves no directory, and can be repeated (D24)", async () => {
    const path: CgroupPath = [freshName(), "c1"];
    const cgroup = create(path);
    for (const directory of everywhere(path)) makeDirectory(`${directory}/nested`);
    const child = await enter(cgroup);
    let isOver = false;
    const destroyed = cgroup.destroy().then(() => (isOver = true));
    await until(() => isOver, 20);
    expect(isOver).toBe(false);
    child.signal(9);
    await destroyed;
    for (const directory of everywhere(path)) expect(existsSync(directory)).toBe(false);
    await cgroup.destroy();
  });

  it("what was made above a container goes with the last container below it", async () => {
    const pod = freshName();
    const first = create([pod, "c1"]);
    const second = create([pod, "c2"]);
    await first.destroy();
    for (const directory of everywhere([pod])) expect(listDirectories(directory)).toEqual(["c2"]);
    await second.destroy();
    for (const directory of everywhere([pod])) expect(existsSync(directory)).toBe(false);
  });

  it("destroy removes nothing above the container's own directory that others made", async () => {
    const pod = freshName();
    for (const directory of everywhere([pod])) makeDirectory(directory);
    await create([pod, "c1"]).destroy();
    for (const directory of everywhere([pod])) expect(listDirectories(directory)).toEqual([]);
  });

  it("a cgroup that does not empty is an error, and the others are removed (D35)", async () => {
    const [busy, idle] = [freshName(), freshName()];
    await enter(create([busy]));
    await create([idle]).thaw();
    const removed = removeAll([`${main}/${busy}`, `${main}/${idle}`], 20);
    await expect(removed).rejects.toThrow(
      `remove directory ${main}/${busy}: EBUSY: Device or resource busy`,
    );
    expect(existsSync(`${main}/${idle}`)).toBe(false);
  });

  it("a failure half-way takes back what was made, and only that", async () => {
    const pod = freshName();
    const [first] = roots;
    makeDirectory(`${first}/${pod}`);
    // In one hierarchy a file of the kernel stands where a directory is needed.
    expect(() => create([pod, "a", taken, "c1"])).toThrow("ENOTDIR");
    for (const root of roots) expect(existsSync(`${root}/${pod}`)).toBe(root === first);
    expect(listDirectories(`${first}/${pod}`)).toEqual([]);
  });

  it("what an earlier container left is replaced, with its nested cgroups and frozen state", async () => {
    const path: CgroupPath = [freshName()];
    create(path);
    makeDirectory(`${main}/${path[0]}/nested`);
    writeText(`${main}/${path[0]}/${freezer[0]}`, freezer[1]);
    const cgroup = create(path);
    expect(existsSync(`${main}/${path[0]}/nested`)).toBe(false);
    const child = await enter(cgroup);
    expect(pidsIn(`${main}/${path[0]}`)).toEqual([child.pid]);
  });
});

const needV1 = v1.skip ? " (skipped: needs root and cgroup v1)" : "";
const needV2 = v2.skip ? " (skipped: needs root and cgroup v2)" : "";

const needRoot = isRoot ? "" : " (skipped: needs root)";

test.skipIf(!isRoot)(`the version is the one at /sys/fs/cgroup${needRoot}`, async () => {
  const options = { cgroupsPath: undefined, containerId: freshName(), hasSystemd: false };
  const cgroup = await createCgroup(options);
  expect(cgroup.view.version).toBe(v2Root === "/sys/fs/cgroup" ? 2 : 1);
  await cgroup.destroy();
});

test.skipIf(v1.skip)(`a new v1 cpuset has the processors of its parent${needV1}`, () => {
  const root = hierarchies.find(({ controllers }) => controllers.includes("cpuset"))?.mountPoint;
  const path: CgroupPath = [freshName(), "c1"];
  createV1(path);
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    expect(readText(`${root}/${path.join("/")}/${file}`)).toBe(readText(`${root}/${file}`));
  }
});

test.skipIf(v2.skip)(`a v2 container has every controller that the root has${needV2}`, () => {
  const path: CgroupPath = [freshName(), "c1"];
  createV2(path, v2Root);
  const available = readText(`${v2Root}/cgroup.controllers`);
  expect(readText(`${v2Root}/${path.join("/")}/cgroup.controllers`)).toBe(available);
});

test.skipIf(v2.skip)(`a v2 kernel without cgroup.kill gets everybody too${needV2}`, async () => {
  const path: CgroupPath = [freshName()];
  const cgroup = createV2(path, v2Root);
  makeDirectory(`${v2Root}/${path[0]}/nested`);
  const [outer, inner] = [await run(cgroup, spin), await run(cgroup, spin)];
  writeText(`${v2Root}/${path[0]}/nested/cgroup.procs`, String(inner.pid));
  await cgroup.freeze();
  await killAll(`${v2Root}/${path[0]}`, V2_FREEZER);
  expect([await outer.exit, await inner.exit]).toEqual([137, 137]);
});
