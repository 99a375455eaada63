import { afterEach, expect, test } from "bun:test";
import { peek } from "bun";
import { Fd } from "../../../src/kernel/fd.ts";
import { attempt, perform } from "../../../src/kernel/perform.ts";
import { readable, writable } from "../../../src/kernel/poll.ts";
import { call } from "../../../src/linux/call.ts";
import { AT_FDCWD } from "../../../src/linux/constants.ts";
import { openat } from "../../../src/linux/fs.ts";
import { read, setStatusFlags, write, writeText } from "../../../src/linux/io.ts";
import { O } from "../../../src/linux/open-flags.ts";
import { openPtyPeer, unlockPty } from "../../../src/linux/tty.ts";
import { seeded } from "../../support/random.ts";

const F_DUPFD = 0;

const opened: Fd[] = [];

afterEach(() => {
  for (const fd of opened.splice(0)) fd.close();
});

function own<Fds extends readonly Fd[]>(fds: Fds): Fds {
  opened.push(...fds);
  return fds;
}

const openPipe = () => own(Fd.pipe("open a pipe", O.NONBLOCK));

function openPair(): [Fd, Fd] {
  const pair = own(Fd.socketpair("open a socket pair"));
  for (const { number } of pair)
    perform("make it non-blocking", setStatusFlags(number, O.NONBLOCK));
  return pair;
}

function put(fd: Fd, text: string): void {
  perform("write", writeText(fd.number, text));
}

function take(fd: Fd, most = 65_536): number {
  return attempt(read(fd.number, new Uint8Array(most)));
}

/** Write until no more is taken. */
function fill(fd: Fd): void {
  while (attempt(write(fd.number, new Uint8Array(4096))) > 0);
}

/**
 * Everything that is ready by now has been told: a pipe that became ready after it is, and the
 * kernel tells in order.
 */
async function settled(): Promise<void> {
  const [from, to] = openPipe();
  put(to, "x");
  await readable(from.number);
}

test("a pipe becomes readable when it is written to, and not before", async () => {
  const [from, to] = openPipe();
  const waiting = readable(from.number);
  await settled();
  expect(peek.status(waiting)).toBe("pending");
  put(to, "x");
  await waiting;
  expect(take(from)).toBe(1);
});

test("what was readable before is readable at once, as long as it is not read", async () => {
  const [from, to] = openPipe();
  put(to, "xy");
  await readable(from.number);
  await readable(from.number);
  expect(take(from)).toBe(2);
  const waiting = readable(from.number);
  await settled();
  expect(peek.status(waiting)).toBe("pending");
});

test("a pipe becomes readable when its other end is closed", async () => {
  const [from, to] = openPipe();
  const waiting = readable(from.number);
  to.close();
  await waiting;
  expect(take(from)).toBe(0);
});

test("a full pipe becomes writable when it is read", async () => {
  const [from, to] = openPipe();
  fill(to);
  const waiting = writable(to.number);
  await settled();
  expect(peek.status(waiting)).toBe("pending");
  while (take(from) > 0);
  await waiting;
  put(to, "x");
});

test("a full pipe becomes writable when nobody reads it any more, and the write says so", async () => {
  const [from, to] = openPipe();
  fill(to);
  const waiting = writable(to.number);
  from.close();
  await waiting;
  expect(attempt(writeText(to.number, "x"))).toBe(-32);
});

test("everybody who waits for one descriptor is woken", async () => {
  const [from, to] = openPipe();
  const waiting = Array.from({ length: 20 }, () => readable(from.number));
  put(to, "x");
  expect(await Promise.all(waiting)).toHaveLength(20);
});

test("a descriptor is waited for in both directions at once, and each is woken for itself", async () => {
  const [a, b] = openPair();
  fill(a);
  const reading = readable(a.number);
  const writing = writable(a.number);
  put(b, "x");
  await reading;
  expect(peek.status(writing)).toBe("pending");
  expect(take(a)).toBe(1);
  const readingAgain = readable(a.number);
  while (take(b) > 0);
  await writing;
  await settled();
  expect(peek.status(readingAgain)).toBe("pending");
  put(b, "y");
  await readingAgain;
});

test("the end of a connection wakes both directions", async () => {
  const [a, b] = openPair();
  fill(a);
  const both = [readable(a.number), writable(a.number)];
  b.close();
  await Promise.all(both);
});

