import { expect, test } from "bun:test";
import { Fd } from "../../../src/kernel/fd.ts";
import { attempt, perform } from "../../../src/kernel/perform.ts";
import { Reg, call } from "../../../src/linux/call.ts";
import { AT_FDCWD } from "../../../src/linux/constants.ts";
import { KernelError } from "../../../src/linux/error.ts";
import { chdir, openInRoot, openat, statfs } from "../../../src/linux/fs.ts";
import { close, memfd_create, read, writeText } from "../../../src/linux/io.ts";
import { O } from "../../../src/linux/open-flags.ts";
import { execve, setrlimit } from "../../../src/linux/process.ts";

test("a call gives its result", () => {
  expect(perform("get the pid", call("getpid"))).toBe(process.pid);
  expect(attempt(call("getpid"))).toBe(process.pid);
});

test("a failed call throws its label, the name of the errno and its text", () => {
  const made = openat(AT_FDCWD, "/no/such/file", O.RDONLY);
  expect(() => perform("open /no/such/file", made)).toThrow(
    "open /no/such/file: ENOENT: No such file or directory",
  );
});

test("the error of a failed call has the call and its errno", () => {
  const made = chdir("/dev/null");
  try {
    perform("enter /dev/null", made);
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    expect([error.label, error.call, error.errno]).toEqual(["enter /dev/null", made, 20]);
    return;
  }
  throw new Error("chdir to a file succeeded");
});

test("an attempt that fails gives the errno negated", () => {
  expect(attempt(chdir("/no/such/directory"))).toBe(-2);
  expect(attempt(close(-1))).toBe(-9);
});

test("text goes to the kernel as UTF-8 and ends with a NUL", () => {
  using file = Fd.of("make a memory file", memfd_create("größe"));
  expect(perform("write", writeText(file.number, "größe"))).toBe(7);
  const link = `/proc/self/fd/${file.number}`;
  using again = Fd.of("open it again", openat(AT_FDCWD, link, O.RDONLY));
  const buffer = new Uint8Array(16);
  expect(perform("read", read(again.number, buffer))).toBe(7);
  expect(new TextDecoder().decode(buffer.subarray(0, 7))).toBe("größe");
});

test("text with a NUL in it is refused, since the kernel would read a part of it", () => {
  expect(() => attempt(chdir("/\0tmp"))).toThrow("contains NUL");
});

test("the kernel fills the buffer it is given, also where that is part of another", () => {
  const whole = new Uint8Array(256).fill(0xaa);
  perform("stat /proc", statfs("/proc", whole.subarray(8, 128)));
  expect(new DataView(whole.buffer).getUint32(8, true)).toBe(0x9fa0);
  expect([whole[7], whole[128]]).toEqual([0xaa, 0xaa]);
});

test("a structure goes to the kernel by its address", () => {
  using root = Fd.of("open /proc", openat(AT_FDCWD, "/proc", O.PATH | O.DIRECTORY));
  using file = Fd.of("open it", openInRoot(root.number, "/../../../uptime", O.RDONLY));
  expect(perform("read", read(file.number, new Uint8Array(64)))).toBeGreaterThan(0);
  expect(attempt(openInRoot(root.number, "/self/exe", O.RDONLY))).toBe(-40);
  expect(attempt(setrlimit(99, 0n, 0n))).toBe(-22);
});

test("a list of strings goes to the kernel as a vector of pointers", () => {
  expect(attempt(execve("/no/such/program", ["a", "b"], ["c=d"]))).toBe(-2);
});

test("an empty buffer is nothing to read into", () => {
  using zero = Fd.of("open /dev/zero", openat(AT_FDCWD, "/dev/zero", O.RDONLY));
  expect(perform("read", read(zero.number, new Uint8Array(0)))).toBe(0);
});

test("a register is refused: only a tape has some", () => {
  expect(() => attempt(close(new Reg(0)))).toThrow(
    new TypeError("a register exists in a tape only"),
  );
});

test("what a call points to lives until the call is over, whatever is collected meanwhile", () => {
  for (let i = 0; i < 2000; i++) {
    if (i % 200 === 0) Bun.gc(true);
    const name = `/no/such/${"directory/".repeat(i % 50)}${i}`;
    expect(attempt(openat(AT_FDCWD, name, O.RDONLY))).toBe(-2);
    using file = Fd.of("open /dev/null", openat(AT_FDCWD, "/dev/null", O.RDWR));
    expect(perform("write", writeText(file.number, name))).toBe(name.length);
  }
});
