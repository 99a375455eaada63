// Output read by clients whose connections are lost: a read that is cancelled has taken nothing.
import { expect, test } from "bun:test";
import { Source, settled } from "../../support/output-source.ts";
import { pick, seeded } from "../../support/random.ts";

const TOTAL = 200_000;
const LOST = new Error("connection lost");

/** One client after the other. */
class Clients {
  readonly received: Uint8Array[] = [];
  receivedBytes = 0;
  readonly #source: Source;
  readonly #random: () => number;
  #connection = new AbortController();
  #reads: Promise<void>[] = [];

  constructor(source: Source, random: () => number) {
    this.#source = source;
    this.#random = random;
  }

  read(): void {
    const reading = this.#source.stream.read(1 + this.#below(6000), this.#connection);
    const keep = (bytes: Uint8Array) => {
      this.received.push(bytes);
      this.receivedBytes += bytes.length;
    };
    this.#reads.push(reading.then(keep, (reason: unknown) => expect(reason).toBe(LOST)));
  }

  async lose(): Promise<void> {
    this.#connection.abort(LOST);
    await Promise.all(this.#reads);
    this.#connection = new AbortController();
    this.#reads = [];
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  "Every byte of the output arrives once and in order, whatever clients come and go (seed %d)",
  async (seed) => {
    const random = seeded(seed);
    const sent = Buffer.from(Array.from({ length: TOTAL }, () => Math.floor(random() * 256)));
    using source = new Source();
    const clients = new Clients(source, random);
    let written = 0;
    const print = () => {
      if (written === TOTAL) return;
      const most = 1 + Math.floor(random() * 9000);
      written += source.write(sent.subarray(written, written + most));
      if (written === TOTAL) source.end();
    };
    const read = () => clients.read();
    const lose = () => clients.lose();
    const steps = [print, print, print, read, read, read, read, settled, lose];
    while (clients.receivedBytes < TOTAL) await pick(random, steps)();
    await lose();
    expect(Buffer.concat(clients.received).equals(sent)).toBe(true);
    expect(await source.read(1)).toBe("");
  },
);
