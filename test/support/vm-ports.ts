// The host's ends of a guest's virtio-serial ports: QEMU connects them to us when it starts. What is
// behind each of them in the guest is test/vm/guest.c.
import { join } from "node:path";

/** Port 1 has the shell; each other one serves one connection in the life of the guest. */
export const PORTS = 13;

/** Whoever hears what comes in. Our ttRPC client is one. */
export type Receiver = {
  receive(chunk: Uint8Array): void;
  drain(): void;
  lost(): void;
};

type Socket = Bun.Socket<Port>;

export class Port {
  readonly socket: Socket;
  #receiver: Receiver | undefined;
  readonly #early: Uint8Array[] = [];
  #isLost = false;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  /** All that has come in goes to `receiver`, and all that will. */
  attach(receiver: Receiver): void {
    this.#receiver = receiver;
    for (const chunk of this.#early.splice(0)) this.receive(chunk);
    if (this.#isLost) this.lost();
  }

  receive(chunk: Uint8Array): void {
    if (this.#receiver === undefined) this.#early.push(chunk);
    else this.#receiver.receive(chunk);
  }

  drain(): void {
    this.#receiver?.drain();
  }

  lost(): void {
    this.#isLost = true;
    this.#receiver?.lost();
  }

  /** Ask the relay for a vsock port of the guest. Resolves when somebody there has accepted. */
  async connectTo(number: number): Promise<void> {
    const answer = this.#line();
    this.socket.write(`CONNECT ${number}\n`);
    const line = await answer;
    if (line !== `OK ${number}`) throw new Error(`the relay to port ${number} says "${line}"`);
  }

  /** The next line, without its end; what comes after it waits for the next receiver. */
  #line(): Promise<string> {
    const line = Promise.withResolvers<string>();
    let received = Buffer.alloc(0);
    this.attach({
      receive: (chunk) => {
        received = Buffer.concat([received, chunk]);
        const end = received.indexOf("\n");
        if (end < 0) return;
        this.#receiver = undefined;
        this.receive(received.subarray(end + 1));
        line.resolve(received.toString("latin1", 0, end));
      },
      drain: () => {},
      lost: () => line.reject(new Error("the guest has ended")),
    });
    return line.promise;
  }
}

/** The ports of one guest. QEMU connects them, in order and before the guest runs. */
export class Ports implements Disposable {
  /** For QEMU's command line. */
  readonly arguments: readonly string[];
  readonly #listener: Bun.UnixSocketListener<Port>;
  readonly #opened: Port[] = [];
  readonly #all = Promise.withResolvers<void>();
  #next = 1;

  constructor(directory: string) {
    const unix = join(directory, "ports");
    this.#listener = listen(unix, (port) => {
      if (this.#opened.push(port) === PORTS) this.#all.resolve();
    });
    this.arguments = [
      ...["-device", `virtio-serial,max_ports=${PORTS + 1}`],
      ...Array.from({ length: PORTS }, (_, index) => [
        ...["-chardev", `socket,id=port${index + 1},path=${unix}`],
        ...["-device", `virtserialport,nr=${index + 1},chardev=port${index + 1}`],
      ]).flat(),
    ];
  }

  get connected(): Promise<void> {
    return this.#all.promise;
  }

  get shell(): Port {
    return this.#at(0);
  }

  /** One that nobody has used. */
  take(): Port {
    return this.#at(this.#next++);
  }

  [Symbol.dispose](): void {
    this.#listener.stop(true);
  }

  #at(index: number): Port {
    const port = this.#opened[index];
    if (port === undefined) throw new Error(`a guest has ${PORTS} ports`);
    return port;
  }
}

function listen(unix: string, opened: (port: Port) => void): Bun.UnixSocketListener<Port> {
  return Bun.listen<Port>({
    unix,
    socket: {
      binaryType: "uint8array",
      open(socket) {
        socket.data = new Port(socket);
        opened(socket.data);
      },
      data({ data: port }, chunk: Uint8Array) {
        port.receive(chunk);
      },
      drain({ data: port }) {
        port.drain();
      },
      close({ data: port }) {
        port.lost();
      },
    },
  });
}
