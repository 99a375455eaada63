// Spans on their way to the host: kept for a moment, sent together, lost if nobody takes them. The agent
// never waits for it.
import { dial } from "../kernel/dial.ts";
import { errnoNumber } from "../linux/errno.ts";
import { read } from "../linux/io.ts";
import type { Fd } from "../kernel/fd.ts";
import type { ListenAddress } from "../kernel/listener.ts";
import { attempt } from "../kernel/perform.ts";
import { readable } from "../kernel/poll.ts";
import { writeAll } from "../kernel/relay.ts";
import { otlpJson } from "./otlp.ts";
import type { Attributes, Span } from "./span.ts";

export type ExporterOptions = {
  readonly address: ListenAddress;
  /** The same as text. */
  readonly name: string;
  readonly resource: Attributes;
  /** Hears that spans were lost, once for each time that it begins. */
  readonly onLoss: (error: unknown) => void;
};

/** From the first span to the sending of all that came by then. */
const BATCH_MS = 1000;
const MOST_IN_BATCH = 512;
/** That wait to be sent; what comes beyond them is lost. */
const MOST = 4096;
/** For a batch. */
const PATIENCE_MS = 5000;
/** Of a response only its first line counts: `HTTP/1.1 200`. */
const STATUS = /^HTTP\/1\.[01] (\d{3})/;
const STATUS_LENGTH = 12;

const EAGAIN = -errnoNumber("EAGAIN");

export class Exporter {
  readonly #options: ExporterOptions;
  readonly #waiting: Span[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sending: Promise<void> = Promise.resolve();
  #isLosing = false;

  constructor(options: ExporterOptions) {
    this.#options = options;
  }

  add(span: Span): void {
    if (this.#waiting.length >= MOST) return this.#lose(new Error(`more than ${MOST} spans wait`));
    this.#waiting.push(span);
    this.#timer ??= setTimeout(() => void this.flush(), BATCH_MS);
  }

  /** Resolves when all that was added is sent or lost. Never throws. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sending = this.#sending.then(() => this.#sendAll());
    return this.#sending;
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MOST_IN_BATCH);
      try {
        await this.#send(otlpJson(batch, this.#options.resource));
        this.#isLosing = false;
      } catch (error) {
        this.#lose(error);
      }
    }
  }

  #lose(error: unknown): void {
    if (!this.#isLosing) this.#options.onLoss(error);
    this.#isLosing = true;
  }

  /** Throws an Error if the host does not take it. */
  async #send(json: string): Promise<void> {
    const { address, name } = this.#options;
    const late = AbortSignal.timeout(PATIENCE_MS);
    using socket = await dial(address, name, late);
    const end = () => socket.close();
    late.addEventListener("abort", end);
    try {
      if (!(await writeAll(socket, request(json)))) throw new Error(`${name} takes no spans`);
      const status = await statusFrom(socket);
      if (!status.startsWith("2")) throw new Error(`${name} answers ${status || "nothing"}`);
    } finally {
      late.removeEventListener("abort", end);
    }
  }
}

/** HTTP/1.1, a connection for each batch: a host that forwards them is then as simple as can be. */
function request(json: string): Uint8Array {
  const body = new TextEncoder().encode(json);
  const head = [
    "POST /v1/traces HTTP/1.1",
    "Host: localhost",
    "Content-Type: application/json",
    `Content-Length: ${body.length}`,
    "Connection: close",
  ];
  return Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body]);
}

/** Empty if there is none. */
async function statusFrom(socket: Fd): Promise<string> {
  const buffer = new Uint8Array(STATUS_LENGTH);
  let text = "";
  while (text.length < STATUS_LENGTH && socket.isOpen) {
    const length = attempt(read(socket.number, buffer.subarray(text.length)));
    if (length === EAGAIN) await readable(socket.number);
    else if (length <= 0) break;
    else text += Buffer.from(buffer.subarray(text.length, text.length + length)).toString("latin1");
  }
  return STATUS.exec(text)?.[1] ?? "";
}
