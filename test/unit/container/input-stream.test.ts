// The rules of writing, on a pipe that the test itself reads from.
import { describe, expect, test } from "bun:test";
import { InputStream } from "../../../src/container/input-stream.ts";
import { Fd } from "../../../src/kernel/fd.ts";
import { readable } from "../../../src/kernel/poll.ts";
import { KernelError } from "../../../src/linux/error.ts";
import { formatCall } from "../../../src/linux/format.ts";
import { O } from "../../../src/linux/open-flags.ts";
import { readAll, readNow } from "../../support/child.ts";
import { caller } from "../../support/stdio.ts";

const LOST = new Error("connection lost");
const LIVES = new Promise<never>(() => {});
/** More than a pipe holds. */
const MUCH = 1 << 20;

async function reasons(writes: readonly Promise<void>[]): Promise<string[]> {
  const ends = await Promise.allSettled(writes);
  return ends.map((end) => (end.status === "rejected" ? String(end.reason) : "written"));
}

class Sink implements Disposable {
  readonly #ends = Fd.pipe("open a pipe", O.NONBLOCK);
  readonly stream = new InputStream(this.#ends[1], "pipe", LIVES);

  write(text: string, by = caller): Promise<void> {
    return this.stream.write(Buffer.from(text), by);
  }

  /** What has been written and not been read; undefined for nothing. */
  readNow(): string | undefined {
    const bytes = readNow(this.#ends[0]);
    return bytes && Buffer.from(bytes).toString();
  }

  /** The same, once there is something. */
  async readSome(): Promise<string> {
    await readable(this.#ends[0].number);
    return this.readNow() ?? "";
  }

  readAll(): Promise<string> {
    return readAll(this.#ends[0]);
  }

  /** Nobody can read any more. */
  leave(): void {
    this.#ends[0].close();
  }

  [Symbol.dispose](): void {
    for (const fd of this.#ends) fd.close();
  }
}

describe("a write of input", () => {
  test("is done when all is written", async () => {
    using sink = new Sink();
    await sink.write("hello");
    await sink.write("");
    expect(sink.readNow()).toBe("hello");
  });

  test("waits while nobody reads", async () => {
    using sink = new Sink();
    const writing = sink.write("x".repeat(MUCH));
    let length = 0;
    while (length < MUCH) {
      if (MUCH - length > 65_536) expect(Bun.peek.status(writing)).toBe("pending");
      length += (await sink.readSome()).length;
    }
    await writing;
    expect(length).toBe(MUCH);
    expect(sink.readNow()).toBeUndefined();
  });

  test("is not mixed with another: they go one after the other, in the order of the calls", async () => {
    using sink = new Sink();
    const texts = ["a", "b", "c"].map((letter) => letter.repeat(MUCH));
    const writes = texts.map((text) => sink.write(text));
    const closing = sink.stream.close();
    expect(await sink.readAll()).toBe(texts.join(""));
    await Promise.all([...writes, closing]);
  });

  test("fails when nobody can read any more, and shows nobody the data", async () => {
    using sink = new Sink();
    sink.leave();
    const error: unknown = await sink.write("password").catch((reason: unknown) => reason);
    if (!(error instanceof KernelError)) throw error;
    expect(error.message).toBe("write stdin: EPIPE: Broken pipe");
    expect(formatCall(error.call)).toMatch(/^write\(\d+, NULL, 8\)$/);
  });

  test("that waits fails when nobody can read any more, and so do those behind it", async () => {
    using sink = new Sink();
    const writes = [sink.write("x".repeat(MUCH)), sink.write("y")];
    await sink.readSome();
    sink.leave();
    const broken = "KernelError: write stdin: EPIPE: Broken pipe";
    expect(await reasons(writes)).toEqual([broken, broken]);
  });

  test("that nobody waits for any more stops, and lets those behind it go on", async () => {
    using sink = new Sink();
    const client = new AbortController();
    const [first, second] = [sink.write("x".repeat(MUCH), client), sink.write("y")];
    client.abort(LOST);
    await expect(first).rejects.toBe(LOST);
    const closing = sink.stream.close();
    const all = await sink.readAll();
    await Promise.all([second, closing]);
    expect(all).toMatch(/^x+y$/);
    expect(all.length).toBeLessThan(MUCH);
  });

  test("writes nothing if nobody waits for it from the start", async () => {
    using sink = new Sink();
    await expect(sink.write("x", { signal: AbortSignal.abort(LOST) })).rejects.toBe(LOST);
    expect(sink.readNow()).toBeUndefined();
  });
});

describe("input ends", () => {
  test("with the writes before its end done, and later ones refused", async () => {
    using sink = new Sink();
    const writing = sink.write("x".repeat(MUCH));
    const closing = sink.stream.close();
    await expect(sink.write("late")).rejects.toThrow("Cannot get writer");
    expect(await sink.readAll()).toBe("x".repeat(MUCH));
    await Promise.all([writing, closing]);
  });

  test("once: closing again is nothing", async () => {
    using sink = new Sink();
    await sink.stream.close();
    await sink.stream.close();
    expect(sink.readNow()).toBe("");
  });

  test("as soon as the write that holds it up is given up, though the pipe is full", async () => {
    using sink = new Sink();
    const client = new AbortController();
    const writing = sink.write("x".repeat(MUCH), client);
    const closing = sink.stream.close();
    client.abort(LOST);
    await expect(writing).rejects.toBe(LOST);
    await closing;
  });

  test("at once when the process is removed: writes that wait fail", async () => {
    using sink = new Sink();
    const writes = [sink.write("x".repeat(MUCH)), sink.write("y")];
    sink.stream.drop();
    sink.stream.drop();
    const removed = "AgentError: Cannot get writer: the process was removed";
    expect(await reasons(writes)).toEqual([removed, removed]);
    await expect(sink.write("z")).rejects.toThrow("Cannot get writer");
    await sink.stream.close();
  });
});
