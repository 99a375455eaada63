// The world of the fault sweep: a private /run that has what the specs name, root file systems in
// three states, and the agent's own way to start a process, with one change made to its program.
import { lchownSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Cgroup, createCgroup } from "../../src/cgroup/cgroup.ts";
import { Bundle } from "../../src/container/bundle.ts";
import { type Guest, describeGuest } from "../../src/container/guest.ts";
import { PinnedNamespaces } from "../../src/container/pinned-namespaces.ts";
import { runListened } from "../../src/child/run-listened.ts";
import { limitStops } from "../../src/container/limits.ts";
import type { SpawnBirth } from "../../src/child/clone.ts";
import type { Stop } from "../../src/child/end-of.ts";
import { spawn } from "../../src/container/spawn.ts";
import { hasCreateHooks } from "../../src/oci/hooks.ts";
import type { IdMaps } from "../../src/oci/id-mapping.ts";
import { NAMESPACE_TYPES, type NamespaceType } from "../../src/oci/namespace.ts";
import type { Hook } from "../../src/oci/spec.ts";
import type { ContainerSpec } from "../../src/oci/valid-spec.ts";
import { normaliseEnvironment } from "../../src/oci/environment.ts";
import { execProgram } from "../../src/program/exec.ts";
import { hookProgram } from "../../src/program/hook.ts";
import { type InitContext, initProgram } from "../../src/program/init.ts";
import { CLONE_FLAG } from "../../src/program/namespaces.ts";
import type { Tape } from "../../src/tape/tape.ts";
import type { Run } from "./fault-sweep.ts";
import { mountsOf } from "./held.ts";
import { HOOK_RULES } from "./hooks.ts";
import { makeRootfs } from "./rootfs.ts";

const ID = "c1";
const SHARED = "/run/kata-containers/shared/containers";
/** The root of the golden specs. */
export const ROOTFS = `${SHARED}/c1/rootfs`;
/** The root of the container that processes are executed in. */
export const BASE_ROOTFS = `${SHARED}/base/rootfs`;
/** Where a program may leave the mount of the root. */
export const BUNDLE_ROOTFS = `/run/kata-containers/${ID}/rootfs`;

export function makeWorld(): void {
  mkdirSync(dirname(ROOTFS), { recursive: true });
  mkdirSync(dirname(BASE_ROOTFS), { recursive: true });
  fillRootfs(BASE_ROOTFS);
  mkdirSync(`${SHARED}/volume/below`, { recursive: true });
  mkdirSync("/run/kata-containers/sandbox/shm", { recursive: true });
  writeFileSync(`${SHARED}/c1-hosts`, "127.0.0.1 localhost\n");
}

/** Nothing is there that the agent has to make. */
export function bareRootfs(): void {
  rmSync(ROOTFS, { recursive: true, force: true });
  fillRootfs(ROOTFS);
}

function fillRootfs(root: string): void {
  makeRootfs(root);
  mkdirSync(join(root, "srv"));
  writeFileSync(join(root, "srv/run.sh"), "#!/bin/sh\n", { mode: 0o755 });
  // What a golden tmpfs takes over.
  mkdirSync(join(root, "plain"));
  mkdirSync(join(root, "opt/filled/inner"), { recursive: true });
  for (const file of ["empty", "inner/program"]) writeFileSync(join(root, "opt/filled", file), "");
  giveAway(root);
}

/** The root of the user namespace that some programs are for, who owns nothing else. */
export const MAPS: IdMaps = {
  uid: [{ containerID: 0, hostID: 100_000, size: 65_536 }],
  gid: [{ containerID: 0, hostID: 200_000, size: 65_536 }],
};

/** Also what a program for another user has left in it. */
export function giveAway(root: string): void {
  lchownSync(root, 100_000, 200_000);
  for (const entry of readdirSync(root, { withFileTypes: true })) {
    const path = join(root, entry.name);
    if (entry.isDirectory()) giveAway(path);
    else lchownSync(path, 100_000, 200_000);
  }
}

