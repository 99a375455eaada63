import { describe, expect, test } from "bun:test";
import { Fd } from "../../../src/kernel/fd.ts";
import { perform } from "../../../src/kernel/perform.ts";
import { setPipeSize } from "../../../src/linux/io.ts";
import { O } from "../../../src/linux/open-flags.ts";
import { LineOutput } from "../../../src/logging/line-output.ts";
import { LineRing } from "../../../src/logging/line-ring.ts";
import { readAll, readNow } from "../../support/child.ts";

const PIPE_SIZE = 4096;

function open(size?: number) {
  const ring = new LineRing(size);
  const output = new LineOutput(ring, (count) => `${count} lost\n`);
  const log = (line: string) => {
    ring.add(`${line}\n`);
    output.flush();
  };
  return { output, log };
}

function pipe(): [from: Fd, to: Fd] {
  const [from, to] = Fd.pipe("open a pipe", O.NONBLOCK);
  perform("make it small", setPipeSize(to.number, PIPE_SIZE));
  return [from, to];
}

const textIn = (from: Fd) => new TextDecoder().decode(readNow(from));
const numbers = (count: number) => Array.from({ length: count }, (_, i) => `line ${i}`);

describe("the output of the log", () => {
  test("begins with what was logged before there was one", () => {
    const { output, log } = open();
    const [from, to] = pipe();
    using _ = from;
    using __ = to;
    log("early");
    output.attach(to);
    log("late");
    expect(textIn(from)).toBe("early\nlate\n");
    expect(output.isDrained).toBe(true);
  });

  test("loses nothing to a reader that comes later than the pipe is full", async () => {
    const { output, log } = open();
    const [from, to] = pipe();
    using _ = from;
    output.attach(to);
    for (const line of numbers(2000)) log(line);
    expect(output.isDrained).toBe(false);
    const drained = output.drained().then(() => to.close());
    expect(await readAll(from)).toBe(
      numbers(2000)
        .map((line) => `${line}\n`)
        .join(""),
    );
    await drained;
  });

  test("says how many lines it dropped while nobody read, where they would have stood", async () => {
    const { output, log } = open(1000);
    const [from, to] = pipe();
    using _ = from;
    output.attach(to);
    for (const line of numbers(2000)) log(line);
    const drained = output.drained().then(() => to.close());
    const lines = (await readAll(from)).trimEnd().split("\n");
    await drained;
    const at = lines.findIndex((line) => line.endsWith(" lost"));
    const lost = Number(lines[at]?.split(" ")[0]);
    expect(lost).toBeGreaterThan(1000);
    expect(lines.toSpliced(at, 1)).toEqual(numbers(2000).toSpliced(at, lost));
  });

  test("goes on where it was for the next reader, with a whole line", () => {
    const { output, log } = open();
    const [first, toFirst] = pipe();
    const [second, toSecond] = pipe();
    using _ = second;
    using __ = toSecond;
    output.attach(toFirst);
    const long = "x".repeat(PIPE_SIZE + 10);
    log(long);
    expect(textIn(first)).toBe(long.slice(0, PIPE_SIZE));
    first.close();
    output.detach();
    toFirst.close();
    output.attach(toSecond);
    expect(textIn(second)).toBe(long.slice(0, PIPE_SIZE));
  });

  test("tells of an error and tries again with the next line", () => {
    const { output, log } = open();
    const [from, to] = pipe();
    using _ = to;
    from.close();
    let errors = 0;
    output.attach(to, () => errors++);
    log("a");
    log("b");
    expect(errors).toBe(2);
    const [next, toNext] = pipe();
    using __ = next;
    using ___ = toNext;
    output.attach(toNext);
    expect(textIn(next)).toBe("a\nb\n");
  });
});
