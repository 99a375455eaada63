// A container's cgroup where systemd is process 1: systemd makes it, as a scope that it delegates, and
// it is used as one of our own from then on. Behind systemd's back no cgroup is safe: on v2 there is one
// writer to each part of the tree (https://systemd.io/CGROUP_DELEGATION).
import type { Fd } from "../kernel/fd.ts";
import { internal } from "../error.ts";
import type { Resources } from "../oci/resources.ts";
import { closeOthers } from "../program/descriptors.ts";
import { type Child, launch, openControl } from "../tape/player.ts";
import { Tape } from "../tape/tape.ts";
import { DBus, DBusError } from "./dbus.ts";
import type { Argument, Property } from "./dbus-message.ts";
import { type DevicePolicy, devicePolicy } from "./device-policy.ts";
import type { OomWatch } from "./oom.ts";
import type { Stats } from "./stats.ts";
import { deviceProperties } from "./systemd-devices.ts";
import { unitProperties } from "./systemd-properties.ts";
import type { SystemdUnit } from "./systemd-unit.ts";
import { type CgroupV1, adoptV1 } from "./v1.ts";
import { type CgroupV2, adoptV2 } from "./v2.ts";

/**
 * Where systemd's manager talks D-Bus to root without a daemon between, in every image that it runs in.
 * Here each connection hears of the end of every job, unasked.
 */
const MANAGER_SOCKET = "/run/systemd/private";

const MANAGER = {
  destination: "org.freedesktop.systemd1",
  path: "/org/freedesktop/systemd1",
  interface: "org.freedesktop.systemd1.Manager",
} as const;

const NO_SUCH_UNIT = "org.freedesktop.systemd1.NoSuchUnit";
const UNIT_EXISTS = "org.freedesktop.systemd1.UnitExists";

/** Throws a DBusError if systemd refuses, an AgentError if the unit is in use; then nothing is left. */
export async function createSystemd(unit: SystemdUnit, version: 1 | 2): Promise<CgroupSystemd> {
  await using undo = new AsyncDisposableStack();
  const manager = await connection();
  const keeper = undo.adopt(startKeeper(), endKeeper);
  await startScope(manager, unit, keeper.pid);
  undo.defer(() => stopScope(unit));
  const inner = version === 2 ? adoptV2(unit.path) : adoptV1(unit.path);
  undo.move();
  return new CgroupSystemd(unit, inner, version, keeper);
}

/** What the kernel sees. */
type Inner = CgroupV1 | CgroupV2;

export class CgroupSystemd {
  readonly entry: Inner["entry"];
  readonly view: Inner["view"];
  readonly #unit: SystemdUnit;
  readonly #inner: Inner;
  readonly #version: 1 | 2;
  /** undefined once the container's first process is in. */
  #keeper: Child | undefined;
  #pids: Resources["pids"];
  /** As systemd was told last. */
  #devices: DevicePolicy | undefined;

  constructor(unit: SystemdUnit, inner: Inner, version: 1 | 2, keeper: Child) {
    this.#unit = unit;
    this.#inner = inner;
    this.#version = version;
    this.#keeper = keeper;
    this.entry = inner.entry;
    this.view = inner.view;
  }

