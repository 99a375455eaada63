// The streams of processes that really run, over pipes.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { openPipes } from "../../../src/container/stdio.ts";
import { perform } from "../../../src/kernel/perform.ts";
import { RLIMIT } from "../../../src/linux/constants.ts";
import { write } from "../../../src/linux/io.ts";
import { O } from "../../../src/linux/open-flags.ts";
import { setrlimit } from "../../../src/linux/process.ts";
import { reapInThisFile, shell } from "../../support/child.ts";
import {
  caller,
  firstLoss,
  letters,
  openDescriptors,
  readToEnd,
  readUntil,
  withPipes,
} from "../../support/stdio.ts";

reapInThisFile();

/** Memory behind buffers: what the collector does not see by itself. */
function heldBytes(): number {
  return process.memoryUsage().arrayBuffers;
}

describe("a process with pipes", () => {
  test("loses nothing of its output when it writes and ends at once", async () => {
    expect(await firstLoss(withPipes, 48)).toBeUndefined();
    expect(await firstLoss(withPipes, 48, { number: 2 })).toBeUndefined();
  }, 60_000);

  test("has its streams apart, and reads its input to the end", async () => {
    using process = withPipes((tape) => shell(tape, "cat; echo error >&2; exit 3"));
    const { stdin, stdout, stderr } = process.stdio;
    await stdin.write(Buffer.from("in"), caller);
    await stdin.close();
    expect((await readToEnd(stdout)).toString()).toBe("in");
    expect((await readToEnd(stderr)).toString()).toBe("error\n");
    expect(await process.child.exit).toBe(3);
  });

  test("ends its output when it ends, though a descendant holds the pipe", async () => {
    using process = withPipes((tape) => shell(tape, "sleep 1000 & echo $!; echo x >&2"));
    const { stdout, stderr } = process.stdio;
    const pid = Number(await readUntil(stdout, "\n"));
    const waiting = stdout.read(10, caller);
    expect(await process.child.exit).toBe(0);
    expect(await waiting).toHaveLength(0);
    // Issued after the exit: what is left comes, then the end, each time anew.
    expect((await readToEnd(stderr)).toString()).toBe("x\n");
    expect(await readToEnd(stderr)).toHaveLength(0);
    expect(await stdout.read(10, caller)).toHaveLength(0);
    globalThis.process.kill(pid, "SIGKILL");
  });

  test("has ends of the pipes that block: only the agent's do not", async () => {
    const script = "for fd in 0 1 2; do grep flags /proc/self/fdinfo/$fd; done";
    using process = withPipes((tape) => shell(tape, script));
    const flags = (await readToEnd(process.stdio.stdout)).toString().match(/\d+/g) ?? [];
    expect(flags.map((text) => Number.parseInt(text, 8) & O.NONBLOCK)).toEqual([0, 0, 0]);
  });

  test("carries 64 MiB past a slow reader in order, and the agent holds none of it", async () => {
    using process = withPipes((tape) => shell(tape, "exec cat"));
    const { stdin, stdout } = process.stdio;
    const sent = new Bun.CryptoHasher("sha256");
    const received = new Bun.CryptoHasher("sha256");
    const feed = async () => {
      const block = letters(1 << 20, 1);
      for (let i = 0; i < 64; i++) {
        block.writeUInt32LE(i);
        sent.update(block);
        await stdin.write(block, caller);
      }
      await stdin.close();
    };
    const feeding = feed();
    const before = heldBytes();
    let length = 0;
    let most = 0;
    for (;;) {
      // Others come first, again and again.
      for (let i = 0; i < 3; i++) await new Promise<void>((resolve) => setImmediate(resolve));
      const chunk = await stdout.read(1 << 20, caller);
      if (chunk.length === 0) break;
      received.update(chunk);
      if (length >> 23 !== (length + chunk.length) >> 23) {
        Bun.gc(true);
        most = Math.max(most, heldBytes());
      }
      length += chunk.length;
    }
    await feeding;
    expect(length).toBe(64 << 20);
    expect(received.digest("hex")).toBe(sent.digest("hex"));
    expect(most - before).toBeLessThan(4 << 20);
  });

  test("that ends without reading makes writes fail, and closing still succeeds", async () => {
    using process = withPipes((tape) => shell(tape, "exit 0"));
    const { stdin } = process.stdio;
    await process.child.exit;
    const writing = stdin.write(letters(1 << 20, 1), caller);
    await expect(writing).rejects.toThrow("write stdin: EPIPE: Broken pipe");
    await stdin.close();
    await stdin.close();
  });

  test("keeps its output when its input is closed before it has started", async () => {
    using process = withPipes((tape) => {
      tape.park("wait for the start");
      shell(tape, "cat; echo done");
    });
    await process.stdio.stdin.close();
    await process.child.parked();
    process.child.resume();
    expect((await readToEnd(process.stdio.stdout)).toString()).toBe("done\n");
  });

  test("has no window to resize", () => {
    using process = withPipes((tape) => shell(tape, "exec cat"));
    expect(() => process.stdio.resize(24, 80)).toThrow("no tty");
  });

  test("when removed ends reads that wait and fails writes that wait", async () => {
    using process = withPipes((tape) => shell(tape, "exec sleep 1000"));
    const { stdin, stdout, stderr } = process.stdio;
    const reads = [stdout.read(1, caller), stdout.read(1, caller), stderr.read(1, caller)];
    const writing = stdin.write(letters(1 << 20, 1), caller);
    const behind = stdin.write(letters(1, 1), caller);
    process.stdio.close();
    process.stdio.close();
    for (const bytes of await Promise.all(reads)) expect(bytes).toHaveLength(0);
    await expect(writing).rejects.toThrow("Cannot get writer");
    await expect(behind).rejects.toThrow("Cannot get writer");
    await expect(stdin.write(letters(1, 1), caller)).rejects.toThrow("Cannot get writer");
    expect(await stdout.read(1, caller)).toHaveLength(0);
  });

  test("leaves no descriptor behind", async () => {
    expect(await firstLoss(withPipes, 1)).toBeUndefined();
    const before = openDescriptors();
    expect(await firstLoss(withPipes, 20)).toBeUndefined();
    expect(openDescriptors()).toBe(before);
  });
});

