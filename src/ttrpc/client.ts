/** A ttRPC client, for tests and tools: the agent itself calls nobody. */

import type { UnixAddress } from "./address.ts";
import { Code } from "./code.ts";
import { decodeResponse, encodeRequest, type Metadata } from "./envelope.ts";
import {
  type Frame,
  FrameReader,
  MAX_BODY,
  MESSAGE_REQUEST,
  MESSAGE_RESPONSE,
  oversizeText,
} from "./frame.ts";
import { Output, type Writable } from "./output.ts";
import { StatusError } from "./status.ts";

export type CallOptions = {
  /** Time that the server gives the call, in nanoseconds; none unless given. */
  readonly timeoutNano?: bigint;
  readonly metadata?: Metadata;
  /** Gives up waiting; the server is not told, for ttRPC has no way to. */
  readonly signal?: AbortSignal;
};

type Pending = {
  readonly resolve: (payload: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
};

type Socket = Writable & { terminate(): void };

const EMPTY = new Uint8Array(0);
const NO_METADATA: Metadata = new Map();

export class Client {
  readonly #socket: Socket;
  readonly #reader = new FrameReader();
  readonly #output = new Output();
  readonly #pending = new Map<number, Pending>();
  readonly #closed = Promise.withResolvers<void>();
  #isClosed = false;
  #flushing = false;
  #nextId = 1;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Resolves when the connection has ended, from either side. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /**
   * The payload of the answer.
   * @throws StatusError what the server refused with; RESOURCE_EXHAUSTED for a request or answer over
   * the size limit; UNAVAILABLE when the connection is closed. The signal's reason when it fires.
   */
  call(
    service: string,
    method: string,
    payload: Uint8Array,
    options: CallOptions = {},
  ): Promise<Uint8Array> {
    const { timeoutNano = 0n, metadata = NO_METADATA, signal } = options;
    const body = encodeRequest({ service, method, payload, timeoutNano, metadata });
    if (this.#isClosed) return Promise.reject(closedError());
    if (body.length > MAX_BODY) return Promise.reject(oversizeError(body.length));
    if (signal?.aborted) return Promise.reject(signal.reason);

    const id = this.#nextId;
    this.#nextId = (id + 2) >>> 0;
    this.#send(id, body);
    const answer = Promise.withResolvers<Uint8Array>();
    this.#pending.set(id, answer);
    if (signal === undefined) return answer.promise;
    return this.#until(signal, id, answer);
  }

  close(): void {
    this.lost();
    this.#socket.terminate();
  }

  receive(chunk: Uint8Array): void {
    this.#reader.push(chunk);
    for (let frame = this.#reader.next(); frame; frame = this.#reader.next()) this.#accept(frame);
  }

  drain(): void {
    this.#flush();
  }

  lost(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const { reject } of this.#pending.values()) reject(closedError());
    this.#pending.clear();
    this.#closed.resolve();
  }

  async #until(
    signal: AbortSignal,
    id: number,
    answer: PromiseWithResolvers<Uint8Array>,
  ): Promise<Uint8Array> {
    const giveUp = () => {
      this.#pending.delete(id);
      answer.reject(signal.reason);
    };
    signal.addEventListener("abort", giveUp);
    try {
      return await answer.promise;
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  #accept({ id, type, length, bytes, start }: Frame): void {
    const pending = this.#pending.get(id);
    if (pending === undefined || type !== MESSAGE_RESPONSE) return;
    this.#pending.delete(id);
    if (length > MAX_BODY) {
      pending.reject(oversizeError(length));
      return;
    }
    try {
      const { status, payload } = decodeResponse(bytes, start, start + length);
      if (status.code === Code.OK) pending.resolve(payload);
      else pending.reject(new StatusError(status.code, status.message));
    } catch (error) {
      pending.reject(error);
    }
  }

  #send(id: number, body: Uint8Array): void {
    const header = { length: body.length, id, type: MESSAGE_REQUEST, flags: 0 };
    this.#output.frame(header, EMPTY, 0, body);
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(this.#flush);
  }

  readonly #flush = (): void => {
    this.#flushing = false;
    if (!this.#isClosed) this.#output.flush(this.#socket);
  };
}

/** Connect to a unix socket, or adopt a descriptor that is connected already. */
export async function connect(target: UnixAddress | { readonly fd: number }): Promise<Client> {
  const socket: Bun.SocketHandler<Client> = {
    binaryType: "uint8array",
    open(opened) {
      opened.data = new Client(opened);
    },
    data({ data: client }, chunk: Uint8Array) {
      client.receive(chunk);
    },
    drain({ data: client }) {
      client.drain();
    },
    close({ data: client }) {
      client.lost();
    },
  };
  const connected =
    "fd" in target
      ? await Bun.connect<Client>({ fd: target.fd, socket })
      : await Bun.connect<Client>({ unix: target.path, socket });
  return connected.data;
}

function closedError(): StatusError {
  return new StatusError(Code.UNAVAILABLE, "connection closed");
}

function oversizeError(length: number): StatusError {
  return new StatusError(Code.RESOURCE_EXHAUSTED, oversizeText(length));
}
