/** One call from its request to its answer, as its handler sees it. */

import { Code } from "./code.ts";
import type { Metadata, Request } from "./envelope.ts";
import { StatusError } from "./status.ts";

export type CallContext = {
  /**
   * Aborted when nobody waits for the answer any more. The reason is a StatusError:
   * DEADLINE_EXCEEDED when the caller's time is over, CANCELLED when its connection is lost.
   */
  readonly signal: AbortSignal;
  /** As the caller sent it, in nanoseconds; 0 and below mean no limit. */
  readonly timeoutNano: bigint;
  readonly metadata: Metadata;
};

/**
 * Serves one rpc: payload in, payload out. A StatusError is answered as it is, any other error as
 * UNKNOWN with its message. Both payloads may be views of larger buffers: the one given stays valid
 * for as long as it is held, the one returned must not change any more.
 */
export type Method = (
  payload: Uint8Array,
  context: CallContext,
) => Uint8Array | Promise<Uint8Array>;

/** Longest delay of setTimeout in milliseconds; it takes a longer one for 1. */
const MAX_DELAY = 2 ** 31 - 1;

export class Call implements CallContext {
  readonly id: number;
  readonly timeoutNano: bigint;
  readonly metadata: Metadata;
  /** Memory that the call holds while it runs, in bytes, roughly. */
  readonly weight: number;
  /** Made when first asked for: most calls never look at it, and it costs more than all the rest. */
  #controller: AbortController | undefined;
  #reason: StatusError | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(id: number, weight: number, { timeoutNano, metadata }: Request) {
    this.id = id;
    this.weight = weight;
    this.timeoutNano = timeoutNano;
    this.metadata = metadata;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    const { signal } = this.#controller;
    if (this.#reason !== undefined && !signal.aborted) this.#controller.abort(this.#reason);
    return signal;
  }

  /** Whether an answer is still owed. */
  get wanted(): boolean {
    return this.#reason === undefined;
  }

  /** Have `expire` called when the caller's time is over, unless `settle` or `abort` comes first. */
  arm(expire: (call: Call) => void): void {
    if (this.timeoutNano > 0n) this.#arm((this.timeoutNano + 999_999n) / 1_000_000n, expire);
  }

  #arm(milliseconds: bigint, expire: (call: Call) => void): void {
    const delay = milliseconds > MAX_DELAY ? MAX_DELAY : Number(milliseconds);
    const rest = milliseconds - BigInt(delay);
    this.#timer = setTimeout(() => {
      if (rest > 0n) this.#arm(rest, expire);
      else expire(this);
    }, delay);
  }

  /** The handler is done. */
  settle(): void {
    clearTimeout(this.#timer);
  }

  /** Tell the handler that its answer is no longer wanted, and why. */
  abort(reason: StatusError): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    clearTimeout(this.#timer);
    this.#controller?.abort(reason);
  }
}

export function timedOut(): StatusError {
  return new StatusError(Code.DEADLINE_EXCEEDED, "timeout");
}

export function connectionLost(): StatusError {
  return new StatusError(Code.CANCELLED, "connection lost");
}
