import { describe, expect, test } from "bun:test";
import type { Fd } from "../../../src/kernel/fd.ts";
import { perform } from "../../../src/kernel/perform.ts";
import { writeAll } from "../../../src/kernel/relay.ts";
import { readTail } from "../../../src/kernel/tail.ts";
import { writeText } from "../../../src/linux/io.ts";
import { openPipe } from "../../support/child.ts";

const never = new AbortController().signal;
const aborted = AbortSignal.abort();

const say = (to: Fd, text: string) => perform("write", writeText(to.number, text));

describe("the tail of a pipe", () => {
  test("is all of it where it is short", async () => {
    const [from, to] = openPipe();
    const tail = readTail(from, 100, never);
    say(to, "one ");
    say(to, "two");
    to.close();
    expect((await tail).text).toBe("one two");
    from.close();
  });

  test("is nothing where nothing was written", async () => {
    const [from, to] = openPipe();
    to.close();
    expect((await readTail(from, 100, never)).text).toBe("");
    from.close();
  });

  test("is the end of much, after a sign that there was more", async () => {
    const [from, to] = openPipe();
    const tail = readTail(from, 5, never);
    const bytes = new TextEncoder().encode(`${"x".repeat(1 << 20)}the end`);
    expect(await writeAll(to, bytes)).toBe(true);
    to.close();
    expect((await tail).text).toBe("…e end");
    from.close();
  });

  test("is what has come when the end is told, though the pipe stays open", async () => {
    const [from, to] = openPipe();
    say(to, "so far");
    expect((await readTail(from, 100, aborted)).text).toBe("so far");
    const over = new AbortController();
    const tail = readTail(from, 100, over.signal);
    over.abort();
    expect((await tail).text).toBe("");
    for (const fd of [from, to]) fd.close();
  });

  test("is not longer than a character that is cut makes it", async () => {
    const [from, to] = openPipe();
    say(to, "äöü");
    to.close();
    expect((await readTail(from, 3, never)).text).toBe("…\ufffdü");
    from.close();
  });
});
