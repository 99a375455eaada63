/** A peer that speaks frames by hand, so that a test decides every byte and when it is read. */

import { decodeResponse, encodeRequest, type Request } from "../../src/ttrpc/envelope.ts";
import {
  type Frame,
  FrameReader,
  HEADER_SIZE,
  MESSAGE_REQUEST,
  putHeader,
} from "../../src/ttrpc/frame.ts";
import { ECHO, text } from "./echo-service.ts";

const EMPTY: Uint8Array = new Uint8Array(0);

/** A frame as bytes. */
export function frame(
  id: number,
  body: Uint8Array = EMPTY,
  { type = MESSAGE_REQUEST, flags = 0, length = body.length } = {},
): Uint8Array {
  const bytes = new Uint8Array(HEADER_SIZE + body.length);
  bytes.set(body, putHeader(bytes, 0, { length, id, type, flags }));
  return bytes;
}

/** The body of a request, of the Echo service unless said otherwise. */
export function request(method: string, payload = EMPTY, more: Partial<Request> = {}): Uint8Array {
  const defaults = { service: ECHO, timeoutNano: 0n, metadata: new Map() };
  return encodeRequest({ ...defaults, method, payload, ...more });
}

/** The bytes that a received frame was made of. */
export function wire({ id, type, flags, bytes, start, length }: Frame): Uint8Array {
  return frame(id, bytes.slice(start, start + length), { type, flags });
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** A reply in a form that reads well in an expectation. */
export type Reply = { readonly id: number; readonly code: number; readonly text: string };

export function replyOf(received: Frame): Reply {
  const { id, bytes, start, length } = received;
  const { status, payload } = decodeResponse(bytes, start, start + length);
  return { id, code: status.code, text: status.code === 0 ? text(payload) : status.message };
}

export class RawPeer {
  readonly #socket: Bun.Socket<RawPeer>;
  readonly #reader = new FrameReader();
  readonly #frames: Frame[] = [];
  readonly #closed = Promise.withResolvers<void>();
  #isClosed = false;
  #wake = Promise.withResolvers<void>();
  #drained = Promise.withResolvers<void>();

  private constructor(socket: Bun.Socket<RawPeer>) {
    this.#socket = socket;
  }

  static async connect(path: string): Promise<RawPeer> {
    const socket = await Bun.connect<RawPeer>({
      unix: path,
      socket: {
        binaryType: "uint8array",
        open(opened) {
          opened.data = new RawPeer(opened);
        },
        data({ data: peer }, chunk: Uint8Array) {
          peer.#receive(chunk);
        },
        drain({ data: peer }) {
          peer.#drained.resolve();
        },
        close({ data: peer }) {
          peer.#isClosed = true;
          peer.#closed.resolve();
          peer.#wake.resolve();
          peer.#drained.resolve();
        },
      },
    });
    return socket.data;
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Write all of it, waiting for the other side to read where needed. */
  async send(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length && !this.#isClosed;) {
      this.#drained = Promise.withResolvers();
      at += Math.max(0, this.#socket.write(bytes, at, bytes.length - at));
      if (at < bytes.length && !this.#isClosed) await this.#drained.promise;
    }
  }

  /** Write what the socket takes now; returns how many bytes that was. */
  offer(bytes: Uint8Array, from: number): number {
    return this.#socket.write(bytes, from, bytes.length - from);
  }

  /** The next frame, in order of arrival; fails when the connection ends first. */
  async next(): Promise<Frame> {
    for (;;) {
      const received = this.#frames.shift();
      if (received !== undefined) return received;
      if (this.#isClosed) throw new Error("connection closed");
      this.#wake = Promise.withResolvers();
      await this.#wake.promise;
    }
  }

  async reply(): Promise<Reply> {
    return replyOf(await this.next());
  }

  async replies(count: number): Promise<Reply[]> {
    const replies: Reply[] = [];
    while (replies.length < count) replies.push(await this.reply());
    return replies;
  }

  /** Frames that came in and were not asked for. */
  get unread(): number {
    return this.#frames.length;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** SHUT_WR: nothing more to send, still reading. */
  halfClose(): void {
    this.#socket.shutdown();
  }

  close(): void {
    this.#socket.terminate();
  }

  #receive(chunk: Uint8Array): void {
    this.#reader.push(chunk);
    for (let next = this.#reader.next(); next; next = this.#reader.next()) this.#frames.push(next);
    this.#wake.resolve();
  }
}
