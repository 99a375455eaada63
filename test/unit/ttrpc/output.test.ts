import { expect, test } from "bun:test";
import { Output, type Writable } from "../../../src/ttrpc/output.ts";
import { concat, frame } from "../../support/raw-peer.ts";
import { seeded } from "../../support/random.ts";

const NONE = new Uint8Array(0);

/** A socket that takes at most `appetite()` bytes per write. */
class Sink implements Writable {
  readonly taken: Uint8Array[] = [];
  readonly #appetite: () => number;

  constructor(appetite: () => number) {
    this.#appetite = appetite;
  }

  write(bytes: Uint8Array, offset: number, length: number): number {
    const count = Math.min(length, this.#appetite());
    if (count > 0) this.taken.push(bytes.slice(offset, offset + count));
    return count;
  }
}

function add(output: Output, id: number, payload: Uint8Array, head = NONE): Uint8Array {
  const length = head.length + payload.length;
  output.frame({ length, id, type: 1, flags: 0 }, head, head.length, payload);
  return frame(id, concat(head, payload));
}

test("small frames leave in one write", () => {
  const output = new Output();
  const sink = new Sink(() => Infinity);
  const frames = [1, 3, 5].map((id) => add(output, id, new Uint8Array(id).fill(id)));
  output.flush(sink);
  expect(sink.taken).toEqual([concat(...frames)]);
  expect(output.unsent).toBe(0);
});

test("a long payload is not copied, a head may be used again at once", () => {
  const output = new Output();
  const head = Uint8Array.of(1, 2);
  const payload = new Uint8Array(100_000);
  const expected = add(output, 1, payload, head);
  head.fill(9);
  payload[99_999] = 7;
  expected[expected.length - 1] = 7;
  const sink = new Sink(() => Infinity);
  output.flush(sink);
  expect(concat(...sink.taken)).toEqual(expected);
});

test("a closed socket takes nothing and nothing is lost track of", () => {
  const output = new Output();
  const { length } = add(output, 1, new Uint8Array(50_000));
  output.flush(new Sink(() => -1));
  expect(output.unsent).toBe(length);
});

test("whatever the socket takes at a time, the stream is the frames in order", () => {
  const random = seeded(5);
  for (let round = 0; round < 50; round++) {
    const output = new Output();
    const sink = new Sink(() => Math.floor(random() ** 3 * 60_000) - 1);
    const expected: Uint8Array[] = [];
    for (let index = 0; index < 60; index++) {
      const payload = new Uint8Array(Math.floor(random() ** 4 * 70_000)).fill(index);
      expected.push(add(output, 2 * index + 1, payload));
      if (random() < 0.3) output.flush(sink);
      const taken = sink.taken.reduce((sum, { length }) => sum + length, 0);
      const queued = expected.reduce((sum, { length }) => sum + length, 0);
      expect(output.unsent).toBe(queued - taken);
    }
    while (output.unsent > 0) output.flush(sink);
    expect(Buffer.compare(concat(...sink.taken), concat(...expected))).toBe(0);
  }
});

test("two connections that queue at the same time do not mix", () => {
  const [left, right] = [new Output(), new Output()];
  const [toLeft, toRight] = [new Sink(() => 7), new Sink(() => Infinity)];
  const lefts: Uint8Array[] = [];
  const rights: Uint8Array[] = [];
  for (let id = 1; id < 200; id += 2) {
    lefts.push(add(left, id, new Uint8Array(1000).fill(1)));
    rights.push(add(right, id, new Uint8Array(1000).fill(2)));
    left.flush(toLeft);
    right.flush(toRight);
  }
  while (left.unsent > 0) left.flush(toLeft);
  expect(Buffer.compare(concat(...toLeft.taken), concat(...lefts))).toBe(0);
  expect(Buffer.compare(concat(...toRight.taken), concat(...rights))).toBe(0);
});
