// Connections of the host that wait for the process they are to be streams of. The host names each by
// its own port of it.
import { until } from "../async/until.ts";
import type { Fd } from "../kernel/fd.ts";
import { accept, vsockPeerPort } from "../kernel/listener.ts";
import type { Warn } from "./guest.ts";
import { PassedStreams } from "./passed-streams.ts";

/** Each request can name three. The oldest is closed for one more. */
const MOST_WAITING = 256;
/** A connection may be on its way while its port is named already: as long as Kata's agent waits. */
const ARRIVED_IN_MS = 300;

/** 0: none. */
export type Ports = {
  readonly stdinPort: number;
  readonly stdoutPort: number;
  readonly stderrPort: number;
};

export class StreamPorts {
  readonly #waiting = new Map<number, Fd>();
  readonly #warn: Warn;
  #isServed = false;

  constructor(warn: Warn) {
    this.#warn = warn;
  }

  /** Take connections of vsock. Throws a KernelError when there will be no more. */
  async serve(listener: Fd): Promise<never> {
    this.#isServed = true;
    for (;;) {
      const connection = await accept(listener);
      const port = vsockPeerPort(connection);
      if (port === undefined) connection.close();
      else this.add(port, connection);
    }
  }

  /** It takes the place of an older one with the same port. */
  add(port: number, connection: Fd): void {
    this.#isServed = true;
    const [oldest] = this.#waiting.size < MOST_WAITING ? [] : this.#waiting.keys();
    for (const gone of [port, oldest]) if (gone !== undefined) this.#take(gone)?.close();
    this.#waiting.set(port, connection);
  }

  /** Those that are there by then: what does not come is left out, with a warning. */
  async take(ports: Ports, signal: AbortSignal): Promise<PassedStreams> {
    const { stdinPort, stdoutPort, stderrPort } = ports;
    const asked = [stdinPort, stdoutPort, stderrPort].filter((port) => port !== 0);
    if (asked.length === 0) return new PassedStreams({});
    const haveCome = () => asked.every((port) => this.#waiting.has(port)) || signal.aborted;
    if (this.#isServed) await until(haveCome, ARRIVED_IN_MS);
    const found = (name: string, port: number) => {
      const connection = this.#take(port);
      if (connection === undefined && port !== 0)
        this.#warn("a stream of the host is missing", { stream: name, port: `${port}` });
      return connection && { [name]: connection };
    };
    return new PassedStreams({
      ...found("stdin", stdinPort),
      ...found("stdout", stdoutPort),
      ...found("stderr", stderrPort),
    });
  }

  #take(port: number): Fd | undefined {
    const connection = this.#waiting.get(port);
    this.#waiting.delete(port);
    return connection;
  }
}