test("closing a descriptor wakes whoever waits for it", async () => {
  const [from, to] = openPipe();
  fill(to);
  const waiting = [readable(from.number), readable(from.number), writable(to.number)];
  from.close();
  to.close();
  await Promise.all(waiting);
});

test("a descriptor can be waited for although one of its number was closed while waited for", async () => {
  for (let round = 0; round < 20; round++) {
    const [from, to] = openPipe();
    const waiting = readable(from.number);
    from.close();
    to.close();
    const [again, other] = openPipe();
    const later = readable(again.number);
    await waiting;
    expect(peek.status(later)).toBe("pending");
    put(other, "x");
    await later;
  }
});

test("a copy of the descriptor in another place does not keep a closed one waited for", async () => {
  const [from, to] = openPipe();
  using copy = Fd.of("copy it", call("fcntl", from.number, F_DUPFD, 0));
  const waiting = readable(from.number);
  from.close();
  await waiting;
  const [again] = openPipe();
  const later = readable(again.number);
  put(to, "x");
  await readable(copy.number);
  expect(peek.status(later)).toBe("pending");
});

test("a thousand pipes are waited for at once", async () => {
  const random = seeded(1);
  const pipes = Array.from({ length: 1000 }, openPipe);
  const told: number[] = [];
  const waiting = pipes.map(async ([from], index) => {
    await readable(from.number);
    expect(take(from)).toBe(1);
    told.push(index);
  });
  const written: number[] = [];
  const left = pipes.map((_, index) => index);
  while (left.length > 0) {
    const [index = 0] = left.splice(Math.floor(random() * left.length), 1);
    const to = pipes[index]?.[1];
    if (to) put(to, "x");
    written.push(index);
    if (written.length % 100 === 0) await settled();
  }
  await Promise.all(waiting);
  expect(told.toSorted((a, b) => a - b)).toEqual(written.toSorted((a, b) => a - b));
});

test("the master of a terminal is waited for", async () => {
  const flags = O.RDWR | O.NOCTTY | O.NONBLOCK;
  const [master] = own([Fd.of("open a terminal", openat(AT_FDCWD, "/dev/ptmx", flags))] as const);
  perform("unlock it", unlockPty(master.number));
  const [peer] = own([Fd.of("open its far end", openPtyPeer(master.number))] as const);
  const waiting = readable(master.number);
  await settled();
  expect(peek.status(waiting)).toBe("pending");
  put(peer, "hello");
  await waiting;
  expect(take(master)).toBe(5);
  await writable(master.number);
  const end = readable(master.number);
  peer.close();
  await end;
  expect(take(master)).toBe(-5);
});

test("what is always ready cannot be waited for, and says so", async () => {
  using file = Fd.of("open a file", openat(AT_FDCWD, import.meta.path, O.RDONLY));
  await expect(readable(file.number)).rejects.toThrow(
    `wait for descriptor ${file.number}: EPERM: Operation not permitted`,
  );
  await settled();
});

test("who gives up is woken, and nobody else", async () => {
  const [from, to] = openPipe();
  const controller = new AbortController();
  const waiting = readable(from.number, controller.signal);
  const other = readable(from.number);
  controller.abort();
  await waiting;
  await settled();
  expect(peek.status(other)).toBe("pending");
  put(to, "x");
  await other;
});

test("who has given up already does not wait", async () => {
  const [from] = openPipe();
  await readable(from.number, AbortSignal.abort());
});

test("a wait that could be given up ends with its descriptor as others do", async () => {
  const [from, to] = openPipe();
  const { signal } = new AbortController();
  put(to, "x");
  await readable(from.number, signal);
  expect(take(from)).toBe(1);
  const waiting = readable(from.number, signal);
  from.close();
  await waiting;
});

test("collecting garbage does not lose a wake-up", async () => {
  for (let round = 0; round < 50; round++) {
    const pipes = Array.from({ length: 10 }, openPipe);
    const waiting = pipes.map(([from]) => readable(from.number));
    Bun.gc(true);
    for (const [, to] of pipes) put(to, "x");
    Bun.gc(true);
    await Promise.all(waiting);
    for (const fd of pipes.flat()) fd.close();
  }
});
