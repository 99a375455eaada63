// The pod: its containers and what they share. The only holder of state that changes, and not tied
// to any connection: clients come and go.
import { Mutex } from "../async/mutex.ts";
import { unlessAborted } from "../async/unless-aborted.ts";
import { Container } from "../container/container.ts";
import type { Guest } from "../container/guest.ts";
import { refuseUnsupported } from "../container/kernel-support.ts";
import type { Process } from "../container/process.ts";
import { StreamPorts } from "../container/stream-ports.ts";
import type { CdiOptions } from "../device/cdi.ts";
import type { DeviceRequest } from "../device/driver.ts";
import { type SharedMount, shareMounts } from "../container/shared-mounts.ts";
import type { Hotplug } from "../device/hotplug.ts";
import { findInterface } from "../device/network.ts";
import { type AgentError, internal, invalidArgument, notFound } from "../error.ts";
import { guestHooksIn } from "../guest/hooks.ts";
import { type KernelModule, loadModules } from "../guest/modules.ts";
import { SharedFiles } from "../guest/shared-files.ts";
import { GuestNetwork } from "../network/network.ts";
import { ResolvConf } from "../network/resolv-conf.ts";
import { allHooks, mergeHooks } from "../oci/hooks.ts";
import { quote } from "../oci/invalid-spec.ts";
import type { Hook, Hooks } from "../oci/spec.ts";
import { Hardware } from "./hardware.ts";
import type { ContainerProcess, ContainerSpec } from "../oci/valid-spec.ts";
import { Equipment } from "./equipment.ts";
import type { Storage } from "../storage/storage.ts";
import { SandboxNamespaces } from "./namespaces.ts";
import { phase } from "../tracing/tracer.ts";
import { OomEvents } from "./oom-events.ts";
import { placementOf } from "./placement.ts";
import { PodPidNamespace } from "./pod-pid-namespace.ts";
import { PodStorages } from "./pod-storages.ts";
import { UserNamespaces } from "./user-namespaces.ts";

export type CreateContainer = {
  readonly id: string;
  readonly spec: ContainerSpec;
  /** Live in the pid namespace of the pod's first container. */
  readonly sandboxPidns: boolean;
  /** Plugged in for it; the spec knows them by their numbers on the host. */
  readonly devices?: readonly DeviceRequest[];
  /** What is mounted in the guest for it, in this order. */
  readonly storages?: readonly Storage[];
  /** Mounts of other containers that it is to have, too. */
  readonly sharedMounts?: readonly SharedMount[];
  readonly signal: AbortSignal;
};

export type CreateSandbox = {
  /** May be empty. */
  readonly id: string;
  readonly hostname: string;
  /** Empty: the guest has no hooks. */
  readonly hookDirectory: string;
  /** Checked. */
  readonly modules: readonly KernelModule[];
  /** What resolv.conf is to hold; empty leaves it alone. */
  readonly resolvConf?: string;
  /** Until the pod ends. */
  readonly storages?: readonly Storage[];
  readonly signal: AbortSignal;
};

export class Sandbox {
  readonly guest: Guest;
  readonly network: GuestNetwork;
  readonly oomEvents = new OomEvents();
  readonly hardware: Hardware;
  readonly sharedFiles = new SharedFiles();
  readonly streamPorts: StreamPorts;
  readonly #containers = new Map<string, Container>();
  /** Ids of containers being made, or unmade after the caller went away. */
  readonly #pending = new Map<
    string,
    { readonly signal: AbortSignal; readonly over: Promise<void> }
  >();
  readonly #removals = new Map<Container, Promise<void>>();
  /** One call at a time: two would make two pairs of namespaces. */
  readonly #creation = new Mutex();
  #namespaces: SandboxNamespaces | undefined;
  /** Empty before CreateSandbox. The pod's own container, which runs `pause`, has the same id. */
  #id = "";
  /** For each container, after its own. */
  #hooks: Hooks = {};
  readonly #userNamespaces = new UserNamespaces();
  readonly #equipment: Equipment;
  readonly #resolvConf: ResolvConf;
  readonly storages: PodStorages;
  #hostname: string | undefined;
  readonly #pidNamespace = new PodPidNamespace();

  /** `setsResolvConf`: the guest is to find names where the host says. */
  constructor(guest: Guest, hotplug: Hotplug, cdi: CdiOptions, setsResolvConf = true) {
    this.guest = guest;
    this.#resolvConf = new ResolvConf(setsResolvConf);
    this.hardware = new Hardware(() => this.containers, hotplug, guest.warn);
    this.#equipment = new Equipment(hotplug, cdi);
    this.network = new GuestNetwork((place, signal) => findInterface(hotplug, place, signal));
    this.storages = new PodStorages(hotplug, guest.warn);
    this.streamPorts = new StreamPorts(guest.warn);
  }

