import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../../../src/async/until.ts";
import { Fd } from "../../../src/kernel/fd.ts";
import { call } from "../../../src/linux/call.ts";
import { RLIMIT, SIG } from "../../../src/linux/constants.ts";
import { chdir } from "../../../src/linux/fs.ts";
import { dup3 } from "../../../src/linux/io.ts";
import { setrlimit } from "../../../src/linux/process.ts";
import { skip } from "../../../src/tape/tape.ts";
import {
  childPids,
  openPipe,
  play,
  reapInThisFile,
  readAll,
  run,
  shell,
} from "../../support/child.ts";
import { seeded } from "../../support/random.ts";

reapInThisFile();

const LONGEST_WAIT_MS = 5000;

function isGone(pid: number): Promise<boolean> {
  return until(() => !existsSync(`/proc/${pid}`), LONGEST_WAIT_MS);
}

test.each([0, 1, 7, 126, 127, 128, 255])("exit code %d is reported as it is", async (code) => {
  using child = play((tape) => shell(tape, `exit ${code}`));
  expect(await child.exit).toBe(code);
});

test("an exit code has eight bits", async () => {
  using child = play((tape) => tape.do("end", call("exit_group", 256 + 3)));
  expect(await child.exit).toBe(3);
});

test.each([
  ["SIGHUP", SIG.HUP],
  ["SIGKILL", SIG.KILL],
  ["SIGSEGV", SIG.SEGV],
  ["SIGTERM", SIG.TERM],
  ["real-time signal", 34],
  ["real-time signal", 64],
])("death by %s %d is reported as 128 more", async (_, signal) => {
  using child = play((tape) => shell(tape, `kill -${signal} $$`));
  expect(await child.exit).toBe(128 + signal);
});

const corePattern = readFileSync("/proc/sys/kernel/core_pattern", "utf8");

test.skipIf(/^[|/]/.test(corePattern))(
  "death by a signal that dumps core is told as one that does not",
  async () => {
    const directory = mkdtempSync(join(tmpdir(), "kata-agent-core-"));
    using cleanup = new DisposableStack();
    cleanup.defer(() => rmSync(directory, { recursive: true }));
    using child = play((tape) => {
      tape.do("go where the core may lie", chdir(directory));
      tape.do("allow a core", setrlimit(RLIMIT.CORE, 1n << 30n, 1n << 30n), { EPERM: skip });
      shell(tape, "kill -SEGV $$");
    });
    expect(await child.exit).toBe(128 + SIG.SEGV);
  },
);

test("a child that is stopped and continued has not ended", async () => {
  using child = play((tape) => shell(tape, "kill -STOP $$; exit 3"));
  const stat = () => readFileSync(`/proc/${child.pid}/stat`, "utf8");
  expect(await until(() => / T /.test(stat()), LONGEST_WAIT_MS)).toBe(true);
  child.signal(SIG.CONT);
  expect(await child.exit).toBe(3);
});

test("two hundred children that end at once are all told apart", async () => {
  const random = seeded(1);
  const codes = Array.from({ length: 200 }, () => Math.floor(random() * 256));
  const children = codes.map((code) => play((tape) => tape.do("end", call("exit_group", code))));
  expect(await Promise.all(children.map(({ exit }) => exit))).toEqual(codes);
  for (const child of children) {
    expect(existsSync(`/proc/${child.pid}`)).toBe(false);
    child[Symbol.dispose]();
  }
});

test("an orphan is adopted, and leaves no zombie when it ends", async () => {
  const [from, to] = Fd.pipe("open a pipe");
  using _ = from;
  const { output, status } = await run("cat <&3 >/dev/null & echo $!", (tape) =>
    tape.do("place the pipe", dup3(from.number, 3)),
  );
  expect(status).toBe(0);
  const orphan = Number(output);
  expect(readFileSync(`/proc/${orphan}/status`, "utf8")).toContain(`\nPPid:\t${process.pid}\n`);
  to.close();
  expect(await isGone(orphan)).toBe(true);
});

test("orphans and children that end together are not confused", async () => {
  const before = childPids();
  const script = `for i in 1 2 3 4 5 6 7 8 9 10; do (exit 9) & done; exit 5`;
  const [from, to] = openPipe();
  using _ = from;
  const children = Array.from({ length: 20 }, () =>
    play((tape) => {
      tape.do("place stdout", dup3(to.number, 1));
      shell(tape, script);
    }),
  );
  to.close();
  expect(await Promise.all(children.map(({ exit }) => exit))).toEqual(children.map(() => 5));
  expect(await readAll(from)).toBe("");
  const areGone = () => childPids().every((pid) => before.includes(pid));
  expect(await until(areGone, LONGEST_WAIT_MS)).toBe(true);
  for (const child of children) child[Symbol.dispose]();
});
