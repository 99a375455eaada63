// The rules of reading, on a pipe that the test itself writes to.
import { describe, expect, test } from "bun:test";
import { OutputStream } from "../../../src/container/output-stream.ts";
import { Fd } from "../../../src/kernel/fd.ts";
import { perform } from "../../../src/kernel/perform.ts";
import { AT_FDCWD } from "../../../src/linux/constants.ts";
import { openat } from "../../../src/linux/fs.ts";
import { writeText } from "../../../src/linux/io.ts";
import { O } from "../../../src/linux/open-flags.ts";
import { openPtyPeer, unlockPty } from "../../../src/linux/tty.ts";
import { Source, settled } from "../../support/output-source.ts";
import { caller, openMaster } from "../../support/stdio.ts";

const LOST = new Error("connection lost");
const REJECTED = { status: "rejected", reason: LOST } as const;

async function expectWaiting(...reads: Promise<unknown>[]): Promise<void> {
  await settled();
  for (const read of reads) expect(Bun.peek.status(read)).toBe("pending");
}

describe("a read of output", () => {
  test("gives what is there, and not more than it was asked for", async () => {
    using source = new Source();
    source.print("hello");
    expect(await source.read(3)).toBe("hel");
    expect(await source.read(1 << 20)).toBe("lo");
  });

  test("waits for the first byte, and not for more", async () => {
    using source = new Source();
    const reading = source.read(100);
    await expectWaiting(reading);
    source.print("x");
    expect(await reading).toBe("x");
  });

  test("waits its turn: answers come in the order of the calls", async () => {
    using source = new Source();
    const reads = [source.read(2), source.read(100), source.read(100)];
    source.print("abcd");
    expect(await reads[0]).toBe("ab");
    expect(await reads[1]).toBe("cd");
    await expectWaiting(...reads.slice(2));
    source.print("e");
    expect(await reads[2]).toBe("e");
  });

  test("of length 0 gives nothing at once, and takes nothing", async () => {
    using source = new Source();
    const reading = source.read(100);
    expect(await source.read(0)).toBe("");
    source.print("x");
    expect(await source.read(0)).toBe("");
    expect(await reading).toBe("x");
  });

  test("gives 1 MiB at most, whatever it was asked for", async () => {
    using zeros = Fd.of("open /dev/zero", openat(AT_FDCWD, "/dev/zero", O.RDONLY));
    const stream = new OutputStream(zeros, "stdout", Promise.resolve());
    expect(await stream.read(0xffff_ffff, caller)).toHaveLength(1 << 20);
  });

  test("gives bytes of its own: the next read does not change them", async () => {
    using source = new Source();
    source.print("first");
    const first = await source.stream.read(100, caller);
    source.print("other");
    await source.read(100);
    expect(Buffer.from(first).toString()).toBe("first");
  });

  test("that the kernel refuses says what and why", async () => {
    using directory = Fd.of("open /", openat(AT_FDCWD, "/", O.RDONLY));
    const stream = new OutputStream(directory, "stdout", Promise.resolve());
    await expect(stream.read(1, caller)).rejects.toThrow("read stdout: EISDIR: Is a directory");
  });
});

describe("output ends", () => {
  test("when nobody can write any more, after all that was written, each time anew", async () => {
    using source = new Source();
    source.print("last");
    source.end();
    expect(await source.read(100)).toBe("last");
    expect(await source.read(100)).toBe("");
    expect(await source.read(100)).toBe("");
  });

  test("when nobody has the far end of a terminal open any more", async () => {
    using master = openMaster();
    perform("unlock it", unlockPty(master.number));
    using peer = Fd.of("open its far end", openPtyPeer(master.number));
    const stream = new OutputStream(master, "the terminal", new Promise(() => {}));
    perform("print", writeText(peer.number, "last"));
    expect(Buffer.from(await stream.read(100, caller)).toString()).toBe("last");
    const reading = stream.read(100, caller);
    await expectWaiting(reading);
    peer.close();
    expect(await reading).toHaveLength(0);
    expect(await stream.read(100, caller)).toHaveLength(0);
  });

  test("for the reads that wait when the process exits, though the pipe is held open", async () => {
    using source = new Source();
    const reads = [source.read(1), source.read(1)];
    await expectWaiting(...reads);
    await source.exit();
    expect(await Promise.all(reads)).toEqual(["", ""]);
  });

  test("for reads long after the exit, once they have all that was written before it", async () => {
    using source = new Source();
    source.print("last");
    await source.exit();
    await settled();
    expect(await source.read(2)).toBe("la");
    expect(await source.read(100)).toBe("st");
    expect(await source.read(100)).toBe("");
  });

  test("not when it is silent while the process lives", async () => {
    using source = new Source();
    const reading = source.read(1);
    await expectWaiting(reading);
    source.print("x");
    expect(await reading).toBe("x");
  });

  test("for good: what a descendant writes afterwards is not the process's", async () => {
    using source = new Source();
    await source.exit();
    expect(await source.read(1)).toBe("");
    source.print("late");
    expect(await source.read(100)).toBe("");
  });

  test("for all when the stream is closed", async () => {
    using source = new Source();
    const reading = source.read(1);
    source.stream.close();
    source.stream.close();
    expect(await reading).toBe("");
    expect(await source.read(1)).toBe("");
  });
});

describe("a read that nobody waits for any more", () => {
  test("fails with the reason, and takes nothing", async () => {
    using source = new Source();
    const client = new AbortController();
    const reading = source.read(100, client);
    await expectWaiting(reading);
    client.abort(LOST);
    await expect(reading).rejects.toBe(LOST);
    source.print("kept");
    await settled();
    expect(await source.read(100)).toBe("kept");
  });

  test("takes nothing though there is something, if it was so from the start", async () => {
    using source = new Source();
    source.print("kept");
    await expect(source.read(100, { signal: AbortSignal.abort(LOST) })).rejects.toBe(LOST);
    expect(await source.read(100)).toBe("kept");
  });

  test("takes nothing for those that are lost with it, though data has just come", async () => {
    using source = new Source();
    const clients = [new AbortController(), new AbortController(), new AbortController()];
    const reads = clients.map((client) => source.read(2, client));
    await expectWaiting(...reads);
    source.print("kept");
    for (const client of clients) client.abort(LOST);
    expect(await Promise.allSettled(reads)).toEqual(clients.map(() => REJECTED));
    expect(await source.read(100)).toBe("kept");
  });

  test("does not hold up those behind it", async () => {
    using source = new Source();
    const client = new AbortController();
    const [first, second] = [source.read(100, client), source.read(100)];
    client.abort(LOST);
    await expect(first).rejects.toBe(LOST);
    source.print("x");
    expect(await second).toBe("x");
  });

  test("does not end output that the process can still write", async () => {
    using source = new Source();
    for (let i = 0; i < 1000; i++) {
      const client = new AbortController();
      const reading = source.read(100, client);
      client.abort(LOST);
      await expect(reading).rejects.toBe(LOST);
    }
    source.print("x");
    expect(await source.read(100)).toBe("x");
  });
});
