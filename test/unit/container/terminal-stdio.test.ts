// The streams of processes that really run, over a terminal.
import { describe, expect, test } from "bun:test";
import { terminalStdio } from "../../../src/container/stdio.ts";
import { perform } from "../../../src/kernel/perform.ts";
import { readable } from "../../../src/kernel/poll.ts";
import { SIG } from "../../../src/linux/constants.ts";
import { dup3, writeText } from "../../../src/linux/io.ts";
import { openPipe, readNow, reapInThisFile, shell } from "../../support/child.ts";
import {
  caller,
  firstLoss,
  letters,
  openDescriptors,
  openMaster,
  readToEnd,
  readUntil,
  withTerminal,
} from "../../support/stdio.ts";

reapInThisFile();

describe("a process with a terminal", () => {
  test("loses nothing of its output when it writes and ends at once", async () => {
    expect(await firstLoss(withTerminal, 60)).toBeUndefined();
  }, 60_000);

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

  test("goes on when its input is closed: it is sent nothing, not even a hang-up (D20)", async () => {
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
    const master = openMaster();
    expect(() => terminalStdio(master, Promise.resolve())).toThrow(
      "open the far end of the terminal: EIO",
    );
    expect(master.isOpen).toBe(false);
    expect(openDescriptors()).toBe(before);
  });
});
