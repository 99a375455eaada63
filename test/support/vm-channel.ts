// A stream of bytes to and from a guest, and the words with which a host asks for one of its vsock
// ports where vsock comes over a unix socket, as with Firecracker: "CONNECT 1024\n", "OK 1073741824\n".

/** Whoever hears what comes in. Our ttRPC client is one. */
export type Receiver = {
  receive(chunk: Uint8Array): void;
  drain(): void;
  lost(): void;
};

export class Channel {
  readonly socket: Bun.Socket<Channel>;
  #receiver: Receiver | undefined;
  readonly #early: Uint8Array[] = [];
  #isLost = false;
  #ownPort = 0;

  constructor(socket: Bun.Socket<Channel>) {
    this.socket = socket;
  }

  /** For whoever makes the socket; `opened` hears of each new one. */
  static handler(opened: (channel: Channel) => void = () => {}): Bun.SocketHandler<Channel> {
    return {
      binaryType: "uint8array",
      open(socket) {
        socket.data = new Channel(socket);
        opened(socket.data);
      },
      data({ data: channel }, chunk: Uint8Array) {
        channel.receive(chunk);
      },
      drain({ data: channel }) {
        channel.#receiver?.drain();
      },
      close({ data: channel }) {
        channel.lost();
      },
    };
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

  lost(): void {
    this.#isLost = true;
    this.#receiver?.lost();
  }

  /** False if nobody listens at that port, or no guest is there any more. */
  async connectTo(port: number): Promise<boolean> {
    const answer = this.#line();
    this.socket.write(`CONNECT ${port}\n`);
    const [, own] = /^OK (\d+)$/.exec(await answer) ?? [];
    this.#ownPort = Number(own ?? 0);
    return own !== undefined;
  }

  /** The port that the connection comes from, as the guest sees it. */
  get ownPort(): number {
    return this.#ownPort;
  }

  /** The next line; what comes after it waits for the next receiver. Empty at the end. */
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
      lost: () => line.resolve(""),
    });
    return line.promise;
  }
}
