import { expect, test } from "bun:test";
import { SHELLS, shellProgram } from "../../../src/guest/console-shell.ts";
import { Fd } from "../../../src/kernel/fd.ts";
import { listing } from "../../../src/tape/listing.ts";

const OPTIONS = { shells: SHELLS, environment: ["PATH=/bin"], ignoredSignals: [13] };

/** The calls, without numbers and labels. */
const calls = (terminal: Fd | string) =>
  listing(shellProgram(terminal, OPTIONS))
    .split("\n")
    .map((line) => line.replace(/^ *\d+ +/, "").replace(/ +#.*/, ""));

test("a shell on a socket has a pty, and the first of the shells that is there", () => {
  const master = new Fd(70);
  const program = calls(master);
  master.release();
  expect(program).toEqual([
    "prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0)",
    "setsid()",
    "r0 = ioctl(70, TIOCGPTPEER, 524546)",
    "dup3(r0, 0, 0)",
    "dup3(r0, 1, 0)",
    "dup3(r0, 2, 0)",
    "ioctl(0, TIOCSCTTY, 1) ? EPERM EIO ENOTTY",
    "rt_sigaction(SIGPIPE, {sa_handler=SIG_DFL}, NULL, 8)",
    "rt_sigprocmask(SIG_SETMASK, {bits=0x0}, NULL, 8)",
    "close_range(3, ~0U, CLOSE_RANGE_CLOEXEC)",
    `execve("/run/kata-extensions/devkit/bin/devkit-sh", ["/run/kata-extensions/devkit/bin/devkit-sh"], ["PATH=…"]) →13 ? ENOENT ENOTDIR EACCES ENOEXEC`,
    `execve("/bin/bash", ["/bin/bash"], ["PATH=…"]) →13 ? ENOENT ENOTDIR EACCES ENOEXEC`,
    `execve("/bin/sh", ["/bin/sh"], ["PATH=…"])`,
  ]);
});

test("a shell on the console is told that it talks to somebody", () => {
  const program = calls("/dev/console");
  expect(program[2]).toBe(`r0 = openat(AT_FDCWD, "/dev/console", O_RDWR|O_NOCTTY|O_CLOEXEC, 0)`);
  expect(program.at(-1)).toBe(`execve("/bin/sh", ["/bin/sh", "-i"], ["PATH=…"])`);
});