/** In the place of all that the agent makes there is something else: links to nowhere, plain files. */
export function clutteredRootfs(spec: ContainerSpec): () => void {
  const { mounts = [], linux, process } = spec;
  const devices = ["null", "zero", "full", "tty", "random", "urandom", "console"];
  const links = ["fd", "stdin", "stdout", "stderr", "core", "kcore", "ptmx"];
  const asked = (linux.devices ?? []).map(({ path }) => path);
  const files = [...devices, ...links].map((name) => `/dev/${name}`);
  const isLookedUp = (path: string) => !/^\/(proc|sys|dev)\/?$/.test(path);
  const places = [...mounts.map(({ destination }) => destination), process.cwd];
  return () => {
    bareRootfs();
    for (const path of places.filter(isLookedUp)) inRootfs(path, (at) => symlinkSync("/gone", at));
    for (const path of [...files, ...asked]) inRootfs(path, (at) => writeFileSync(at, ""));
    giveAway(ROOTFS);
  };
}

function inRootfs(path: string, make: (at: string) => void): void {
  const at = join(ROOTFS, path);
  try {
    mkdirSync(dirname(at), { recursive: true });
    make(at);
  } catch (error) {
    // What was made for one place may be in the way of another.
    if (!/EEXIST|ENOTDIR|ENOENT|EISDIR/.test(String(error))) throw error;
  }
}

/** How a program is made ready, beside its spec. */
export type Setting = {
  readonly guest: Guest;
  readonly cgroup: Cgroup;
  readonly context: Omit<
    InitContext,
    keyof SpawnBirth | "containerId" | "bundle" | "rootfs" | "environment"
  >;
};

/** Not in any cgroup: most of the golden programs are not about that. */
export const NO_CGROUP: Cgroup = {
  entry: { kind: "write", files: [] },
  view: { version: 2 },
  entered: async () => {},
  apply: async () => {},
  addProcessors: async () => {},
  stats: async () => ({ hugetlb: {} }),
  nestedOf: () => undefined,
  watchOom: () => undefined,
  freeze: async () => {},
  thaw: async () => {},
  kill: async () => {},
  destroy: async () => {},
};

/** Empty and emptied again by every run. */
export function cgroupNamed(name: string): Promise<Cgroup> {
  return createCgroup({ cgroupsPath: `/${name}/c1`, containerId: ID, hasSystemd: false });
}

export const guest = describeGuest(0, HOOK_RULES, () => {});

/** In a user namespace a process is born into its pid namespace from inside, and limited by the agent. */
function bornAs(
  process: ContainerSpec["process"],
  { created, ids }: Setting["context"],
  stops: readonly Stop[] = [],
) {
  return {
    stops: [...stops, ...limitStops(ids, process)],
    namespaces: created.includes("pid") && ids === undefined ? CLONE_FLAG.pid : 0,
  };
}

/** As `Container.create` does it, up to the execution of the program. */
export async function runInit(
  spec: ContainerSpec,
  { guest: of, cgroup, context }: Setting,
  change: (tape: Tape) => void,
): Promise<Run> {
  const bundle = Bundle.create(ID, spec);
  try {
    return await runToTheEnd(async () => {
      const process = await spawn({
        execId: ID,
        terminal: spec.process.terminal === true,
        until: "parked",
        ...bornAs(spec.process, context, hasCreateHooks(spec.hooks ?? {}) ? [() => {}] : []),
        cgroup,
        guest: of,
        signal: NEVER,
        program: (birth) => {
          const { path, rootfs } = bundle;
          const environment = normaliseEnvironment(spec.process.env ?? []);
          const all = { ...birth, ...context, containerId: ID, bundle: path, rootfs, environment };
          return changed(initProgram(spec, all), change);
        },
      });
      try {
        process.child.resume();
        await process.child.played();
      } finally {
        await process.end();
      }
    });
  } finally {
    await bundle.remove();
  }
}

