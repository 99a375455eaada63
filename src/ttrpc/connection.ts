/** The server's side of one connection: frames in, calls to their handlers, answers out. */

import { Call, connectionLost, type Method, timedOut } from "./call.ts";
import { Code, type ErrorCode } from "./code.ts";
import {
  decodeRequest,
  encodeFailure,
  putSuccessHead,
  type Request,
  SUCCESS_HEAD_MAX,
  successSize,
} from "./envelope.ts";
import {
  type Frame,
  FrameReader,
  type Header,
  MAX_BODY,
  MESSAGE_DATA,
  MESSAGE_REQUEST,
  MESSAGE_RESPONSE,
  oversizeText,
} from "./frame.ts";
import { COPY_UP_TO, Output, type Writable } from "./output.ts";
import { DecodeError } from "./protobuf.ts";
import { frameAround, hasRoom } from "./room.ts";
import { StatusError } from "./status.ts";

/** Methods by the full name of their service, then by their own: `grpc.Health`, `Check`. */
export type Services = ReadonlyMap<string, ReadonlyMap<string, Method>>;

/** What a connection needs of its socket. */
export type Socket = Writable & {
  pause(): void;
  resume(): void;
  /** Close once everything written has left. */
  end(): void;
  /** Close now. */
  terminate(): void;
};

/** While more bytes than this wait for the peer to read them, its requests are not read. */
export const MAX_UNSENT = MAX_BODY;

/** While running calls hold more bytes than this, or may answer with more, no further requests are read. */
export const MAX_HELD = 64 << 20;

/** What a call holds beside its request and the chunk its payload is a view of: the objects that make it up. */
const CALL_WEIGHT = 4096;

/**
 * What an answer is taken to weigh before it is there: as much as the method has answered with so far, but
 * no more than this. Few bytes can ask for many, and all calls that are admitted will be answered. Not
 * more, for a call that waits weighs as well, and a host has hundreds of those.
 */
const MOST_EXPECTED = 32 << 10;

/** Bytes, of each method that has answered yet. */
const largestAnswers = new WeakMap<Method, number>();

const EMPTY = new Uint8Array(0);
/** The head of the answer being written; it is copied before the next one begins. */
const head = new Uint8Array(SUCCESS_HEAD_MAX);

export class Connection {
  readonly #socket: Socket;
  readonly #services: Services;
  readonly #onError: (error: unknown) => void;
  readonly #reader = new FrameReader();
  readonly #output = new Output();
  /** Calls whose handlers have not returned; some may have been answered for them, with a timeout. */
  readonly #running = new Set<Call>();
  /** Bytes that these hold. */
  #held = 0;
  /** Bytes that they may answer with. */
  #expected = 0;
  /** Calls still to be answered. */
  #owed = 0;
  #paused = false;
  #stopping = false;
  #closed = false;
  #flushing = false;

  constructor(socket: Socket, services: Services, onError: (error: unknown) => void) {
    this.#socket = socket;
    this.#services = services;
    this.#onError = onError;
  }

