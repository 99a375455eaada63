// Devices that come while somebody waits for them.
//
// What there is stands in sysfs, so nothing that the kernel has told is kept: whoever waits listens
// first and looks at sysfs then. A device that was there before the agent is found as quickly as one
// that has just come, and none can come unnoticed in between.
import { Mutex } from "../async/mutex.ts";
import { internal } from "../error.ts";
import { linkTarget, namesIn } from "../kernel/listing.ts";
import { attempt } from "../kernel/perform.ts";
import { tryReadText } from "../kernel/file.ts";
import { OVERRUN, UeventSocket } from "../kernel/uevent-socket.ts";
import { exists } from "../linux/fs.ts";
import { type Uevent, parseUevent } from "./uevent.ts";

/** A device that may be there, or is to come. */
export type Wanted = {
  /** For the error of a wait in vain. */
  readonly name: string;
  /** Where sysfs has it: one of the links of a class, or the directory of a known device. */
  readonly place: { readonly class: "block" | "net" } | { readonly devpath: string };
  readonly matches: (device: Uevent) => boolean;
};

/** The device that sysfs has at `devpath`, and nowhere else. */
export function knownDevice(devpath: string, name: string): Wanted {
  return { name, place: { devpath }, matches: (device) => device.devpath === devpath };
}

/** What the kernel tells, from when it is opened on. */
export type UeventSource = Disposable & {
  messages(): AsyncGenerator<Uint8Array | typeof OVERRUN>;
};

export type HotplugOptions = {
  /** How long a device may take to appear. */
  readonly timeoutMs: number;
  /** Where sysfs and devtmpfs are mounted. */
  readonly sys?: string;
  readonly dev?: string;
  readonly open?: () => UeventSource;
};

/** In the error of a wait in vain. */
const MOST_SEEN = 5;

type Waiter = {
  readonly wanted: Wanted;
  /** What came meanwhile and is not wanted: a place that is mistaken is found by it. */
  readonly seen: Set<string>;
  readonly resolve: (device: Uevent) => void;
  readonly reject: (reason: unknown) => void;
};

export class Hotplug {
  readonly sys: string;
  readonly dev: string;
  /** For who gives functions another driver: two requests may name the same one. */
  readonly drivers = new Mutex();
  readonly #timeoutMs: number;
  readonly #open: () => UeventSource;
  readonly #waiters = new Set<Waiter>();
  #source: UeventSource | undefined;

  constructor({ timeoutMs, sys = "/sys", dev = "/dev", open = UeventSocket.open }: HotplugOptions) {
    this.sys = sys;
    this.dev = dev;
    this.#timeoutMs = timeoutMs;
    this.#open = open;
  }

  /** How many wait. Nothing is listened to while nobody does. */
  get waiters(): number {
    return this.#waiters.size;
  }

  /** Throws an AgentError when it does not come in time, or what `signal` says. */
  async find(wanted: Wanted, signal: AbortSignal): Promise<Uevent> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Uevent>();
    const waiter = { wanted, seen: new Set<string>(), resolve, reject };
    using stack = new DisposableStack();
    const giveUp = () => reject(signal.reason);
    signal.addEventListener("abort", giveUp);
    stack.defer(() => signal.removeEventListener("abort", giveUp));
    const timer = setTimeout(() => reject(this.#late(waiter)), this.#timeoutMs);
    stack.defer(() => clearTimeout(timer));
    stack.defer(() => this.#remove(waiter));
    this.#add(waiter);
    void this.#look(waiter);
    return await promise;
  }

  /** Whether sysfs has `devpath`. */
  has(devpath: string): boolean {
    return attempt(exists(this.sys + devpath)) >= 0;
  }

  /** Whether /dev has a node of that name. */
  hasNode(devname: string): boolean {
    return attempt(exists(`${this.dev}/${devname}`)) >= 0;
  }

  #late({ wanted, seen }: Waiter): Error {
    const text = `Timeout after ${this.#timeoutMs / 1000}s waiting for uevent ${wanted.name}`;
    return internal(seen.size === 0 ? text : `${text}; meanwhile came ${[...seen].join(", ")}`);
  }

  #add(waiter: Waiter): void {
    this.#waiters.add(waiter);
    if (this.#source !== undefined) return;
    this.#source = this.#open();
    void this.#listen(this.#source);
  }

  #remove(waiter: Waiter): void {
    this.#waiters.delete(waiter);
    if (this.#waiters.size > 0) return;
    this.#source?.[Symbol.dispose]();
    this.#source = undefined;
  }

  async #listen(source: UeventSource): Promise<void> {
    try {
      for await (const message of source.messages()) this.#hear(message);
    } catch (error) {
      for (const { reject } of this.#waiters) reject(error);
    }
  }

  #hear(message: Uint8Array | typeof OVERRUN): void {
    if (message === OVERRUN) {
      for (const waiter of this.#waiters) void this.#look(waiter);
      return;
    }
    const event = parseUevent(message);
    if (event?.action !== "add") return;
    for (const { wanted, seen, resolve } of this.#waiters) {
      if (wanted.matches(event)) resolve(event);
      else if (seen.size < MOST_SEEN) seen.add(event.devpath);
    }
  }

  /** Resolves the waiter if what it waits for is there. */
  async #look({ wanted, resolve, reject }: Waiter): Promise<void> {
    try {
      const { place } = wanted;
      const devices =
        "class" in place ? await this.#classOf(place.class) : this.#deviceAt(place.devpath);
      const found = devices.find((device) => wanted.matches(device) && this.#isComplete(device));
      if (found !== undefined) resolve(found);
    } catch (error) {
      reject(error);
    }
  }

  /** All that is in /sys/class/`name`, as the kernel would tell of it. */
  async #classOf(subsystem: "block" | "net"): Promise<readonly Uevent[]> {
    const directory = `${this.sys}/class/${subsystem}`;
    const names = await namesIn(directory);
    const targets = await Promise.all(names.map((name) => linkTarget(`${directory}/${name}`)));
    return names.flatMap((name, index) => {
      // One that is no link is no device, as bonding_masters of the interfaces.
      const devpath = targets[index]?.replace(/^(\.\.\/)+/, "/");
      if (devpath === undefined) return [];
      const isBlock = subsystem === "block";
      return {
        action: "add",
        devpath,
        subsystem,
        // A slash cannot be in the name of a directory.
        devname: isBlock ? name.replaceAll("!", "/") : "",
        interfaceName: isBlock ? "" : name,
      };
    });
  }

  #deviceAt(devpath: string): readonly Uevent[] {
    if (!this.has(devpath)) return [];
    const text = tryReadText(`${this.sys}${devpath}/uevent`) ?? "";
    const devname = /^DEVNAME=(.*)$/m.exec(text)?.[1] ?? "";
    return [{ action: "add", devpath, subsystem: "", devname, interfaceName: "" }];
  }

  /** sysfs has a device a moment before /dev has its node; the kernel tells of it after both. */
  #isComplete({ devname }: Uevent): boolean {
    return devname === "" || this.hasNode(devname);
  }
}
