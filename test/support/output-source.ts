// An output stream on a pipe that the test itself writes to.
import { OutputStream } from "../../src/container/output-stream.ts";
import { Fd } from "../../src/kernel/fd.ts";
import { attempt, perform } from "../../src/kernel/perform.ts";
import { readable } from "../../src/kernel/poll.ts";
import { write, writeText } from "../../src/linux/io.ts";
import { O } from "../../src/linux/open-flags.ts";
import { caller } from "./stdio.ts";

export class Source implements Disposable {
  readonly #exit = Promise.withResolvers<void>();
  readonly #ends = Fd.pipe("open a pipe", O.NONBLOCK);
  readonly stream = new OutputStream(this.#ends[0], "stdout", this.#exit.promise);

  print(text: string): void {
    perform("print", writeText(this.#ends[1].number, text));
  }

  /** As many of `bytes` as the pipe takes now. */
  write(bytes: Uint8Array): number {
    return Math.max(0, attempt(write(this.#ends[1].number, bytes)));
  }

  /** Nobody can write any more. */
  end(): void {
    this.#ends[1].close();
  }

  async exit(): Promise<void> {
    this.#exit.resolve();
    await this.#exit.promise;
  }

  async read(length: number, by = caller): Promise<string> {
    return Buffer.from(await this.stream.read(length, by)).toString();
  }

  [Symbol.dispose](): void {
    for (const fd of this.#ends) fd.close();
  }
}

/** All that the kernel had to tell up to now has been heard. */
export async function settled(): Promise<void> {
  const [from, to] = Fd.pipe("open a pipe");
  using _ = from;
  to.close();
  await readable(from.number);
}
