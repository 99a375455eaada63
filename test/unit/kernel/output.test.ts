// What the agent's stdout can be. A child has it, so that nothing is changed for the process of the
// tests.
import { afterAll, describe, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Fd } from "../../../src/kernel/fd.ts";
import { writeLastWords } from "../../../src/kernel/output.ts";
import { O } from "../../../src/linux/open-flags.ts";
import { readNow } from "../../support/child.ts";
import { socketPair } from "../../support/listen.ts";

const directory = mkdtempSync(join(tmpdir(), "kata-agent-output-"));
afterAll(() => rmSync(directory, { recursive: true }));

const SOURCE = join(import.meta.dir, "../../../src");

/** Opens stdout, writes a mebibyte until it takes no more, and says on stderr what came of it. */
const FILL = `
  const { openOutput } = await import("${SOURCE}/kernel/output.ts");
  const { attempt } = await import("${SOURCE}/kernel/perform.ts");
  const { write } = await import("${SOURCE}/linux/io.ts");
  const output = openOutput(1);
  const line = new Uint8Array(1024).fill(0x78);
  let result = 0;
  for (let lines = 0; lines < 1024 && result >= 0; lines++) result = attempt(write(output.number, line));
  process.stderr.write(String(result));
`;

async function fill(stdout: number | "pipe"): Promise<number> {
  const child = Bun.spawn([process.execPath, "-e", FILL], {
    stdin: "ignore",
    stdout,
    stderr: "pipe",
  });
  return Number(await new Response(child.stderr).text());
}

const EAGAIN = -11;

describe("stdout", () => {
  test("that is a pipe nobody reads gives EAGAIN, and stays as it was for all others", async () => {
    const [from, to] = Fd.pipe("open a pipe");
    using _ = from;
    using __ = to;
    expect(await fill(to.number)).toBe(EAGAIN);
    const flags = readFileSync(`/proc/self/fdinfo/${to.number}`, "utf8");
    expect(Number.parseInt(/flags:\s+(\d+)/.exec(flags)?.[1] ?? "", 8) & O.NONBLOCK).toBe(0);
  });

  test("that is a socket nobody reads gives EAGAIN", async () => {
    const [near, far] = socketPair();
    expect(await fill(far)).toBe(EAGAIN);
    closeSync(near);
    closeSync(far);
  });

  test("that is a file goes on where it is", async () => {
    const path = join(directory, "log");
    const file = openSync(path, "a");
    expect(await fill(file)).toBe(1024);
    expect(await fill(file)).toBe(1024);
    closeSync(file);
    expect(readFileSync(path).length).toBe(2 << 20);
  });

  test("that is a device takes what the device takes", async () => {
    const full = openSync("/dev/full", "w");
    expect(await fill(full)).toBe(-28);
    closeSync(full);
  });
});

describe("the last words", () => {
  test("are written before the call returns", () => {
    const [from, to] = Fd.pipe("open a pipe", O.NONBLOCK);
    using _ = from;
    using __ = to;
    writeLastWords(to, "cannot serve\n");
    expect(new TextDecoder().decode(readNow(from))).toBe("cannot serve\n");
  });

  test("are given up where nobody takes them", () => {
    const [from, to] = Fd.pipe("open a pipe", O.NONBLOCK);
    using _ = from;
    using __ = to;
    const before = performance.now();
    writeLastWords(to, "x".repeat(1 << 20));
    expect(performance.now() - before).toBeGreaterThan(100);
    from.close();
    writeLastWords(to, "x");
  });
});
