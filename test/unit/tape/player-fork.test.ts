// A tape that goes on in another process.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { until } from "../../../src/async/until.ts";
import { AT_FDCWD, S, SIG } from "../../../src/linux/constants.ts";
import { chdir, fchmod, mkdirat, openat, statx } from "../../../src/linux/fs.ts";
import { dup3 } from "../../../src/linux/io.ts";
import { O } from "../../../src/linux/open-flags.ts";
import { TapeError } from "../../../src/tape/error.ts";
import { mkdtempSync, rmSync, statSync, chmodSync } from "node:fs";
import { allowNoDescriptor } from "../../support/no-descriptor.ts";
import { childPids, openPipe, play, readAll, reapInThisFile, shell } from "../../support/child.ts";

reapInThisFile();

function hasEnded(pid: number): boolean {
  try {
    return /^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return true;
  }
}

function parentOf(pid: number): number {
  const [, parent = ""] = /^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(parent);
}

test("a tape goes on in a new child of the agent, with all that the old one had", async () => {
  const [from, to] = openPipe();
  using _ = from;
  using child = play((tape) => {
    tape.do("place stdout", dup3(to.number, 1));
    tape.park("before");
    tape.fork("go on in a new process", 0);
    tape.park("after");
    shell(tape, "echo $$; exit 7");
  });
  to.close();
  await child.parked();
  const first = child.pid;
  child.resume();
  await child.parked();
  expect(child.pid).not.toBe(first);
  expect(parentOf(child.pid)).toBe(process.pid);
  child.resume();
  await child.played();
  expect(await readAll(from)).toBe(`${child.pid}\n`);
  expect(await child.exit).toBe(7);
  expect(childPids()).not.toContain(String(first));
});

test("a tape ends in the process that it has gone on in", async () => {
  using child = play((tape) => {
    tape.fork("once", 0);
    tape.fork("twice", 0);
  });
  await child.played();
  expect(await child.exit).toBe(0);
});

test("an op that fails after the fork names itself", async () => {
  using child = play((tape) => {
    tape.fork("go on", 0);
    tape.do("enter nowhere", chdir("/no/such/directory"));
  });
  const failure = await child.played().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(TapeError);
  expect(String(failure)).toContain("enter nowhere: ENOENT");
  expect(await child.exit).toBe(127);
});

test("a fork that fails names itself", async () => {
  const CLONE_THREAD_WITHOUT_THE_REST = 0x10000;
  using child = play((tape) => tape.fork("go on", CLONE_THREAD_WITHOUT_THE_REST));
  const failure = await child.played().catch((error: unknown) => error);
  expect(String(failure)).toContain("go on: EINVAL");
});

/** Before the fork, between the fork and the word of it, or after: nobody knows. */
test("a kill around the fork reaches the process that goes on", async () => {
  for (let round = 0; round < 30; round++) {
    using child = play((tape) => {
      tape.park("before");
      tape.fork("go on", 0);
      tape.park("after");
    });
    await child.parked();
    child.resume();
    const parked = child.parked();
    child.signal(SIG.KILL);
    await expect(parked).rejects.toThrow("before it was ready");
    expect(await child.exit).toBe(128 + SIG.KILL);
  }
  await until(() => childPids().length === 0, 5000);
  expect(childPids()).toEqual([]);
});

/** The word of the fork is then read by nobody who waits for a park. */
test("a kill after the fork is seen to its end by who waits for that alone", async () => {
  using child = play((tape) => {
    tape.fork("go on", 0);
    tape.park("after");
  });
  const first = child.pid;
  await until(() => hasEnded(first), 5000);
  child.signal(SIG.KILL);
  expect(await child.exit).toBe(128 + SIG.KILL);
  expect(childPids()).toEqual([]);
});

test("a tape that goes on twice ends with the last process", async () => {
  using child = play((tape) => {
    tape.fork("once", 0);
    tape.fork("twice", 0);
    shell(tape, "exit 7");
  });
  await child.played();
  expect(await child.exit).toBe(7);
});

test("a tape goes on in a new process where the agent has no descriptor left", async () => {
  using child = play((tape) => {
    tape.fork("go on", 0);
    tape.park("after");
  });
  {
    using _ = allowNoDescriptor();
    await child.parked();
  }
  child.signal(SIG.KILL);
  expect(await child.exit).toBe(128 + SIG.KILL);
});

test("a number that one call has written is an argument of another", async () => {
  const directory = mkdtempSync("/tmp/load-");
  try {
    chmodSync(directory, 0o1751);
    using child = play((tape) => {
      const status = new Uint8Array(256);
      const from = tape.fd("open it", openat(AT_FDCWD, directory, O.RDONLY | O.DIRECTORY));
      tape.do("see its mode", statx(from, status));
      const mode = tape.load("take its mode", status, 28);
      tape.do("make another", mkdirat(from, "other", 0o700));
      const to = tape.fd("open the other", openat(from, "other", O.RDONLY | O.DIRECTORY));
      tape.do("give it the mode", fchmod(to, mode));
    });
    await child.played();
    expect(statSync(`${directory}/other`).mode).toBe(S.IFDIR | 0o1751);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
