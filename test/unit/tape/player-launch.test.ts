// What a child is born with and without, and what a launch leaves behind.
import { beforeAll, expect, test } from "bun:test";
import { readFileSync, readdirSync } from "node:fs";
import { until } from "../../../src/async/until.ts";
import { Fd } from "../../../src/kernel/fd.ts";
import { AT_FDCWD, SIG } from "../../../src/linux/constants.ts";
import { chdir, openat } from "../../../src/linux/fs.ts";
import { closeOnExecFrom, writeText } from "../../../src/linux/io.ts";
import { O } from "../../../src/linux/open-flags.ts";
import { signalMask, signalsIn } from "../../../src/linux/proc-status.ts";
import { resetSignal } from "../../../src/linux/signal.ts";
import { launch, openControl } from "../../../src/tape/player.ts";
import { Tape, TapeTooLong } from "../../../src/tape/tape.ts";
import { childPids, play, reapInThisFile, run } from "../../support/child.ts";

reapInThisFile();

const LONGEST_WAIT_MS = 5000;
/** A clone copies the page tables of a process that has run many tests. */
const MANY_LAUNCHES_MS = 60_000;
const openFds = () => readdirSync("/proc/self/fd").length;

// So that what is opened once and for all is open before any test counts.
beforeAll(async () => {
  using child = play(() => {});
  await child.played();
});

test("a child that cannot be cloned leaves no descriptor", () => {
  using file = Fd.of("open /dev/null", openat(AT_FDCWD, "/dev/null", O.RDONLY));
  const before = openFds();
  const control = openControl();
  expect(() => launch({ tape: new Tape(), control, cgroup: file })).toThrow(
    "clone a child: EBADF: Bad file descriptor",
  );
  expect(openFds()).toBeLessThanOrEqual(before);
});

test("a tape that is too long is refused and leaves no descriptor", () => {
  const before = openFds();
  const tape = new Tape();
  tape.do("write a lot", writeText(1, "x".repeat(17 << 20)));
  expect(() => launch({ tape, control: openControl() })).toThrow(
    new TapeTooLong("the spec asks for more than the memory of a tape holds"),
  );
  expect(openFds()).toBeLessThanOrEqual(before);
});

test(
  "five hundred launches, half of them failing, leave no descriptor and no process",
  async () => {
    using file = Fd.of("open /dev/null", openat(AT_FDCWD, "/dev/null", O.RDONLY));
    const before = openFds();
    const children = childPids();
    const tape = new Tape();
    tape.do("go nowhere", chdir("/dev/null"));
    for (let i = 0; i < 250; i++) {
      if (i % 2 === 0) {
        expect(() => launch({ tape, control: openControl(), cgroup: file })).toThrow("EBADF");
      } else {
        using failing = launch({ tape, control: openControl() });
        await expect(failing.played()).rejects.toThrow("ENOTDIR");
      }
      using child = play(() => {});
      await child.played();
      expect(await child.exit).toBe(0);
    }
    expect(openFds()).toBeLessThanOrEqual(before);
    const areGone = () => childPids().every((pid) => children.includes(pid));
    expect(await until(areGone, LONGEST_WAIT_MS)).toBe(true);
  },
  MANY_LAUNCHES_MS,
);

test("a program catches and blocks no signal, but ignores what the agent ignores", async () => {
  const agent = readFileSync("/proc/self/status", "utf8");
  const { output } = await run("cat /proc/self/status");
  // CLONE_CLEAR_SIGHAND spares what is ignored, and Bun ignores these two.
  expect(signalsIn(signalMask(agent, "SigIgn"))).toContain(SIG.PIPE);
  expect(signalsIn(signalMask(agent, "SigIgn"))).toContain(SIG.XFSZ);
  expect(signalMask(output, "SigIgn")).toBe(signalMask(agent, "SigIgn"));
  expect(signalMask(agent, "SigCgt")).not.toBe(0n);
  expect([signalMask(output, "SigCgt"), signalMask(output, "SigBlk")]).toEqual([0n, 0n]);
});

test("a tape runs with none of the agent's signal handlers", async () => {
  using child = play((tape) => tape.park("wait"));
  await child.parked();
  const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
  expect([signalMask(status, "SigCgt"), signalMask(status, "SigBlk")]).toEqual([0n, 0n]);
});

test("a tape can give ignored signals their default back", async () => {
  const ignored = signalsIn(signalMask(readFileSync("/proc/self/status", "utf8"), "SigIgn"));
  const { output } = await run("cat /proc/self/status", (tape) => {
    for (const signal of ignored) tape.do(`reset signal ${signal}`, resetSignal(signal));
  });
  expect(signalMask(output, "SigIgn")).toBe(0n);
});

test("a program has no descriptor of the agent once all above stderr close on exec", async () => {
  using _ = Fd.of("open /dev/null", openat(AT_FDCWD, "/dev/null", O.RDONLY));
  const { output } = await run("ls /proc/self/fd", (tape) =>
    tape.do("close all but stdio", closeOnExecFrom(3)),
  );
  // 3 is the directory that is being listed.
  expect(output).toBe("0\n1\n2\n3\n");
});

// What the test runner has mapped since the first child is no heap, and is in a child.
test("a child has little of the agent's memory, whatever its heap has grown to", async () => {
  const grown = Array.from({ length: 500_000 }, (_, index) => ({ index }));
  using child = play((tape) => tape.park("wait"));
  await child.parked();
  expect(anonymousKb(child.pid)).toBeLessThan(anonymousKb("self") / 4);
  expect(grown).toHaveLength(500_000);
});

function anonymousKb(pid: number | "self"): number {
  const [, kilobytes] =
    /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes);
}
