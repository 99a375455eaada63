// A container from its creation to its removal.
import { Mutex } from "../async/mutex.ts";
import { within } from "../async/timeout.ts";
import { unlessAborted } from "../async/unless-aborted.ts";
import { createCgroup } from "../cgroup/cgroup.ts";
import type { OomWatch } from "../cgroup/oom.ts";
import type { Stats } from "../cgroup/stats.ts";
import { internal } from "../error.ts";
import { SIG } from "../linux/constants.ts";
import { containerName } from "../oci/annotations.ts";
import type { Resources } from "../oci/resources.ts";
import { type ContainerStatus, stateName } from "../oci/state.ts";
import type { ContainerProcess, ContainerSpec } from "../oci/valid-spec.ts";
import { checkMappedUser } from "../oci/validate-user-namespace.ts";
import { Bundle } from "./bundle.ts";
import { environmentOf } from "./environment.ts";
import { type Entered, isBornTooLate, spawnExec } from "./exec.ts";
import {
  type Hooked,
  runCreateHooks,
  runPoststartHooks,
  runPoststopHooks,
  runStartHooks,
} from "./hooks.ts";
import { Homes } from "./homes.ts";
import { withIdMaps } from "./id-mapped-mounts.ts";
import { type Asked, createInit, kindsOf } from "./init.ts";
import { warnOfIgnored } from "./kernel-support.ts";
import { PinnedNamespaces, openRoot } from "./pinned-namespaces.ts";
import { checkProcMounts } from "./proc-guard.ts";
import { ENDS_IN_MS, type Process } from "./process.ts";
import { labelsOf, mountLabelOf } from "./security-modules.ts";
import { seccompFilter, warnOfUnknown } from "./seccomp-filters.ts";

export type CreateOptions = Asked &
  Pick<Hooked, "forgiven"> & {
    /** Called when the kernel kills in it for want of memory; before the end of the process is known. */
    readonly onOomKill: (() => void) | undefined;
  };

type Parts = Hooked &
  Entered & {
    readonly ownsPidNamespace: boolean;
    readonly oom: OomWatch | undefined;
  };

export class Container {
  readonly id: string;
  readonly processes = new Map<string, Process>();
  readonly init: Process;
  readonly pinned: PinnedNamespaces;
  readonly #parts: Parts;
  /** Start, exec, update, pause, resume and removal follow one another; nothing else waits for them. */
  readonly #queue = new Mutex();
  /** Nothing but the start waits for these hooks, which end with the removal at the latest. */
  #poststart: Promise<void> | undefined;
  /** A freeze under way would stop again what a kill has just let run to its end. */
  readonly #cgroupQueue = new Mutex();
  /** Aborted when the container is to go: an exec that hangs must not hold that up. */
  readonly #removal = new AbortController();
  #status: ContainerStatus = "created";
  #beforePause: ContainerStatus = "created";
  #resources: Resources | undefined;
  #poststop: Promise<void> | undefined;

  private constructor(parts: Parts) {
    this.id = parts.id;
    this.init = parts.init;
    this.pinned = parts.pinned;
    this.#parts = parts;
    this.#resources = parts.spec.linux.resources;
    this.#add(this.init);
  }

