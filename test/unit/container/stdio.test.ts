// The streams of processes that really run, over pipes and over terminals.
import { describe, expect, test } from "bun:test";
import { readFileSync, readdirSync } from "node:fs";
import { type Pipes, type Stdio, openPipes, terminalStdio } from "../../../src/container/stdio.ts";
import type { Caller } from "../../../src/container/turns.ts";
import { Fd } from "../../../src/kernel/fd.ts";
import { readable } from "../../../src/kernel/poll.ts";
import { perform } from "../../../src/kernel/perform.ts";
import { AT_FDCWD, RLIMIT, SIG } from "../../../src/linux/constants.ts";
import { openat } from "../../../src/linux/fs.ts";
import { dup3, write, writeText } from "../../../src/linux/io.ts";
import { O } from "../../../src/linux/open-flags.ts";
import { setrlimit, setsid } from "../../../src/linux/process.ts";
import { openPtyPeer, setControllingTerminal, unlockPty } from "../../../src/linux/tty.ts";
import type { Child } from "../../../src/tape/player.ts";
import type { Tape } from "../../../src/tape/tape.ts";
import { openPipe, play, readNow, reapInThisFile, shell } from "../../support/child.ts";
import { seeded } from "../../support/random.ts";

reapInThisFile();

const caller: Caller = { signal: new AbortController().signal };

type Running = { readonly child: Child; readonly stdio: Stdio } & Disposable;

function running(child: Child, stdio: Stdio): Running {
  const end = () => {
    child.signal(SIG.KILL);
    child[Symbol.dispose]();
    stdio.close();
  };
  return { child, stdio, [Symbol.dispose]: end };
}

/** A process whose standard streams are pipes. Disposing kills it. */
function withPipes(build: (tape: Tape) => void): Running {
  using pipes = openPipes(0);
  const child = play((tape) => {
    placePipes(tape, pipes);
    build(tape);
  });
  return running(child, pipes.into(child.exit));
}

function placePipes(tape: Tape, { child: { stdin, stdout, stderr } }: Pipes): void {
  for (const [number, fd] of [stdin, stdout, stderr].entries()) {
    tape.do(`place descriptor ${number}`, dup3(fd.number, number));
  }
}

/** A process that leads a session on a terminal of its own. Disposing kills it. */
function withTerminal(build: (tape: Tape) => void): Running {
  const flags = O.RDWR | O.NOCTTY | O.NONBLOCK;
  const master = Fd.of("open a terminal", openat(AT_FDCWD, "/dev/ptmx", flags));
  perform("unlock the terminal", unlockPty(master.number));
  const child = play((tape) => {
    const peer = tape.fd("open its far end", openPtyPeer(master.number));
    for (const number of [0, 1, 2]) tape.do(`place it on ${number}`, dup3(peer, number));
    tape.do("lead a session", setsid());
    tape.do("take it as controlling terminal", setControllingTerminal(0));
    build(tape);
  });
  return running(child, terminalStdio(master, child.exit));
}

async function readToEnd(stream: Stdio["stdout"], length = 65_536): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const chunk = await stream.read(length, caller);
    if (chunk.length === 0) return Buffer.concat(chunks);
    chunks.push(chunk);
  }
}

/** Resolves when `stream` has given `text`; all that it gave. */
async function readUntil(stream: Stdio["stdout"], text: string): Promise<string> {
  let all = "";
  while (!all.includes(text)) {
    const chunk = await stream.read(65_536, caller);
    if (chunk.length === 0) throw new Error(`output ended after ${JSON.stringify(all)}`);
    all += Buffer.from(chunk).toString();
  }
  return all;
}

/** Letters only: a terminal's line discipline changes nothing of them. */
function letters(length: number, seed: number): Buffer {
  const random = seeded(seed);
  const text = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) text[i] = 97 + Math.floor(random() * 26);
  return text;
}

function openDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

const SIZES = [1, 4095, 4096, 65_536, 65_537, 1 << 20];

/** Processes that write and end at once, 16 at a time; the first whose output is not complete. */
async function firstLoss(
  start: (build: (tape: Tape) => void) => Running,
  runs: number,
  { number = 1, sizes = SIZES } = {},
): Promise<string | undefined> {
  const data = sizes.map((size) => letters(size, size));
  const run = async (index: number) => {
    const sent = data[index % data.length] ?? Buffer.alloc(0);
    using process = start((tape) => tape.do("write", write(number, sent)));
    const { stdout, stderr } = process.stdio;
    const received = await readToEnd(number === 1 ? stdout : stderr);
    return received.equals(sent) ? undefined : `run ${index}: ${received.length} of ${sent.length}`;
  };
  for (let index = 0; index < runs; index += 16) {
    const batch = Array.from({ length: Math.min(16, runs - index) }, (_, i) => run(index + i));
    const loss = (await Promise.all(batch)).find((each) => each !== undefined);
    if (loss !== undefined) return loss;
  }
  return undefined;
}

