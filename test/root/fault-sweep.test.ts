// Every op of every golden program, and of those of ordinary containers, is made to fail in turn.
// The agent's own code starts each of them; see test/support/fault-sweep.ts.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { missing } from "../support/agent.ts";
import type { Report } from "../support/fault-sweep.ts";
import { removeCgroups } from "../support/held.ts";
import { names, sentence } from "../unit/program/golden.ts";

const SUPPORT = join(import.meta.dir, "../support");
const LONGEST_MS = 280_000;

const ORDINARY = [
  "an ordinary container without a terminal",
  "an ordinary exec without a terminal",
  "an ordinary container with a terminal",
  "an ordinary exec with a terminal",
];
const GOLDEN = names(".json");

/** The reasons why a program cannot be run to its end on some machine: it is swept up to there. */
const BY_ITSELF = [
  // A disk of the host's.
  /^TapeError: create the ext4 for \S+: ENOENT/,
  // A network card of the host's.
  /^TapeError: open sysctl net\S+: ENOENT/,
  // A root that may not raise what it has: one in a container.
  /^TapeError: set \S+ to \S+: (EPERM|EACCES)/,
];

const reports = new Map<string, Report>();
const serial = crypto.randomUUID().slice(0, 8);

async function sweepAll(which: "ordinary" | "golden"): Promise<void> {
  const program = join(SUPPORT, "fault-program.ts");
  const child = Bun.spawn(
    [
      "setpriv",
      "--pdeathsig",
      "KILL",
      "bash",
      join(SUPPORT, "namespaces.sh"),
      // Some of the programs set parameters of the network.
      "unshare",
      "--net",
      process.execPath,
      program,
      cgroupOf(which),
      which,
    ],
    { stdin: "ignore", stdout: "pipe", stderr: "inherit" },
  );
  const output = await new Response(child.stdout).text();
  for (const line of output.trimEnd().split("\n")) {
    const report: Report = JSON.parse(line);
    reports.set(report.name, report);
  }
  expect(await child.exited).toBe(0);
}

const cgroupOf = (which: string) => `kata-agent-test-sweep-${which}-${serial}`;

const why = missing === undefined ? "" : ` (skipped: needs ${missing})`;

describe.skipIf(missing !== undefined)(`the fault sweep${why}`, () => {
  beforeAll(() => Promise.all([sweepAll("ordinary"), sweepAll("golden")]), LONGEST_MS);
  afterAll(() => Promise.all([cgroupOf("ordinary"), cgroupOf("golden")].map(removeCgroups)));

  test.each([...ORDINARY, ...GOLDEN].map((name) => [sentence(name), name]))(
    "names each op of its program that fails, and leaves nothing: %s",
    (_, name) => {
      const report = reports.get(name);
      expect(report?.problems).toEqual([]);
      expect(report?.failed).toBeGreaterThan(0);
      const { endsAt } = report ?? {};
      if (endsAt !== undefined) expect(BY_ITSELF.some((reason) => reason.test(endsAt))).toBe(true);
    },
  );

  test("says which ops no run has led to", () => {
    const all = [...reports.values()];
    const sum = (of: (report: Report) => number) =>
      all.reduce((sofar, each) => sofar + of(each), 0);
    const failed = sum((report) => report.failed);
    const unreached = sum((report) => report.unreached.length);
    const labels = new Set(
      all.flatMap((each) => each.unreached.map((op) => op.replace(/^\d+ /, ""))),
    );
    console.log(
      [
        `${all.length} programs: ${failed} ops made to fail, ${unreached} never reached`,
        ...all.map(({ name, endsAt }) => endsAt && `${sentence(name)}: ends by itself: ${endsAt}`),
        `never reached: ${[...labels].toSorted().join("; ")}`,
      ]
        .filter(Boolean)
        .join("\n"),
    );
    expect(failed + unreached).toBe(sum((report) => report.ops));
    expect(failed).toBeGreaterThan(unreached);
  });
});
