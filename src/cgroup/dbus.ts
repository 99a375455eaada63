// A connection to a D-Bus peer over a unix socket.
import { within } from "../async/timeout.ts";
import { AgentError, internal } from "../error.ts";
import { joined } from "../linux/joined.ts";
import { type Message, type MethodCall, decodeMessage, encodeCall } from "./dbus-message.ts";

/** As long as D-Bus's own clients wait. */
const PATIENCE_MS = 25_000;

/** Lines of the handshake are short. */
const LONGEST_LINE = 1024;

/** What the peer refused. `errorName` tells machines why: `org.freedesktop.systemd1.NoSuchUnit`. */
export class DBusError extends AgentError {
  readonly errorName: string;

  constructor(member: string, { errorName, body }: Message) {
    super("INTERNAL", `${member}: ${body[0] ?? "refused"} (${errorName})`);
    this.errorName = errorName;
  }
}

type Pending = PromiseWithResolvers<Message>;

export class DBus {
  readonly #socket: Bun.Socket<DBus>;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Set<(signal: Message) => void>();
  readonly #accepted = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<never>();
  #received = new Uint8Array(0);
  #isAccepted = false;
  #unsent: Uint8Array[] = [];
  #serial = 0;

  private constructor(socket: Bun.Socket<DBus>) {
    this.#socket = socket;
    // Who waits for nothing at that moment does not care.
    this.#closed.promise.catch(() => {});
  }

  /** Connected and let in, as the user that the kernel says we are (SASL's EXTERNAL). */
  static async connect(path: string): Promise<DBus> {
    const opened = Promise.withResolvers<DBus>();
    const socket: Bun.SocketHandler<DBus> = {
      binaryType: "uint8array",
      open(own) {
        own.data = new DBus(own);
        opened.resolve(own.data);
      },
      data: ({ data: bus }, chunk: Uint8Array) => bus.#receive(chunk),
      drain: ({ data: bus }) => bus.#flush(),
      close: ({ data: bus }) => bus.#closed.reject(internal(`the connection to ${path} is closed`)),
    };
    await Bun.connect<DBus>({ unix: path, socket });
    const bus = await opened.promise;
    // The user's number, 0, in decimal and that in hexadecimal; the NUL in front comes with credentials.
    bus.#send(new TextEncoder().encode("\0AUTH EXTERNAL 30\r\n"));
    try {
      await bus.patiently(`the handshake with ${path}`, bus.#accepted.promise);
      return bus;
    } catch (error) {
      bus.close();
      throw error;
    }
  }

  /** Rejects when the connection has ended, from either side. */
  get closed(): Promise<never> {
    return this.#closed.promise;
  }

  /** The values of the answer. Throws a DBusError for a refusal. */
  async call(call: MethodCall): Promise<Message["body"]> {
    const serial = ++this.#serial;
    const pending: Pending = Promise.withResolvers();
    this.#pending.set(serial, pending);
    this.#send(encodeCall(serial, call));
    try {
      const answer = await this.patiently(call.member, pending.promise);
      if (answer.kind === "error") throw new DBusError(call.member, answer);
      return answer.body;
    } finally {
      this.#pending.delete(serial);
    }
  }

  /** Hear every signal until disposed. */
  listen(listener: (signal: Message) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  close(): void {
    this.#socket.terminate();
  }

  /** Wait for `work`, no longer than the connection lives and 25 s. */
  async patiently<Result>(what: string, work: Promise<Result>): Promise<Result> {
    const answer = Promise.race([work, this.#closed.promise]);
    if (!(await within(answer, PATIENCE_MS))) throw internal(`${what}: no answer within 25 s`);
    return answer;
  }

  #receive(chunk: Uint8Array): void {
    this.#received = joined([this.#received, chunk]);
    try {
      if (!this.#isAccepted) this.#handshake();
      if (this.#isAccepted) this.#messages();
    } catch (error) {
      this.#closed.reject(error);
      this.close();
    }
  }

  /** `OK` and the peer's id, or why not. */
  #handshake(): void {
    const end = this.#received.indexOf(0x0a);
    if (end < 0 && this.#received.length < LONGEST_LINE) return;
    const line = new TextDecoder().decode(this.#received.subarray(0, end)).trim();
    if (!line.startsWith("OK")) throw new Error(`D-Bus handshake: the peer answers "${line}"`);
    this.#received = this.#received.slice(end + 1);
    this.#isAccepted = true;
    this.#send(new TextEncoder().encode("BEGIN\r\n"));
    this.#accepted.resolve();
  }

  #messages(): void {
    for (;;) {
      const decoded = decodeMessage(this.#received);
      if (decoded === undefined) return;
      const { message, length } = decoded;
      this.#received = this.#received.slice(length);
      if (message.kind === "signal") for (const hear of this.#listeners) hear(message);
      else this.#pending.get(message.replySerial)?.resolve(message);
    }
  }

  #send(bytes: Uint8Array): void {
    this.#unsent.push(bytes);
    this.#flush();
  }

  #flush(): void {
    const bytes = joined(this.#unsent);
    const written = Math.max(0, this.#socket.write(bytes));
    this.#unsent = written < bytes.length ? [bytes.slice(written)] : [];
  }
}
