// The cgroup hierarchies of this machine, and children in the cgroups that a test makes there.
import { afterAll, afterEach, expect } from "bun:test";
import { until } from "../../src/async/until.ts";
import type { Cgroup } from "../../src/cgroup/cgroup.ts";
import { V1_FREEZER, V2_FREEZER } from "../../src/cgroup/freezer.ts";
import { hierarchiesOf } from "../../src/cgroup/hierarchies.ts";
import { killAll } from "../../src/cgroup/kill.ts";
import type { CgroupPath } from "../../src/cgroup/path.ts";
import { removeAll, tolerate } from "../../src/cgroup/tree.ts";
import { createV1 } from "../../src/cgroup/v1.ts";
import { createV2 } from "../../src/cgroup/v2.ts";
import { listDirectories, readText, writeText } from "../../src/kernel/file.ts";
import { parseMountinfo } from "../../src/linux/mountinfo.ts";
import { execve } from "../../src/linux/process.ts";
import { enterCgroup } from "../../src/program/cgroup-entry.ts";
import { type Child, launch, openControl } from "../../src/tape/player.ts";
import { Tape } from "../../src/tape/tape.ts";

const mounts = parseMountinfo(readText("/proc/self/mountinfo"));
export const hierarchies = hierarchiesOf(mounts);
export const v2Root = mounts.find(({ fstype }) => fstype === "cgroup2")?.mountPoint;
const withFreezer = hierarchies.find(({ controllers }) => controllers.includes("freezer"));
export const isRoot = process.getuid?.() === 0;

export type Version = {
  readonly name: string;
  readonly skip: boolean;
  readonly create: (path: CgroupPath) => Cgroup;
  /** Where the cgroups are, and where their processes are looked for. */
  readonly roots: readonly string[];
  readonly main: string;
  /** The file that stops a cgroup, and what it is told. */
  readonly freezer: readonly [file: string, frozen: string];
  readonly isFrozen: (cgroup: string) => boolean;
  /** A file of the kernel that every cgroup has: nothing else can have its name. */
  readonly taken: string;
};

export const v1: Version = {
  name: "v1",
  skip: !isRoot || withFreezer === undefined,
  create: createV1,
  roots: hierarchies.map(({ mountPoint }) => mountPoint),
  main: withFreezer?.mountPoint ?? "",
  freezer: ["freezer.state", "FROZEN"],
  isFrozen: (cgroup) => readText(`${cgroup}/freezer.state`) === "FROZEN\n",
  taken: "freezer.state",
};

export const v2: Version = {
  name: "v2",
  skip: !isRoot || v2Root === undefined,
  create: (path) => createV2(path, v2Root),
  roots: [v2Root ?? ""],
  main: v2Root ?? "",
  freezer: ["cgroup.freeze", "1"],
  isFrozen: (cgroup) => readText(`${cgroup}/cgroup.events`).includes("frozen 1"),
  taken: "cgroup.events",
};

const PREFIX = `cgroup-test-${process.pid}`;
let serial = 0;
export const freshName = () => `${PREFIX}-${++serial}`;

const children: Child[] = [];

/** A child that enters `cgroup`, does what `then` adds to its tape, and waits to be let go. */
export async function enter(cgroup: Cgroup, then: (tape: Tape) => void = () => {}): Promise<Child> {
  const tape = new Tape();
  if (cgroup.entry.kind === "write") enterCgroup(tape, cgroup.entry.files);
  tape.park("in the cgroup");
  then(tape);
  const control = openControl();
  const born = cgroup.entry.kind === "clone" ? { cgroup: cgroup.entry.directory } : {};
  const child = launch({ tape, control, ...born });
  children.push(child);
  await child.parked();
  return child;
}

/** A child that runs a shell script in `cgroup`; the script finds itself in $1. */
export async function run(cgroup: Cgroup, script: string): Promise<Child> {
  const child = await enter(cgroup, (tape) =>
    tape.do(
      "run a shell",
      execve("/bin/sh", ["sh", "-c", script, "sh", script], ["PATH=/usr/bin:/bin"]),
    ),
  );
  child.resume();
  await child.played();
  return child;
}

export const spin = "while :; do :; done";

/** The state letter of proc_pid_stat(5): R while it runs. */
export function stateOf({ pid }: Child): string {
  const [, state = ""] = /\) (\S)/.exec(readText(`/proc/${pid}/stat`)) ?? [];
  return state;
}

export async function eventually(check: () => boolean): Promise<void> {
  expect(await until(check, 5000)).toBe(true);
}

/** What the tests have left below `root`. */
function leftIn(root: string): string[] {
  const names = listDirectories(root).filter((name) => name.startsWith(`${PREFIX}-`));
  return names.map((name) => `${root}/${name}`);
}

/** Remove after each test what it made, and after the last what was passed on for it. */
export function cleanCgroups(): void {
  const control = `${v2.main}/cgroup.subtree_control`;
  const before = v2.skip ? [] : words(control);

  afterEach(async () => {
    for (const child of children.splice(0)) child[Symbol.dispose]();
    if (!v1.skip) await Promise.all(leftIn(v1.main).map((each) => killAll(each, V1_FREEZER)));
    if (!v2.skip) await Promise.all(leftIn(v2.main).map((each) => killAll(each, V2_FREEZER)));
    await removeAll([...(v1.skip ? [] : v1.roots), ...(v2.skip ? [] : v2.roots)].flatMap(leftIn));
  });

  afterAll(() => {
    const added = v2.skip ? [] : words(control).filter((name) => !before.includes(name));
    // EBUSY: somebody else's cgroup passes it on too by now.
    for (const name of added) tolerate(["EBUSY"], () => writeText(control, `-${name}`));
  });
}

function words(file: string): string[] {
  return readText(file)
    .split(/\s/)
    .filter((word) => word !== "");
}