  /** A second call keeps the namespaces and the storages that are there. */
  async create(options: CreateSandbox): Promise<void> {
    const {
      id,
      hostname,
      hookDirectory,
      modules,
      storages = [],
      resolvConf = "",
      signal,
    } = options;
    await this.#creation.run(async () => {
      await loadModules(modules, signal);
      this.#id = id || this.#id;
      this.#namespaces ??= await phase("namespaces", () => SandboxNamespaces.create(hostname));
      await phase("storages", () => this.storages.addForPod(storages, signal));
      this.#hooks = hookDirectory === "" ? {} : await this.#findHooks(hookDirectory, signal);
      this.#hostname ??= hostname;
      await this.#resolvConf.set(resolvConf, signal);
    });
  }

  #findHooks(directory: string, signal: AbortSignal): Promise<Hooks> {
    const { report } = this.guest.hooks;
    const found = guestHooksIn(directory, (hook, error) =>
      report("warn", "no guest hooks", { hook, error }),
    );
    return unlessAborted(found, signal);
  }

  /** Throws what `refuse` makes of it when there is none: hosts expect one code here, another there. */
  container(id: string, refuse: (message: string) => AgentError = invalidArgument): Container {
    const container = this.#containers.get(id);
    if (container === undefined) {
      throw refuse(`Invalid container id ${quote(id)}: container not found`);
    }
    return container;
  }

  get containers(): readonly Container[] {
    return [...this.#containers.values()];
  }

  /** The first process has two names: "" and the container's id. */
  process(containerId: string, execId: string): Process {
    const container = this.container(containerId);
    const process = container.processes.get(execId || containerId);
    if (process !== undefined) return process;
    const which =
      execId === "" || execId === containerId ? "init process missing" : "invalid exec id";
    // The Go runtime looks for the errno's text, the other for the first words.
    throw notFound(`Process not found: ${which} (ESRCH: No such process)`);
  }

  async createContainer(options: CreateContainer): Promise<void> {
    const { id, devices = [], storages = [], sharedMounts = [], signal } = options;
    const release = await this.#claim(id, signal);
    try {
      refuseUnsupported(options.spec.linux);
      await using undo = new AsyncDisposableStack();
      undo.defer(() => this.#equipment.forget(id));
      const spec = await this.#equipment.equip(id, devices, options.spec, signal);
      undo.defer(() => this.storages.release(id));
      const held = await phase("storages", () => this.storages.add(id, storages, signal));
      undo.defer(() => this.#userNamespaces.release(id));
      const container = await this.#make({ ...options, spec });
      undo.defer(() => container.destroy());
      const { warn } = this.guest;
      await shareMounts(sharedMounts, this.containers, container, { signal, warn });
      held?.keep();
      if (this.#containers.size === 0) this.#pidNamespace.adopt(container);
      this.#containers.set(id, container);
      undo.move();
    } finally {
      release();
    }
  }

  /** Run one more process in a container. Throws what `Container.exec` does. */
  async exec(
    containerId: string,
    execId: string,
    process: ContainerProcess,
    signal: AbortSignal,
  ): Promise<void> {
    const container = this.container(containerId, internal);
    await container.exec(execId, this.#equipment.process(containerId, process), signal);
  }

  /** Ends everything in it, once, whoever asks meanwhile. The id is free again once that is done. */
  removeContainer(container: Container): Promise<void> {
    const removal =
      this.#removals.get(container) ??
      this.#remove(container).finally(() => this.#removals.delete(container));
    this.#removals.set(container, removal);
    return removal;
  }

  async #remove(container: Container): Promise<void> {
    await container.destroy();
    this.#userNamespaces.release(container.id);
    this.#equipment.forget(container.id);
    await this.storages.release(container.id);
    this.#pidNamespace.endWith(container);
    // Last: the next one with the id has the same directories.
    this.#containers.delete(container.id);
  }

  /** All containers, then what they shared; all errors together at the end. */
  async destroy(): Promise<void> {
    const results = await Promise.allSettled([
      ...this.containers.map((container) => this.removeContainer(container)),
      this.#resolvConf.restore(),
    ]);
    await this.storages.end();
    this.#pidNamespace.close();
    this.#namespaces?.remove();
    this.#namespaces = undefined;
    this.#hostname = undefined;
    const errors = results.flatMap((result) =>
      result.status === "rejected" ? [result.reason] : [],
    );
    if (errors.length > 0) throw new AggregateError(errors, errors.map(String).join("; "));
  }

  /**
   * Reserve the id; gives what frees it again. A caller that went away leaves its id behind for as long
   * as its container is unmade. Nothing is awaited between the last look and the claim: two callers
   * would both have it.
   */
  async #claim(id: string, signal: AbortSignal): Promise<() => void> {
    const pending = this.#pending.get(id);
    if (pending?.signal.aborted === true) {
      await pending.over;
      signal.throwIfAborted();
      return this.#claim(id, signal);
    }
    if (pending !== undefined || this.#containers.has(id)) {
      throw internal(`container ${id} already exists`);
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#pending.set(id, { signal, over: promise });
    return () => {
      this.#pending.delete(id);
      resolve();
    };
  }

  async #make({ id, spec, sandboxPidns, signal }: CreateContainer): Promise<Container> {
    using opened = new DisposableStack();
    const userNamespace = await this.#userNamespaces.acquire(id, spec.linux, this.#hostname);
    const placement = placementOf(
      spec.linux,
      sandboxPidns,
      {
        namespaces: this.#namespaces,
        userNamespace,
        pidNamespace: this.#pidNamespace.held,
        hasContainers: this.#containers.size > 0,
        cgroupVersion: this.guest.cgroupVersion,
      },
      opened,
    );
    const { guest } = this;
    const hooks = mergeHooks(spec.hooks ?? {}, this.#hooks);
    const forgiven = this.#forgivenOf(spec.hooks ?? {});
    const { oomScoreAdj = guest.oomScoreAdj } = spec.process;
    return await Container.create({
      id,
      spec: { ...spec, hooks, process: { ...spec.process, oomScoreAdj } },
      guest,
      placement,
      forgiven,
      signal,
      // Nobody asks how the pod's own container ended.
      onOomKill: id === this.#id ? undefined : () => this.oomEvents.push(id),
    });
  }

  /** Kata's own agent forgives all, and a guest's image may bring along what has never worked. */
  #forgivenOf(own: Hooks): ReadonlySet<Hook> {
    const { fatal } = this.guest.hooks;
    return new Set([
      ...(fatal === "none" ? allHooks(own) : []),
      ...(fatal === "all" ? [] : allHooks(this.#hooks)),
    ]);
  }
}
