import { expect, test } from "bun:test";
import { closeSync, existsSync } from "node:fs";
import { Fd } from "../../../src/kernel/fd.ts";
import { attempt, perform } from "../../../src/kernel/perform.ts";
import { readable } from "../../../src/kernel/poll.ts";
import { call } from "../../../src/linux/call.ts";
import { AT_FDCWD } from "../../../src/linux/constants.ts";
import { openat } from "../../../src/linux/fs.ts";
import { read, write, writeText } from "../../../src/linux/io.ts";
import { O } from "../../../src/linux/open-flags.ts";
import { pick, seeded } from "../../support/random.ts";

const F_GETFD = 1;
const FD_CLOEXEC = 1;

const isOpen = (number: number) => existsSync(`/proc/self/fd/${number}`);

function openNull(): Fd {
  return Fd.of("open /dev/null", openat(AT_FDCWD, "/dev/null", O.RDWR));
}

test("a descriptor is closed when its scope ends", () => {
  let number = -1;
  {
    using fd = openNull();
    number = fd.number;
    expect([fd.isOpen, isOpen(number)]).toEqual([true, true]);
  }
  expect(isOpen(number)).toBe(false);
});

test("a descriptor is closed once: a second close does not hit who has the number by then", () => {
  const first = openNull();
  const { number } = first;
  first.close();
  using second = openNull();
  expect(second.number).toBe(number);
  first.close();
  first[Symbol.dispose]();
  expect(isOpen(number)).toBe(true);
});

test("the number of a closed descriptor cannot be read", () => {
  const fd = openNull();
  fd.close();
  expect(fd.isOpen).toBe(false);
  expect(() => fd.number).toThrow("use of a closed descriptor");
  expect(() => fd.release()).toThrow("use of a closed descriptor");
});

test("a released descriptor stays open and is its new owner's", () => {
  const fd = openNull();
  const number = fd.release();
  expect([fd.isOpen, isOpen(number)]).toEqual([false, true]);
  fd.close();
  expect(isOpen(number)).toBe(true);
  closeSync(number);
});

test("a descriptor can be waited for although an earlier one of its number was released", async () => {
  const [from, to] = Fd.pipe("open a pipe");
  const waiting = readable(from.number);
  const number = from.release();
  await waiting;
  closeSync(number);
  const [again, other] = Fd.pipe("open a pipe");
  expect(again.number).toBe(number);
  perform("write", writeText(other.number, "x"));
  await readable(again.number);
  for (const fd of [to, again, other]) fd.close();
});

test("a call that fails makes no descriptor", () => {
  expect(() => Fd.of("open nothing", openat(AT_FDCWD, "/no/such/file", O.RDONLY))).toThrow(
    "open nothing: ENOENT: No such file or directory",
  );
});

test("what is written to the second end of a pipe is read from the first", () => {
  const [from, to] = Fd.pipe("open a pipe", O.NONBLOCK);
  using _ = from;
  const buffer = new Uint8Array(8);
  expect(attempt(read(from.number, buffer))).toBe(-11);
  perform("write", writeText(to.number, "abc"));
  expect(perform("read", read(from.number, buffer))).toBe(3);
  to.close();
  expect(perform("read", read(from.number, buffer))).toBe(0);
});

test("both ends of a socket pair read what the other wrote, message by message", () => {
  const [a, b] = Fd.socketpair("open a socket pair");
  using _ = a;
  using __ = b;
  const buffer = new Uint8Array(8);
  perform("write", write(a.number, Uint8Array.of(1, 2)));
  perform("write", write(a.number, Uint8Array.of(3)));
  expect(perform("read", read(b.number, buffer))).toBe(2);
  expect(perform("read", read(b.number, buffer))).toBe(1);
  perform("write", write(b.number, Uint8Array.of(4)));
  expect(perform("read", read(a.number, buffer))).toBe(1);
  expect(buffer[0]).toBe(4);
});

test("descriptors are closed on exec", () => {
  const fds = [openNull(), ...Fd.pipe("open a pipe"), ...Fd.socketpair("open a socket pair")];
  for (const fd of fds) {
    using _ = fd;
    expect(perform("read its flags", call("fcntl", fd.number, F_GETFD))).toBe(FD_CLOEXEC);
  }
});

test("in whatever order they are opened, handed over and closed, none hits the number of another", () => {
  const random = seeded(7);
  const owners: Fd[] = [];
  const live = () => owners.filter((fd) => fd.isOpen);
  const steps = {
    open: () => owners.push(...Fd.pipe("open a pipe")),
    close: () => pick(random, owners).close(),
    dispose: () => pick(random, owners)[Symbol.dispose](),
    handOver: () => {
      const from = pick(random, owners);
      if (from.isOpen) owners.push(new Fd(from.release()));
      else expect(() => from.number).toThrow("use of a closed descriptor");
    },
  };
  steps.open();
  for (let i = 0; i < 5000; i++) {
    pick(random, Object.values(steps))();
    if (owners.length === 0 || live().length > 100) owners.forEach((fd) => fd.close());
    if (i % 100 > 0) continue;
    // Whoever believes that it owns a number does, alone.
    const numbers = live().map(({ number }) => number);
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(numbers.filter((number) => !isOpen(number))).toEqual([]);
  }
  for (const fd of owners) fd.close();
  expect(live()).toEqual([]);
});