  /** Ready to be started. Throws, and then nothing of it is left. */
  static async create(options: CreateOptions): Promise<Container> {
    const { id, spec, guest, forgiven, placement, signal, onOomKill } = options;
    const { cgroupsPath, seccomp: profile } = spec.linux;
    const seccomp = profile && seccompFilter(profile);
    const labels = labelsOf(spec.process, guest.warn);
    const mountLabel = mountLabelOf(spec, guest.warn);
    await using undo = new AsyncDisposableStack();
    const homes = undo.use(new Homes());
    const environment = environmentOf(spec.process, homes, spec.root.path, signal);
    const bundle = undo.adopt(Bundle.create(id, spec), (made) => made.remove());
    const { hasSystemd } = guest;
    const cgroup = await createCgroup({ cgroupsPath, containerId: id, hasSystemd });
    const { ids } = placement;
    const hooked = { id, spec, guest, bundle, cgroup, seccomp, labels, ids, forgiven };
    let hooksBegan = false;
    undo.defer(() => (hooksBegan ? runPoststopHooks(hooked) : undefined));
    undo.defer(() => bundle.removeRootfs());
    // Hooks may have left somebody in it, whom the end of a pid namespace does not take along.
    undo.defer(() => cgroup.kill().finally(() => cgroup.destroy()));
    // Before anybody is in it: what is used from the first moment counts, and nothing escapes.
    await cgroup.apply(spec.linux.resources ?? {});
    let oom: OomWatch | undefined;
    const meanwhile = () => {
      bundle.saveSpec(spec);
      warnOfIgnored(spec, guest.warn);
      if (profile && seccomp) warnOfUnknown(profile, seccomp, guest.warn);
      // Kills that there were until then are counted, and seen at the first look.
      oom = onOomKill && undo.use(cgroup.watchOom(onOomKill));
    };
    const runHooks = (pid: number) => {
      hooksBegan = true;
      return runCreateHooks(hooked, pid, kindsOf(placement), signal);
    };
    const own = { bundle, cgroup, seccomp, environment, labels, mountLabel, meanwhile, runHooks };
    const init = await withIdMaps(spec, placement.joined.get("user"), (idMapped) =>
      createInit({ ...options, ...own, idMapped }),
    );
    undo.defer(() => init.end());
    await cgroup.entered();
    checkProcMounts(init.child.pid, spec.linux);
    const pinned = undo.use(PinnedNamespaces.of(init.child.pid, kindsOf(placement)));
    const root = undo.use(openRoot(init.child.pid));
    signal.throwIfAborted();
    undo.move();
    const ownsPidNamespace = placement.created.includes("pid");
    return new Container({ ...hooked, init, pinned, ownsPidNamespace, root, oom, homes });
  }

  /** In its pod, by which shared mounts refer to it. */
  get name(): string | undefined {
    return containerName(this.#parts.spec.annotations);
  }

  /** What it was created from. */
  get spec(): ContainerSpec {
    return this.#parts.spec;
  }

  get status(): ContainerStatus {
    return this.#status;
  }

  /** What was asked for last, by the spec or by an update as a whole. */
  get resources(): Resources | undefined {
    return this.#resources;
  }

  /** Execute the program. Throws if it, or a hook before it, cannot be; the first process has then ended. */
  async start(): Promise<void> {
    await this.#queue.run(async () => {
      if (this.#status !== "created") {
        throw internal(`container "${this.id}" is ${this.#status}, want created`);
      }
      if (this.init.exitStatus !== undefined) throw this.#ended();
      const { pid } = this.init.child;
      await this.#orStop(runStartHooks(this.#parts, pid, this.pinned, this.#removal.signal));
      this.init.child.resume();
      await unlessAborted(this.init.child.played(), this.#removal.signal);
      this.#status = "running";
      this.#poststart = runPoststartHooks(this.#parts, pid, this.#removal.signal);
    });
    await this.#poststart;
  }

