// Who talks to the debug console.

export class ConsoleClient implements Disposable {
  text = "";
  readonly closed: Promise<void>;
  readonly #socket: Bun.Socket<undefined>;
  #more = Promise.withResolvers<void>();
  #isClosed = false;

  private constructor(socket: Bun.Socket<undefined>, closed: Promise<void>) {
    this.#socket = socket;
    this.closed = closed.then(() => {
      this.#isClosed = true;
      this.#wake();
    });
  }

  /** `path` begins with a NUL for an abstract name. */
  static async open(path: string): Promise<ConsoleClient> {
    const closed = Promise.withResolvers<void>();
    const early: string[] = [];
    let hear = (text: string) => void early.push(text);
    const socket = await Bun.connect<undefined>({
      unix: path,
      socket: {
        data: (_, data) => hear(data.toString()),
        close: () => closed.resolve(),
      },
    });
    const client = new ConsoleClient(socket, closed.promise);
    hear = (text) => {
      client.text += text;
      client.#wake();
    };
    early.forEach(hear);
    return client;
  }

  say(text: string): void {
    if (this.#socket.write(text) !== text.length) throw new Error("more than the socket takes");
  }

  /** Read nothing from here on. */
  pause(): void {
    this.#socket.pause();
  }

  /** What matches. Throws when the connection ends without it. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.text);
      if (found !== null) return found;
      if (this.#isClosed) throw new Error(`ended without ${pattern}: ${this.text}`);
      await this.#more.promise;
    }
  }

  /** All that was said until the console closed the connection. */
  async rest(): Promise<string> {
    await this.closed;
    return this.text;
  }

  [Symbol.dispose](): void {
    this.#socket.terminate();
  }

  #wake(): void {
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }
}
