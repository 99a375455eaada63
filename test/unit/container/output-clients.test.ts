// Output read by clients whose connections are lost: whatever happens, nothing is lost with them.
import { expect, test } from "bun:test";
import { Source, settled } from "../../support/output-source.ts";
import { pick, seeded } from "../../support/random.ts";

const TOTAL = 200_000;
const LOST = new Error("connection lost");

/** One client after the other. What one has received but not used comes back when it is lost. */
class Clients {
  readonly delivered: Uint8Array[] = [];
  deliveredBytes = 0;
  readonly #source: Source;
  readonly #random: () => number;
  #connection = new AbortController();
  #held: Uint8Array[] = [];
  #reads: Promise<void>[] = [];

  constructor(source: Source, random: () => number) {
    this.#source = source;
    this.#random = random;
  }

  read(): void {
    const held = this.#held;
    const reading = this.#source.stream.read(1 + this.#below(6000), this.#connection);
    const hold = (bytes: Uint8Array) => void held.push(bytes);
    this.#reads.push(reading.then(hold, (reason: unknown) => expect(reason).toBe(LOST)));
  }

  deliver(): void {
    for (const bytes of this.#held.splice(0, this.#below(this.#held.length + 1))) {
      this.delivered.push(bytes);
      this.deliveredBytes += bytes.length;
    }
  }

  async lose(): Promise<void> {
    this.#connection.abort(LOST);
    await Promise.all(this.#reads);
    for (const bytes of this.#held.toSorted(() => this.#random() - 0.5)) {
      this.#source.stream.unread(bytes);
    }
    this.#connection = new AbortController();
    this.#held = [];
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
    const deliver = () => clients.deliver();
    const lose = () => clients.lose();
    const steps = [print, print, print, read, read, read, read, deliver, deliver, settled, lose];
    while (clients.deliveredBytes < TOTAL) await pick(random, steps)();
    await lose();
    expect(Buffer.concat(clients.delivered).equals(sent)).toBe(true);
    expect(await source.read(1)).toBe("");
  },
);