  /** What a hook before the start throws ends the container, as the OCI runtime spec has it. */
  async #orStop(hooks: Promise<void>): Promise<void> {
    try {
      await hooks;
    } catch (error) {
      this.#status = "stopped";
      await this.killAll();
      await within(this.init.child.exit, ENDS_IN_MS);
      throw error;
    }
  }

  /** Run one more process. Throws, and then it has ended and its id is free. */
  exec(execId: string, process: ContainerProcess, caller: AbortSignal): Promise<void> {
    return this.#queue.run(async () => {
      // In a frozen cgroup it would stop half-way.
      if (this.#status === "paused" || this.#status === "stopped")
        throw internal(`container "${this.id}" is ${this.#status}`);
      if (this.processes.has(execId)) throw internal(`exec_id '${execId}' already exists`);
      if (this.#hasLostItsPidNamespace) throw this.#ended();
      if (this.#parts.ids !== undefined) checkMappedUser(process, this.#parts.ids);
      const signal = AbortSignal.any([caller, this.#removal.signal]);
      try {
        this.#add(await spawnExec(this.#parts, execId, process, signal));
      } catch (error) {
        if (isBornTooLate(error)) throw this.#ended();
        throw error;
      }
    });
  }

  /** Stop every process. Throws if that is not done within 2 s; then none is stopped. */
  pause(): Promise<void> {
    return this.#queue.run(async () => {
      const before = this.#status;
      if (before !== "running" && before !== "created") {
        throw internal(`failed to pause container: current status is: ${stateName(before)}`);
      }
      await this.#cgroupQueue.run(() => this.#parts.cgroup.freeze());
      this.#beforePause = before;
      this.#status = "paused";
    });
  }

  resume(): Promise<void> {
    return this.#queue.run(async () => {
      if (this.#status !== "paused") {
        throw internal(`container status is: ${stateName(this.#status)}, not paused`);
      }
      await this.#cgroupQueue.run(() => this.#parts.cgroup.thaw());
      this.#status = this.#beforePause;
    });
  }

  /** Change limits. Throws at the first that is not taken; those before it stay. */
  update(resources: Resources): Promise<void> {
    return this.#queue.run(async () => {
      if (this.#status === "stopped") throw internal(`container "${this.id}" is stopped`);
      await this.#cgroupQueue.run(() => this.#parts.cgroup.apply(resources));
      this.#resources = resources;
    });
  }

  /** The guest has got more processors. One that is being removed needs none. */
  addProcessors(): Promise<void> {
    return this.#cgroupQueue.run(async () => {
      if (this.#status !== "stopped") await this.#parts.cgroup.addProcessors();
    });
  }

  /** Waits for nothing else: hosts ask by the clock, and reading changes nothing. */
  stats(): Promise<Stats> {
    return this.#parts.cgroup.stats();
  }

  /** SIGKILL for all that is in the container. */
  killAll(): Promise<void> {
    return this.#cgroupQueue.run(() => this.#parts.cgroup.kill());
  }

  /** A process has been waited for: it is known no longer. */
  forget(process: Process): void {
    if (this.processes.get(process.execId) === process) this.processes.delete(process.execId);
    process.forget();
  }

  /** End and remove everything; repeatable, best effort, all errors together at the end. */
  destroy(): Promise<void> {
    this.#removal.abort(internal(`container "${this.id}" is being removed`));
    for (const process of this.processes.values()) process.refuseWaits();
    // A start that hangs, on a file system that does, must not hold that up either.
    this.init.signal(SIG.KILL);
    return this.#queue.run(() => this.#destroy());
  }

  /** Whoever waits for its end is told of it after whoever waits for a lack of memory. */
  #add(process: Process): void {
    this.processes.set(process.execId, process);
    const { oom } = this.#parts;
    if (oom !== undefined) process.beforeTold(() => oom.settled());
  }

  async #destroy(): Promise<void> {
    const { cgroup, bundle, pinned, root, oom } = this.#parts;
    this.#status = "stopped";
    await Promise.allSettled([this.#poststart]);
    const errors: unknown[] = [];
    const attemptStep = async (step: () => unknown) => {
      try {
        await step();
      } catch (error) {
        errors.push(error);
      }
    };
    await attemptStep(() => this.killAll());
    const processes = new Set([this.init, ...this.processes.values()]);
    this.processes.clear();
    await Promise.all([...processes].map((process) => attemptStep(() => process.end())));
    pinned[Symbol.dispose]();
    root.close();
    // Processes that nobody waited for may have been killed, too.
    oom?.check();
    oom?.[Symbol.dispose]();
    await attemptStep(() => cgroup.destroy());
    await attemptStep(() => bundle.removeRootfs());
    // Once, also where the removal has to be tried again.
    this.#poststop ??= runPoststopHooks(this.#parts);
    await this.#poststop;
    await attemptStep(() => bundle.remove());
    if (errors.length > 0) throw new AggregateError(errors, errors.map(String).join("; "));
  }

  /** With its first process a pid namespace ends; one that the pod shares has another first process. */
  get #hasLostItsPidNamespace(): boolean {
    return this.init.exitStatus !== undefined && this.#parts.ownsPidNamespace;
  }

  #ended(): Error {
    return internal(`container "${this.id}": its first process has ended`);
  }
}
