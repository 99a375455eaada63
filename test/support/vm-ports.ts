// The host's ends of a guest's virtio-serial ports. What is behind each of them in the guest is
// test/vm/guest.c.
import { join } from "node:path";
import { Channel } from "./vm-channel.ts";

/** Port 1 has the shell; each other one serves one connection in the life of the guest. */
export const PORTS = 13;

/** The ports of one guest. QEMU connects them, in order and before the guest runs. */
export class Ports implements Disposable {
  /** For QEMU's command line. */
  readonly arguments: readonly string[];
  readonly #listener: Bun.UnixSocketListener<Channel>;
  readonly #opened: Channel[] = [];
  readonly #all = Promise.withResolvers<void>();
  #next = 1;

  constructor(directory: string) {
    const unix = join(directory, "ports");
    const handler = Channel.handler((channel) => {
      if (this.#opened.push(channel) === PORTS) this.#all.resolve();
    });
    this.#listener = Bun.listen<Channel>({ unix, socket: handler });
    const numbers = Array.from({ length: PORTS }, (_, index) => index + 1);
    const sockets = numbers.map((number) => `socket,id=port${number},path=${unix}`);
    const ports = numbers.map((number) => `virtserialport,nr=${number},chardev=port${number}`);
    // Both boards have that bus; one that is named by nobody may be that of a bridge.
    const controller = `virtio-serial-pci,max_ports=${PORTS + 1},bus=pcie.0`;
    this.arguments = [
      ...sockets.flatMap((socket) => ["-chardev", socket]),
      ...[controller, ...ports].flatMap((each) => ["-device", each]),
    ];
  }

  get connected(): Promise<void> {
    return this.#all.promise;
  }

  get shell(): Channel {
    return this.#at(0);
  }

  /** A connection to a vsock port of the guest. The relay waits until somebody listens there. */
  async dial(port: number): Promise<Channel> {
    const channel = this.#at(this.#next++);
    if (await channel.connectTo(port)) return channel;
    throw new Error(`the guest has ended, and nobody listens at its port ${port}`);
  }

  [Symbol.dispose](): void {
    this.#listener.stop(true);
  }

  #at(index: number): Channel {
    const channel = this.#opened[index];
    if (channel === undefined) throw new Error(`a guest has ${PORTS} ports`);
    return channel;
  }
}