describe("the pipes of a process to be", () => {
  test("are all closed when one of them cannot be opened", () => {
    const before = openDescriptors();
    const limits = /^Max open files +(\d+) +(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
    const [soft, hard] = [BigInt(limits?.[1] ?? ""), BigInt(limits?.[2] ?? "")];
    const outcomes = new Set<string>();
    for (let low = 1n; low < 200n; low++) {
      perform("lower the limit", setrlimit(RLIMIT.NOFILE, low, hard));
      try {
        using _ = openPipes(0);
        outcomes.add("opened");
      } catch (error) {
        outcomes.add(String(error));
      } finally {
        perform("restore the limit", setrlimit(RLIMIT.NOFILE, soft, hard));
      }
    }
    expect(openDescriptors()).toBe(before);
    const refused = ["stdin", "stdout", "stderr"].map(
      (name) => `KernelError: open a pipe for ${name}: EMFILE: Too many open files`,
    );
    expect([...outcomes]).toEqual([...refused, "opened"]);
  });

  test("are closed when the kernel refuses their size", () => {
    const before = openDescriptors();
    expect(() => openPipes(2 ** 31 + 1)).toThrow("set the size of a pipe: EINVAL");
    expect(openDescriptors()).toBe(before);
  });

  test("hold as much output as asked for", async () => {
    using pipes = openPipes(1 << 18);
    const data = letters(1 << 18, 1);
    // The end of the process blocks: this returns because all of it fits.
    expect(perform("fill the pipe", write(pipes.child.stdout.number, data))).toBe(data.length);
    const stdio = pipes.into(Promise.resolve());
    expect((await readToEnd(stdio.stdout)).equals(data)).toBe(true);
    stdio.close();
  });
});