  /** Bytes came in; the chunk is ours to keep. */
  receive(chunk: Uint8Array): void {
    if (this.#closed) return;
    this.#reader.push(chunk);
    this.#serve();
  }

  /** The socket takes bytes again. */
  drain(): void {
    this.#flush();
    if (this.#output.unsent <= MAX_UNSENT / 2) this.#proceed();
  }

  /** The peer is gone, or has nothing more to say, which ttRPC takes for the same. */
  lost(): void {
    if (this.#closed) return;
    this.#closed = true;
    const reason = connectionLost();
    for (const call of this.#running) call.abort(reason);
    this.#running.clear();
  }

  /** Read no more requests; close when those that run are answered. */
  stop(): void {
    this.#stopping = true;
    this.#flush();
  }

  /** Close at once. */
  close(): void {
    this.lost();
    this.#socket.terminate();
  }

  #serve(): void {
    while (this.#ready()) {
      const frame = this.#reader.next();
      if (frame === undefined) {
        if (this.#paused) this.#socket.resume();
        this.#paused = false;
        return;
      }
      this.#accept(frame);
    }
    if (!this.#paused) this.#socket.pause();
    this.#paused = true;
  }

  /** Go on where `#serve` had to stop, if it had to. */
  #proceed(): void {
    if (this.#paused && !this.#closed) this.#serve();
  }

  #ready(): boolean {
    if (this.#closed || this.#stopping) return false;
    if (this.#held > MAX_HELD || this.#expected > MAX_HELD) return false;
    if (this.#output.unsent <= MAX_UNSENT) return true;
    this.#flush();
    return this.#output.unsent <= MAX_UNSENT;
  }

  /** The order of these checks is the reference server's: size, then id, then type. */
  #accept(frame: Frame): void {
    const { id, length, type } = frame;
    if (length > MAX_BODY) this.#refuse(id, Code.INVALID_ARGUMENT, oversizeText(length));
    else if (id % 2 === 0) this.#refuse(id, Code.INVALID_ARGUMENT, "stream id must be odd");
    else if (type === MESSAGE_REQUEST) this.#request(frame);
    else if (type === MESSAGE_DATA) {
      // Nothing of ours streams, so no stream is ever active.
      this.#refuse(id, Code.INVALID_ARGUMENT, "Stream is no longer active");
    }
  }

  #request({ id, bytes, start, length }: Frame): void {
    let request: Request;
    try {
      request = decodeRequest(bytes, start, start + length);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#refuse(id, Code.INVALID_ARGUMENT, error.message);
      return;
    }
    const service = this.#services.get(request.service);
    if (service === undefined) {
      this.#refuse(id, Code.INVALID_ARGUMENT, `${request.service} service does not exist`);
      return;
    }
    const method = service.get(request.method);
    if (method === undefined) {
      this.#refuse(id, Code.UNIMPLEMENTED, `${request.method} method`);
      return;
    }
    this.#run(method, request, id, length);
  }

  #run(method: Method, request: Request, id: number, length: number): void {
    const { payload } = request;
    const held = length - payload.length + payload.buffer.byteLength;
    const call = new Call(id, CALL_WEIGHT + held, request);
    let answer: ReturnType<Method>;
    try {
      answer = method(payload, call);
    } catch (error) {
      this.#fail(id, error);
      return;
    }
    if (answer instanceof Uint8Array) this.#succeed(id, answer);
    else this.#await(call, method, answer);
  }

  #await(call: Call, method: Method, answer: Promise<Uint8Array>): void {
    this.#running.add(call);
    const expected = Math.min(largestAnswers.get(method) ?? MOST_EXPECTED, MOST_EXPECTED);
    this.#held += call.weight;
    this.#expected += expected;
    this.#owed++;
    call.arm(this.#expire);
    answer.then(
      (payload) => {
        if (payload.length > (largestAnswers.get(method) ?? -1))
          largestAnswers.set(method, payload.length);
        if (call.wanted) this.#succeed(call.id, payload);
        this.#settle(call, expected);
      },
      (error: unknown) => {
        if (call.wanted) this.#fail(call.id, error);
        else this.#report(error);
        this.#settle(call, expected);
      },
    );
  }

  #settle(call: Call, expected: number): void {
    call.settle();
    if (this.#closed) return;
    this.#running.delete(call);
    this.#held -= call.weight;
    this.#expected -= expected;
    if (call.wanted) this.#owed--;
    this.#proceed();
  }

  readonly #expire = (call: Call): void => {
    this.#owed--;
    const reason = timedOut();
    this.#refuse(call.id, reason.code, reason.message);
    call.abort(reason);
  };

  #succeed(id: number, payload: Uint8Array): void {
    const length = successSize(payload.length);
    if (length > MAX_BODY) {
      this.#refuse(id, Code.INVALID_ARGUMENT, oversizeText(length));
      return;
    }
    if (payload.length > COPY_UP_TO && hasRoom(payload)) {
      this.#output.piece(frameAround(payload, responseHeader(id, length)));
      this.#flushSoon();
      return;
    }
    this.#send(id, length, putSuccessHead(head, 0, payload.length), payload);
  }

  #fail(id: number, error: unknown): void {
    if (error instanceof StatusError) this.#refuse(id, error.code, error.message);
    else {
      this.#report(error);
      this.#refuse(id, Code.UNKNOWN, errorText(error));
    }
  }

  #refuse(id: number, code: ErrorCode, message: string): void {
    const body = encodeFailure({ code, message });
    if (body.length <= MAX_BODY) this.#send(id, body.length, 0, body);
    else this.#refuse(id, Code.INVALID_ARGUMENT, oversizeText(body.length));
  }

  #send(id: number, length: number, headSize: number, payload: Uint8Array): void {
    this.#output.frame(responseHeader(id, length), headSize > 0 ? head : EMPTY, headSize, payload);
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(this.#flush);
  }

  /** Once per tick, so that the answers of one tick leave in one write. */
  readonly #flush = (): void => {
    this.#flushing = false;
    if (this.#closed) return;
    this.#output.flush(this.#socket);
    if (this.#stopping && this.#owed === 0 && this.#output.unsent === 0) this.#socket.end();
  };

  /** A StatusError is an answer; anything else that a handler throws is a fault worth knowing about. */
  #report(error: unknown): void {
    if (!(error instanceof StatusError)) this.#onError(error);
  }
}

function responseHeader(id: number, length: number): Header {
  return { length, id, type: MESSAGE_RESPONSE, flags: 0 };
}

function errorText(error: unknown): string {
  if (error instanceof Error) return error.message;
  return typeof error === "string" ? error : `threw ${typeof error}`;
}