  async apply(resources: Resources): Promise<void> {
    const { pids, ...others } = resources;
    // The keeper counts, too, as long as it is there.
    if (this.#keeper !== undefined) this.#pids = pids;
    await this.#apply(this.#keeper === undefined ? resources : others);
  }

  async entered(): Promise<void> {
    if (this.#keeper === undefined) return;
    await endKeeper(this.#keeper);
    this.#keeper = undefined;
    if (this.#pids !== undefined) await this.#apply({ pids: this.#pids });
  }

  addProcessors(): Promise<void> {
    return this.#inner.addProcessors();
  }

  stats(): Promise<Stats> {
    return this.#inner.stats();
  }

  nestedOf(pid: number): Fd | undefined {
    return this.#inner.nestedOf(pid);
  }

  watchOom(onKill: () => void): OomWatch | undefined {
    return this.#inner.watchOom(onKill);
  }

  /** Through the files, as without systemd: not every version of it knows FreezeUnit. */
  freeze(): Promise<void> {
    return this.#inner.freeze();
  }

  thaw(): Promise<void> {
    return this.#inner.thaw();
  }

  kill(): Promise<void> {
    return this.#inner.kill();
  }

  async destroy(): Promise<void> {
    if (this.#keeper !== undefined) await endKeeper(this.#keeper);
    this.#keeper = undefined;
    try {
      await this.#inner.destroy();
    } finally {
      await stopScope(this.#unit);
    }
  }

  async #apply(resources: Resources): Promise<void> {
    const policy = devicePolicy(resources.devices ?? [], this.#devices);
    const properties = [
      ...unitProperties(resources, this.#version),
      // The program that v2 has for it is nothing that systemd touches.
      ...(this.#version === 1 ? deviceProperties(policy) : []),
    ];
    if (properties.length > 0) {
      await call(await connection(), "SetUnitProperties", [
        { type: "s", value: this.#unit.name },
        // At run time only: nothing is to be left in /etc.
        { type: "b", value: true },
        { type: "a(sv)", value: properties },
      ]);
    }
    await this.#inner.apply(resources);
    this.#devices = policy;
  }
}

/**
 * A scope begins with a process and ends with its last. The container's own is born in its cgroup, which
 * has to be there before: this one, which does nothing, keeps it until then.
 */
function startKeeper(): Child {
  const tape = new Tape();
  const control = openControl();
  closeOthers(tape, [control.child.number]);
  tape.park("keep the scope until the container is in it");
  return launch({ tape, control });
}

async function endKeeper(keeper: Child): Promise<void> {
  keeper[Symbol.dispose]();
  await keeper.exit;
}

async function startScope(manager: DBus, unit: SystemdUnit, pid: number): Promise<void> {
  const properties: Property[] = [
    ["Description", { type: "s", value: "Kata container" }],
    ["Slice", { type: "s", value: unit.slice }],
    ["Delegate", { type: "b", value: true }],
    // No dependency on a shutdown: the runtime ends its containers, not the guest.
    ["DefaultDependencies", { type: "b", value: false }],
    // One that has failed is forgotten as one that has ended: its name is free.
    ["CollectMode", { type: "s", value: "inactive-or-failed" }],
    ...["CPUAccounting", "MemoryAccounting", "IOAccounting", "TasksAccounting"].map(
      (name): Property => [name, { type: "b", value: true }],
    ),
    ["PIDs", { type: "au", value: [pid] }],
  ];
  try {
    await job(manager, "StartTransientUnit", [
      { type: "s", value: unit.name },
      { type: "s", value: "fail" },
      { type: "a(sv)", value: properties },
      { type: "a(sa(sv))" },
    ]);
  } catch (error) {
    if (error instanceof DBusError && error.errorName === UNIT_EXISTS)
      throw internal(`systemd unit ${unit.name} is in use`);
    throw error;
  }
}

/** It may have ended by itself, with its last process. */
async function stopScope({ name }: SystemdUnit): Promise<void> {
  try {
    await job(await connection(), "StopUnit", [
      { type: "s", value: name },
      { type: "s", value: "replace" },
    ]);
  } catch (error) {
    if (!(error instanceof DBusError && error.errorName === NO_SUCH_UNIT)) throw error;
  }
}

/** A call that starts a job, to the end of the job. Throws an AgentError unless it is done. */
async function job(manager: DBus, member: string, args: readonly Argument[]): Promise<void> {
  const ended = new Map<string, string>();
  let wake = () => {};
  // It may be over before the answer is read.
  using _ = manager.listen(({ member: name, body: [, path, , result] }) => {
    if (name !== "JobRemoved") return;
    ended.set(String(path), String(result));
    wake();
  });
  const [path] = await call(manager, member, args);
  const own = String(path);
  await manager.patiently(
    `${member}: the job`,
    new Promise<void>((resolve) => {
      wake = () => ended.has(own) && resolve();
      wake();
    }),
  );
  const result = ended.get(own);
  if (result !== "done") throw internal(`systemd: ${member} of ${unitOf(args)}: ${result}`);
}

function unitOf([first]: readonly Argument[]): string {
  return first?.type === "s" ? first.value : "a unit";
}

function call(manager: DBus, member: string, args: readonly Argument[]) {
  return manager.call({ ...MANAGER, member, arguments: args });
}

let connected: Promise<DBus> | undefined;

/** One for all; a new one after systemd has closed it, as when it executes itself anew. */
function connection(): Promise<DBus> {
  connected ??= connect();
  return connected;
}

async function connect(): Promise<DBus> {
  const forget = () => {
    connected = undefined;
  };
  try {
    const bus = await DBus.connect(MANAGER_SOCKET);
    bus.closed.catch(forget);
    return bus;
  } catch (error) {
    forget();
    throw error;
  }
}
