import { describe, expect, test } from "bun:test";
import {
  type Frame,
  FrameReader,
  getHeader,
  HEADER_SIZE,
  MAX_BODY,
  putHeader,
} from "../../../src/ttrpc/frame.ts";
import { concat, frame } from "../../support/raw-peer.ts";
import { seeded } from "../../support/random.ts";

/** Push the chunks one by one, and after each take as many frames as are there, or as are wanted. */
function read(chunks: readonly Uint8Array[], wanted = () => Infinity): Frame[] {
  const reader = new FrameReader();
  const frames: Frame[] = [];
  const take = (most: number) => {
    for (let left = most; left > 0; left--) {
      const next = reader.next();
      if (next === undefined) return;
      frames.push(next);
    }
  };
  for (const chunk of chunks) {
    reader.push(chunk);
    take(wanted());
  }
  take(Infinity);
  return frames;
}

function body({ bytes, start, length }: Frame): Uint8Array {
  return bytes.slice(start, start + length);
}

function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.slice(at, at + size));
  return chunks;
}

describe("frame header", () => {
  test("F06 a header decodes unsigned and encodes to the same bytes", () => {
    const bytes = Uint8Array.fromHex("100000000000000302ef");
    const header = getHeader(bytes, 0);
    expect(header).toEqual({ length: 0x10000000, id: 3, type: 2, flags: 0xef });
    const encoded = new Uint8Array(HEADER_SIZE);
    expect(putHeader(encoded, 0, header)).toBe(HEADER_SIZE);
    expect(encoded).toEqual(bytes);
  });

  test("the highest length and id stay unsigned", () => {
    const bytes = new Uint8Array(HEADER_SIZE).fill(0xff);
    const header = getHeader(bytes, 0);
    expect(header).toEqual({ length: 0xffffffff, id: 0xffffffff, type: 0xff, flags: 0xff });
    const encoded = new Uint8Array(HEADER_SIZE);
    putHeader(encoded, 0, header);
    expect(encoded).toEqual(bytes);
  });
});

describe("FrameReader", () => {
  const payloads = [new Uint8Array(0), Uint8Array.of(1), new Uint8Array(700).fill(2)];
  const stream = concat(...payloads.map((payload, index) => frame(2 * index + 1, payload)));

  test.each([1, 2, 3, 4, 9, 10, 11, 25, 719, 1000])(
    "F10 three messages come out whole when cut into chunks of %d bytes",
    (size) => {
      const frames = read(cut(stream, size));
      expect(frames.map(({ id }) => id)).toEqual([1, 3, 5]);
      expect(frames.map(body)).toEqual(payloads);
    },
  );

  test("F03 a header in pieces of 4, 4, 1 and 1 bytes is put together", () => {
    const bytes = frame(7, Uint8Array.of(1, 2, 3));
    const pieces = [
      [0, 4],
      [4, 8],
      [8, 9],
      [9, 10],
      [10, 13],
    ] as const;
    const [only, ...rest] = read(pieces.map(([from, to]) => bytes.slice(from, to)));
    expect(only).toMatchObject({ id: 7, type: 1, length: 3 });
    expect(rest).toBeEmpty();
  });

  test("F14 the start of a second frame waits for its end", () => {
    const reader = new FrameReader();
    const second = frame(3, Uint8Array.of(9));
    reader.push(concat(frame(1), second.slice(0, 2)));
    expect(reader.next()).toMatchObject({ id: 1 });
    expect(reader.next()).toBeUndefined();
    reader.push(second.slice(2));
    expect(reader.next()).toMatchObject({ id: 3, length: 1 });
  });

  test("a frame within one chunk is not copied", () => {
    const chunk = frame(1, Uint8Array.of(1, 2, 3));
    const [only] = read([chunk]);
    expect(only?.bytes).toBe(chunk);
  });

  test("chunks that come while frames wait are served in order", () => {
    const reader = new FrameReader();
    for (const chunk of cut(stream, 300)) reader.push(chunk);
    const ids = [reader.next()?.id, reader.next()?.id, reader.next()?.id, reader.next()?.id];
    expect(ids).toEqual([1, 3, 5, undefined]);
  });

  test("so they are when one is just used up", () => {
    const chunks = [concat(frame(1), frame(3)), frame(5), frame(7)];
    expect(read(chunks, () => 1).map(({ id }) => id)).toEqual([1, 3, 5, 7]);
  });

  test("a body of the greatest length is kept and one byte more is not", () => {
    const largest = new Uint8Array(MAX_BODY).fill(3);
    const larger = new Uint8Array(MAX_BODY + 1);
    const frames = read(cut(concat(frame(1, largest), frame(3, larger), frame(5)), 100_000));
    expect(frames.map(({ id, length }) => [id, length])).toEqual([
      [1, MAX_BODY],
      [3, MAX_BODY + 1],
      [5, 0],
    ]);
    expect(frames[0] && Buffer.compare(body(frames[0]), largest)).toBe(0);
    expect(frames[1]?.bytes).toBeEmpty();
  });

  test("L07 a body that is announced and never sent takes a quarter of a megabyte at most", () => {
    const reader = new FrameReader();
    const before = process.memoryUsage().arrayBuffers;
    reader.push(frame(1, new Uint8Array(3), { length: MAX_BODY }));
    expect(reader.next()).toBeUndefined();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(300 << 10);
  });

  test("F13 whatever the chunks, the same frames come out", () => {
    const random = seeded(13);
    for (let round = 0; round < 300; round++) {
      const count = 1 + Math.floor(random() * 8);
      const bodies = Array.from({ length: count }, () =>
        new Uint8Array(Math.floor(random() ** 3 * 3000)).fill(random() * 256),
      );
      const bytes = concat(...bodies.map((payload, index) => frame(2 * index + 1, payload)));
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < bytes.length;) {
        const end = at + 1 + Math.floor(random() ** 2 * 2000);
        chunks.push(bytes.slice(at, end));
        at = end;
      }
      expect(read(chunks).map(body)).toEqual(bodies);
    }
  });

  test("F13 random bytes never make it throw or yield a body past the limit", () => {
    const random = seeded(31);
    for (let round = 0; round < 10_000; round++) {
      const bytes = Uint8Array.from({ length: Math.floor(random() ** 4 * 2000) }, () =>
        random() < 0.5 ? 0 : random() * 256,
      );
      for (const { length, bytes: kept } of read(cut(bytes, 1 + Math.floor(random() * 500)))) {
        expect(kept.length >= length || length > MAX_BODY).toBe(true);
      }
    }
  });
});
