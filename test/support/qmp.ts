// QEMU's monitor (docs/interop/qmp-spec): what is plugged into a machine, and pulled out of it, while it
// runs. Commands, events and properties have QEMU's names; `qemu-system-x86_64 -device NAME,help` lists
// the properties of a driver.
import { join } from "node:path";
import { Channel } from "./vm-channel.ts";

export type Properties = Readonly<Record<string, unknown>>;

type Event = { readonly event: string; readonly data?: Properties };

type Answer = {
  readonly id: number;
  readonly return?: unknown;
  readonly error?: { readonly class: string; readonly desc: string };
};

type Greeting = { readonly QMP: unknown };

/** The monitor of one machine. QEMU connects it before the guest runs. */
export class Qmp implements Disposable {
  /** For QEMU's command line. */
  readonly arguments: readonly string[];
  readonly #listener: Bun.UnixSocketListener<Channel>;
  readonly #channel = Promise.withResolvers<Channel>();
  readonly #answers = new Map<number, PromiseWithResolvers<unknown>>();
  /** What nobody has waited for yet. */
  readonly #events: Event[] = [];
  #more = Promise.withResolvers<void>();
  #ready: Promise<unknown>;
  #received = "";
  #serial = 0;
  #isLost = false;

  constructor(directory: string) {
    const unix = join(directory, "qmp");
    const socket = Channel.handler((channel) => {
      channel.attach({
        receive: (chunk) => this.#receive(chunk),
        drain: () => {},
        lost: () => this.#lose(),
      });
      this.#channel.resolve(channel);
    });
    this.#listener = Bun.listen<Channel>({ unix, socket });
    this.arguments = ["-chardev", `socket,id=qmp,path=${unix}`, "-mon", "chardev=qmp,mode=control"];
    this.#ready = this.#send("qmp_capabilities", {});
    // A machine that never runs has nobody who asks.
    this.#ready.catch(() => {});
  }

  /** What QEMU returns. Throws with what it complains of. */
  async execute(command: string, properties: Properties = {}): Promise<unknown> {
    await this.#ready;
    return this.#send(command, properties);
  }

  async deviceAdd(driver: string, id: string, properties: Properties = {}): Promise<void> {
    await this.execute("device_add", { driver, id, ...properties });
  }

  /** Resolves when the guest has let go of it: the id and the place are free then. */
  async deviceDel(id: string): Promise<void> {
    await this.execute("device_del", { id });
    await this.event("DEVICE_DELETED", ({ device }) => device === id);
  }

  async objectAdd(type: string, id: string, properties: Properties = {}): Promise<void> {
    await this.execute("object-add", { "qom-type": type, id, ...properties });
  }

  /** The file becomes what a device has as its `drive`. */
  async blockdevAdd(nodeName: string, path: string, properties: Properties = {}): Promise<void> {
    const file = { driver: "file", filename: path };
    await this.execute("blockdev-add", {
      driver: "raw",
      "node-name": nodeName,
      file,
      ...properties,
    });
  }

  /** Of a device with this id. */
  async qomSet(id: string, property: string, value: unknown): Promise<void> {
    await this.execute("qom-set", { path: `/machine/peripheral/${id}`, property, value });
  }

  /**
   * One processor more, in the first free place; QEMU lists the last one first. Behind an empty place its
   * emulated processors are not interrupted by others: `apic_get_delivery_bitmask` of its hw/intc/apic.c
   * stops there. The kernel then waits for ever for the processor that it has woken.
   */
  async addProcessor(id: string): Promise<void> {
    const slots = (await this.execute("query-hotpluggable-cpus")) as readonly ProcessorSlot[];
    const free = slots.toReversed().find((slot) => slot["qom-path"] === undefined);
    if (free === undefined) throw new Error("the machine has no place for a processor");
    await this.deviceAdd(free.type, id, free.props);
  }

  /** The data of the first such event that nobody has been given yet, once it has come. */
  async event(name: string, isWanted: (data: Properties) => boolean): Promise<Properties> {
    for (;;) {
      const at = this.#events.findIndex(({ event, data = {} }) => event === name && isWanted(data));
      const [found] = at < 0 ? [] : this.#events.splice(at, 1);
      if (found !== undefined) return found.data ?? {};
      if (this.#isLost) throw new Error(`QEMU has ended without ${name}`);
      await this.#more.promise;
    }
  }

  [Symbol.dispose](): void {
    this.#listener.stop(true);
  }

  async #send(command: string, properties: Properties): Promise<unknown> {
    const { socket } = await this.#channel.promise;
    if (this.#isLost) throw new Error(`QEMU has ended before ${command}`);
    const id = ++this.#serial;
    const answer = Promise.withResolvers<unknown>();
    this.#answers.set(id, answer);
    socket.write(`${JSON.stringify({ execute: command, arguments: properties, id })}\n`);
    try {
      return await answer.promise;
    } catch (error) {
      throw new Error(`${command} ${JSON.stringify(properties)}`, { cause: error });
    }
  }

  /** A message a line. */
  #receive(chunk: Uint8Array): void {
    const lines = (this.#received + Buffer.from(chunk).toString()).split("\n");
    this.#received = lines.pop() ?? "";
    for (const line of lines) this.#take(JSON.parse(line));
  }

  #take(message: Event | Answer | Greeting): void {
    if ("event" in message) {
      this.#events.push(message);
      this.#wake();
    } else if ("id" in message) {
      const { id, error } = message;
      if (error === undefined) this.#answers.get(id)?.resolve(message.return);
      else this.#answers.get(id)?.reject(new Error(`${error.class}: ${error.desc}`));
      this.#answers.delete(id);
    }
  }

  #lose(): void {
    this.#isLost = true;
    for (const { reject } of this.#answers.values()) reject(new Error("QEMU has ended"));
    this.#answers.clear();
    this.#wake();
  }

  #wake(): void {
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }
}

type ProcessorSlot = {
  readonly type: string;
  readonly props: Properties;
  readonly "qom-path"?: string;
};
