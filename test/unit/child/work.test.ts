import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { work } from "../../../src/child/work.ts";
import { Fd } from "../../../src/kernel/fd.ts";
import { AT_FDCWD } from "../../../src/linux/constants.ts";
import { mkdirat, openat } from "../../../src/linux/fs.ts";
import { read } from "../../../src/linux/io.ts";
import { O } from "../../../src/linux/open-flags.ts";
import type { Tape } from "../../../src/tape/tape.ts";
import { reapInThisFile } from "../../support/child.ts";

reapInThisFile();

const signal = new AbortController().signal;
const limits = { signal, timeoutMs: 10_000 };

/** Waits for a byte that never comes. */
function hang(from: number): (tape: Tape) => void {
  return (tape) => tape.do("wait for ever", read(from, new Uint8Array(1)));
}

describe("work in a child", () => {
  test("is done when the promise resolves", async () => {
    const directory = mkdtempSync(join(tmpdir(), "work-"));
    const path = join(directory, "made");
    await work((tape) => tape.do("make a directory", mkdirat(AT_FDCWD, path, 0o755)), limits);
    expect(statSync(path).isDirectory()).toBe(true);
    rmSync(directory, { recursive: true });
  });

  test("names the call that failed", async () => {
    const missing = openat(AT_FDCWD, "/nowhere/at/all", O.RDONLY);
    const failed = work((tape) => tape.do("open what is not there", missing), limits);
    await expect(failed).rejects.toThrow(/^open what is not there: ENOENT/);
  });

  test("leaves the event loop alone while it hangs, and ends when its time is over", async () => {
    const [from, to] = Fd.pipe("open a pipe");
    const hung = work(hang(from.number), { keep: [from.number], signal, timeoutMs: 50 });
    let turns = 0;
    const counting = setInterval(() => turns++, 1);
    await expect(hung).rejects.toThrow("it has not ended within 0.05 s");
    clearInterval(counting);
    expect(turns).toBeGreaterThan(5);
    from.close();
    to.close();
  });

  test("ends with its caller, and says what the caller says", async () => {
    const [from, to] = Fd.pipe("open a pipe");
    const caller = new AbortController();
    const hung = work(hang(from.number), {
      keep: [from.number],
      signal: caller.signal,
      timeoutMs: 60_000,
    });
    caller.abort(new Error("the caller has gone"));
    await expect(hung).rejects.toThrow("the caller has gone");
    from.close();
    to.close();
  });

  test("does not begin for a caller that has gone", async () => {
    const gone = { signal: AbortSignal.abort(new Error("gone")), timeoutMs: 1000 };
    const refused = work(() => expect.unreachable("the tape is written"), gone);
    await expect(refused).rejects.toThrow("gone");
  });

  test("holds nothing open that it was not given", async () => {
    const [from, to] = Fd.pipe("open a pipe");
    const [kept, other] = Fd.pipe("open a pipe");
    const hung = work(hang(kept.number), { keep: [kept.number], signal, timeoutMs: 200 });
    to.close();
    // The writer's end is nowhere any more: the reader sees the end while the child still hangs.
    const ended = work((tape) => tape.do("read", read(from.number, new Uint8Array(1))), {
      ...limits,
      keep: [from.number],
    });
    await ended;
    await expect(hung).rejects.toThrow("it has not ended");
    for (const fd of [from, kept, other]) fd.close();
  });
});
