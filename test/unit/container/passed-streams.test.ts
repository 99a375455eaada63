// Streams that the host has connected itself, of processes that really run.
import { describe, expect, test } from "bun:test";
import { PassedStreams } from "../../../src/container/passed-streams.ts";
import { type Ports, StreamPorts } from "../../../src/container/stream-ports.ts";
import { Fd } from "../../../src/kernel/fd.ts";
import { attempt, perform } from "../../../src/kernel/perform.ts";
import { writable } from "../../../src/kernel/poll.ts";
import { writeAll } from "../../../src/kernel/relay.ts";
import { readTail } from "../../../src/kernel/tail.ts";
import { setStatusFlags, write } from "../../../src/linux/io.ts";
import { O } from "../../../src/linux/open-flags.ts";
import { reapInThisFile, shell } from "../../support/child.ts";
import { letters, openDescriptors, withPipes, withTerminal } from "../../support/stdio.ts";

reapInThisFile();

const NEVER = new AbortController().signal;
const MOST = 1 << 20;

/** A connection: the host's end of it, and the agent's. */
function connection(direction: "in" | "out"): { readonly host: Fd; readonly agent: Fd } {
  const [readEnd, writeEnd] = Fd.pipe("make a pipe");
  for (const fd of [readEnd, writeEnd])
    perform("do not block", setStatusFlags(fd.number, O.NONBLOCK));
  return direction === "in"
    ? { host: writeEnd, agent: readEnd }
    : { host: readEnd, agent: writeEnd };
}

describe("a process whose streams are the host's own", () => {
  test("reads what comes, until that ends, and what it writes goes out, apart", async () => {
    using process = withPipes((tape) => shell(tape, "cat; echo error >&2"));
    const [stdin, stdout, stderr] = [connection("in"), connection("out"), connection("out")];
    const streams = new PassedStreams({
      stdin: stdin.agent,
      stdout: stdout.agent,
      stderr: stderr.agent,
    });
    const over = process.stdio.connect(streams);
    await writeAll(stdin.host, Buffer.from("some input"));
    stdin.host.close();
    expect((await readTail(stdout.host, MOST, NEVER)).text).toBe("some input");
    expect((await readTail(stderr.host, MOST, NEVER)).text).toBe("error\n");
    await over;
    expect(await process.child.exit).toBe(0);
  });

  test("loses nothing to a slow host, and its end is known when all has been taken", async () => {
    // More than its pipe holds, and less than both.
    const length = 100_000;
    using process = withPipes((tape) => shell(tape, `yes 12345678 | head -c ${length}`));
    const { host, agent } = connection("out");
    const over = process.stdio.connect(new PassedStreams({ stdout: agent }));
    await process.child.exit;
    expect(Bun.peek.status(over)).toBe("pending");
    const { text } = await readTail(host, MOST, NEVER);
    expect(text.length).toBe(length);
    await over;
  });

  test("goes on where the host takes its output no more", async () => {
    using process = withPipes((tape) => shell(tape, "yes | head -c 3000000; exit 4"));
    const { host, agent } = connection("out");
    host.close();
    const over = process.stdio.connect(new PassedStreams({ stdout: agent }));
    expect(await process.child.exit).toBe(4);
    await over;
  });

  test("is told of no end by a descendant that holds its output", async () => {
    using process = withPipes((tape) => shell(tape, "sleep 1000 & echo $!"));
    const { host, agent } = connection("out");
    await process.stdio.connect(new PassedStreams({ stdout: agent }));
    const { text } = await readTail(host, MOST, NEVER);
    globalThis.process.kill(Number(text), "SIGKILL");
  });

  test("has one output on a terminal", async () => {
    using process = withTerminal((tape) => shell(tape, "read line; echo got $line"));
    const [stdin, stdout, stderr] = [connection("in"), connection("out"), connection("out")];
    const streams = new PassedStreams({
      stdin: stdin.agent,
      stdout: stdout.agent,
      stderr: stderr.agent,
    });
    const over = process.stdio.connect(streams);
    await writeAll(stdin.host, Buffer.from("word\n"));
    await over;
    expect((await readTail(stdout.host, MOST, NEVER)).text).toContain("got word");
  });

  test("leaves no descriptor and no copy behind when it is removed", async () => {
    const before = openDescriptors();
    const process = withPipes((tape) => shell(tape, "exec sleep 1000"));
    const [stdin, stdout] = [connection("in"), connection("out")];
    const streams = new PassedStreams({ stdin: stdin.agent, stdout: stdout.agent });
    const over = process.stdio.connect(streams);
    streams[Symbol.dispose]();
    expect(attempt(write(stdin.host.number, letters(10, 0)))).toBe(10);
    process[Symbol.dispose]();
    await over;
    await writable(stdin.host.number);
    expect(attempt(write(stdin.host.number, letters(10, 0)))).toBeLessThan(0);
    for (const { host } of [stdin, stdout]) host.close();
    expect(openDescriptors()).toEqual(before);
  });
});

describe("connections that wait", () => {
  const ports = (change: Partial<Ports>): Ports => ({
    stdinPort: 0,
    stdoutPort: 0,
    stderrPort: 0,
    ...change,
  });

  function setUp() {
    const warnings: string[] = [];
    const waiting = new StreamPorts((message, { stream }) => {
      warnings.push(`${message}: ${stream}`);
    });
    return { warnings, waiting };
  }

  test("are taken by their port, once, and one that comes a moment later as well", async () => {
    const { waiting, warnings } = setUp();
    const [first, second] = [connection("out"), connection("out")];
    waiting.add(7, first.agent);
    const taken = waiting.take(ports({ stdoutPort: 7, stderrPort: 9 }), NEVER);
    waiting.add(9, second.agent);
    using _ = await taken;
    expect(warnings).toEqual([]);
    using none = await waiting.take(ports({ stdoutPort: 7 }), NEVER);
    expect(none).toBeInstanceOf(PassedStreams);
    expect(warnings).toEqual(["a stream of the host is missing: stdout"]);
    for (const { host } of [first, second]) host.close();
  });

  test("are closed when another has their port, when they are too many, and with a refused request", async () => {
    const { waiting } = setUp();
    const [first, second, third] = [connection("out"), connection("out"), connection("out")];
    waiting.add(7, first.agent);
    waiting.add(7, second.agent);
    expect([first.agent.isOpen, second.agent.isOpen]).toEqual([false, true]);
    const others = Array.from({ length: 256 }, (_, i) => ({
      port: 1000 + i,
      ...connection("out"),
    }));
    for (const { port, agent } of others) waiting.add(port, agent);
    expect(second.agent.isOpen).toBe(false);
    waiting.add(8, third.agent);
    (await waiting.take(ports({ stdinPort: 8 }), NEVER))[Symbol.dispose]();
    expect(third.agent.isOpen).toBe(false);
    for (const { agent, host } of [...others, first, second, third]) {
      agent.close();
      host.close();
    }
  });

  test("are not waited for where there are none, nor for a caller that has gone", async () => {
    const { waiting, warnings } = setUp();
    const from = performance.now();
    using _ = await waiting.take(ports({ stdoutPort: 7 }), NEVER);
    waiting.add(1, connection("out").agent);
    using __ = await waiting.take(ports({ stdoutPort: 7 }), AbortSignal.abort());
    expect(performance.now() - from).toBeLessThan(200);
    expect(warnings).toHaveLength(2);
  });
});