/** A container for processes to be executed in, and what these enter. */
export class Surroundings implements AsyncDisposable {
  readonly #pinned: PinnedNamespaces;
  readonly #setting: Setting;
  readonly #stack: AsyncDisposableStack;

  private constructor(setting: Setting, pinned: PinnedNamespaces, stack: AsyncDisposableStack) {
    this.#setting = setting;
    this.#pinned = pinned;
    this.#stack = stack;
  }

  static async create(spec: ContainerSpec, setting: Setting): Promise<Surroundings> {
    await using stack = new AsyncDisposableStack();
    giveAway(spec.root.path);
    const bundle = stack.adopt(Bundle.create("base", spec), (made) => made.remove());
    const { path, rootfs } = bundle;
    const environment = normaliseEnvironment(spec.process.env ?? []);
    const { context, cgroup, guest: of } = setting;
    const init = await spawn({
      execId: "base",
      terminal: false,
      until: "parked",
      cgroup,
      guest: of,
      signal: NEVER,
      ...bornAs(spec.process, { ...context, created: ["pid"] }),
      program: (birth) =>
        initProgram(spec, {
          ...birth,
          ...context,
          containerId: "base",
          bundle: path,
          rootfs,
          environment,
        }),
    });
    stack.defer(() => init.end());
    const joined =
      context.ids === undefined ? [] : NAMESPACE_TYPES.filter((type) => type in context.joined);
    const kinds = new Set<NamespaceType>([...context.created, ...joined, "pid"]);
    const pinned = stack.use(PinnedNamespaces.of(init.child.pid, kinds));
    return new Surroundings(setting, pinned, stack.move());
  }

  run({ process, linux }: ContainerSpec, change: (tape: Tape) => void): Promise<Run> {
    const { cgroup, guest: of, context } = this.#setting;
    const { ids } = context;
    const { joined } = this.#pinned;
    return runToTheEnd(async () => {
      const made = await spawn({
        execId: "exec",
        until: "executed",
        cgroup,
        guest: of,
        signal: NEVER,
        terminal: process.terminal === true,
        stops: limitStops(ids, process),
        program: (birth) => {
          const environment = normaliseEnvironment(process.env ?? []);
          const all = { ...birth, containerId: ID, environment, joined, ids, served: linux };
          return changed(execProgram(process, all), change);
        },
      });
      await made.end();
    });
  }

  /** In the agent's namespaces, or in those of the container. */
  runHook(hook: Hook, isInside: boolean, change: (tape: Tape) => void): Promise<Run> {
    const { cgroup, guest: of, context } = this.#setting;
    const joined = isInside ? this.#pinned.joined : {};
    const ids = isInside ? context.ids : undefined;
    const program = (birth: SpawnBirth) =>
      changed(hookProgram(hook, { ...birth, containerId: ID, ids, joined, cwd: "/" }), change);
    return runToTheEnd(async () => {
      const { status, stdout } = await runListened({
        program,
        ...(isInside ? { entry: cgroup.entry } : {}),
        ignoredSignals: of.ignoredSignals,
        stdin: "{}",
        kept: 2048,
        together: true,
        timeoutMs: 10_000,
        signal: NEVER,
      });
      if (status !== 0) throw new Error(`status ${status}: ${stdout.text}`);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack[Symbol.asyncDispose]();
  }
}

const NEVER = new AbortController().signal;

function changed(tape: Tape, change: (tape: Tape) => void): Tape {
  change(tape);
  return tape;
}

async function runToTheEnd(play: () => Promise<void>): Promise<Run> {
  let error: unknown;
  try {
    await play();
  } catch (thrown) {
    error = thrown;
  }
  return { error, mounts: mountsOf(process.pid) };
}