describe("a process with pipes", () => {
  test("loses nothing of its output when it writes and ends at once", async () => {
    expect(await firstLoss(withPipes, 96)).toBeUndefined();
    expect(await firstLoss(withPipes, 96, { number: 2 })).toBeUndefined();
  });

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
    const used = () => globalThis.process.memoryUsage().arrayBuffers;
    const before = used();
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
        most = Math.max(most, used());
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
    const failed = (name: string) =>
      `KernelError: open a pipe for ${name}: EMFILE: Too many open files`;
    expect([...outcomes]).toEqual([failed("stdin"), failed("stdout"), failed("stderr"), "opened"]);
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

describe("a process with a terminal", () => {
  test("loses nothing of its output when it writes and ends at once", async () => {
    expect(await firstLoss(withTerminal, 120)).toBeUndefined();
  });

  test("has one output, which ends when it ends", async () => {
    using process = withTerminal((tape) => shell(tape, "echo out; echo error >&2"));
    const { stdout, stderr } = process.stdio;
    expect(stderr).toBe(stdout);
    expect((await readToEnd(stdout)).toString()).toBe("out\r\nerror\r\n");
    expect(await readToEnd(stderr)).toHaveLength(0);
  });

  test("ends its output when it ends, though a descendant holds the terminal", async () => {
    using process = withTerminal((tape) => shell(tape, "trap '' HUP; sleep 1000 & echo $!"));
    const output = (await readToEnd(process.stdio.stdout)).toString();
    expect(output).toMatch(/^\d+\r\n$/);
    expect(await process.child.exit).toBe(0);
    expect(await process.stdio.stdout.read(1, caller)).toHaveLength(0);
    globalThis.process.kill(Number(output), "SIGKILL");
  });

  test("may close the terminal and open it again before it ends", async () => {
    const [closed, toTest] = openPipe();
    const [fromTest, go] = openPipe();
    const [OUT, IN] = [201, 202];
    using process = withTerminal((tape) => {
      tape.do("place the pipe out", dup3(toTest.number, OUT));
      tape.do("place the pipe in", dup3(fromTest.number, IN));
      shell(
        tape,
        `echo one; exec <&- >&- 2>&-; echo > /proc/self/fd/${OUT}
        read -r go < /proc/self/fd/${IN}; echo two > /dev/tty`,
      );
    });
    toTest.close();
    await readUntil(process.stdio.stdout, "one\r\n");
    const waiting = process.stdio.stdout.read(100, caller);
    await readable(closed.number);
    expect(readNow(closed)).toEqual(new Uint8Array([10]));
    // Nobody but the agent has the terminal open now.
    perform("let it go on", writeText(go.number, "\n"));
    const output = [await waiting, await readToEnd(process.stdio.stdout)];
    expect(Buffer.concat(output).toString()).toBe("two\r\n");
    for (const fd of [closed, fromTest, go]) fd.close();
  });

  test("goes on when its input is closed: it is sent nothing, not even a hang-up", async () => {
    using process = withTerminal((tape) => shell(tape, "read -r line; echo got $line; exec cat"));
    const { stdin, stdout } = process.stdio;
    await stdin.write(Buffer.from("text\n"), caller);
    await stdin.close();
    await stdin.close();
    await expect(stdin.write(Buffer.from("more\n"), caller)).rejects.toThrow("Cannot get writer");
    expect(await readUntil(stdout, "got text\r\n")).toBe("text\r\ngot text\r\n");
    process.child.signal(SIG.TERM);
    expect(await readToEnd(stdout)).toHaveLength(0);
    expect(await process.child.exit).toBe(128 + SIG.TERM);
  });

  test("learns the size of its window, at most 65535 either way", async () => {
    using process = withTerminal((tape) => shell(tape, "while read -r _; do stty size; done"));
    const { stdin, stdout } = process.stdio;
    process.stdio.resize(24, 80);
    await stdin.write(Buffer.from("\n"), caller);
    expect(await readUntil(stdout, "80\r\n")).toBe("\r\n24 80\r\n");
    process.stdio.resize(65_536, 4_294_967_295);
    await stdin.write(Buffer.from("\n"), caller);
    expect(await readUntil(stdout, "65535\r\n")).toBe("\r\n65535 65535\r\n");
  });

  test("that has ended makes writes fail", async () => {
    using process = withTerminal((tape) => shell(tape, "exit 0"));
    const { stdin, stdout } = process.stdio;
    // More than a terminal takes while nobody reads it.
    const waiting = stdin.write(letters(1 << 20, 1), caller);
    await expect(waiting).rejects.toThrow("Cannot get writer: the process has ended");
    const writing = stdin.write(letters(1, 1), caller);
    await expect(writing).rejects.toThrow("Cannot get writer: the process has ended");
    await readToEnd(stdout);
  });

  test("takes more input than the terminal buffers, as fast as the process reads it", async () => {
    const script = "stty raw -echo; echo ready; exec head -c 1048576";
    using process = withTerminal((tape) => shell(tape, script));
    const { stdin, stdout } = process.stdio;
    await readUntil(stdout, "ready");
    const data = letters(1 << 20, 7);
    const [, output] = await Promise.all([stdin.write(data, caller), readToEnd(stdout)]);
    expect(output.subarray(output.indexOf(data.subarray(0, 16))).equals(data)).toBe(true);
  });

  test("when removed ends reads that wait and fails writes that wait", async () => {
    using process = withTerminal((tape) => shell(tape, "stty raw; echo ready; exec sleep 1000"));
    const { stdin, stdout } = process.stdio;
    await readUntil(stdout, "ready");
    // The echo of what cannot be echoed any more stops the terminal, too.
    const writing = stdin.write(letters(1 << 20, 1), caller);
    process.stdio.close();
    await expect(writing).rejects.toThrow("Cannot get writer");
    expect(await stdout.read(1, caller)).toHaveLength(0);
  });

  test("leaves no descriptor behind, also when its terminal is locked", async () => {
    expect(await firstLoss(withTerminal, 1)).toBeUndefined();
    const before = openDescriptors();
    expect(await firstLoss(withTerminal, 20)).toBeUndefined();
    const flags = O.RDWR | O.NOCTTY | O.NONBLOCK;
    const master = Fd.of("open a terminal", openat(AT_FDCWD, "/dev/ptmx", flags));
    expect(() => terminalStdio(master, Promise.resolve())).toThrow(
      "open the far end of the terminal: EIO",
    );
    expect(master.isOpen).toBe(false);
    expect(openDescriptors()).toBe(before);
  });
});
