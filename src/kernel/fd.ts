import { close, pipe2 } from "../linux/io.ts";
import type { Call } from "../linux/call.ts";
import { socketpairSeqpacket } from "../linux/socket.ts";
import { attempt, perform } from "./perform.ts";
import { forget } from "./poll.ts";

/**
 * A descriptor with one owner. It is closed exactly once, and its number cannot be read after that:
 * a number that the kernel has given away again must not be used.
 */
export class Fd implements Disposable {
  #number: number;

  constructor(number: number) {
    this.#number = number;
  }

  /** Make a call that gives a descriptor, and own it. */
  static of(label: string, call: Call): Fd {
    return new Fd(perform(label, call));
  }

  /** What is written to the second can be read from the first. */
  static pipe(label: string, flags = 0): [Fd, Fd] {
    return pair(label, (numbers) => pipe2(numbers, flags));
  }

  /** Two ends of one connection that keeps message boundaries. */
  static socketpair(label: string): [Fd, Fd] {
    return pair(label, socketpairSeqpacket);
  }

  get number(): number {
    if (this.#number < 0) throw new Error("use of a closed descriptor");
    return this.#number;
  }

  get isOpen(): boolean {
    return this.#number >= 0;
  }

  /**
   * Hand the number over to a new owner. Whoever waits on the descriptor is woken: `poll` cannot see
   * the new owner close it, and would take the next descriptor of that number for this one.
   */
  release(): number {
    const number = this.number;
    this.#number = -1;
    forget(number);
    return number;
  }

  /** Whoever waits on the descriptor is woken. */
  close(): void {
    if (this.#number < 0) return;
    attempt(close(this.release()));
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function pair(label: string, call: (numbers: Uint8Array) => Call): [Fd, Fd] {
  const numbers = new Int32Array(2);
  perform(label, call(new Uint8Array(numbers.buffer)));
  return [new Fd(numbers[0] ?? -1), new Fd(numbers[1] ?? -1)];
}
