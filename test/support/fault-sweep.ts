// THE fault sweep: a program of system calls is run as often as it has ops, and each time another of
// them fails. What must then be so: the error names that op, and nothing is left.
import { errnoNumber } from "../../src/linux/errno.ts";
import { close } from "../../src/linux/io.ts";
import { TapeError } from "../../src/tape/error.ts";
import type { Tape } from "../../src/tape/tape.ts";
import { type Held, heldBy } from "./held.ts";

/** One program and the world it runs in. */
export type Subject = {
  readonly name: string;
  /** Run it once, with `change` made to its tape, as the agent would, and undo all that is left. */
  readonly run: (change: (tape: Tape) => void) => Promise<Run>;
  /** The mount in the agent's namespace that a program may leave: it is undone with the bundle. */
  readonly mayLeave: string | undefined;
  /** The worlds in which the ops are tried, in this order, until one is reached. */
  readonly worlds: readonly (() => void)[];
};

export type Run = {
  /** What the caller of the agent would be told. */
  readonly error: unknown;
  /** Of the agent's namespace, when the program was over and nothing was undone yet. */
  readonly mounts: readonly string[];
};

export type Report = {
  readonly name: string;
  readonly ops: number;
  /** Ops that were made to fail. */
  readonly failed: number;
  /** Labels of ops that no world led to, by their index. */
  readonly unreached: readonly string[];
  /** Where the program ends by itself on this machine. */
  readonly endsAt: string | undefined;
  /** Everything that was not as it must be. */
  readonly problems: readonly string[];
};

/** No process has this descriptor: whatever the call, it fails with EBADF. */
const NOWHERE = close(-1);

export async function sweep(subject: Subject, cgroup: string): Promise<Report> {
  const problems: string[] = [];
  const unmodified = await countOps(subject);
  let pending = Array.from({ length: unmodified.ops }, (_, index) => index);
  for (const makeWorld of subject.worlds) {
    const missed: number[] = [];
    for (const index of pending) {
      makeWorld();
      const before = heldBy(process.pid, cgroup);
      const { label, run } = await failAt(subject, index);
      const isReached = run.error instanceof TapeError && run.error.index === index;
      if (!isReached) missed.push(index);
      const found = [
        ...(isReached ? wrongIn(run.error, label) : unexpectedIn(run.error)),
        ...leftBehind(before, heldBy(process.pid, cgroup)),
        ...wrongMounts(before, run, subject),
      ];
      problems.push(...found.map((what) => `op ${index}, ${label}: ${what}`));
    }
    pending = missed;
  }
  const { name } = subject;
  const { ops, labels, endsAt } = unmodified;
  const unreached = pending.map((index) => `${index} ${labels[index]}`);
  const mandatory = pending.filter((index) => unmodified.mandatory.includes(index));
  if (endsAt === undefined) problems.push(...mandatory.map((index) => `op ${index} is never run`));
  return { name, ops, failed: ops - pending.length, unreached, endsAt, problems };
}

/** The program as it is, which shows how long it is and whether this machine can run it. */
async function countOps({ run, worlds: [makeWorld] }: Subject) {
  let tape: Tape | undefined;
  makeWorld?.();
  const { error } = await run((made) => void (tape = made));
  const ops = tape?.ops ?? [];
  return {
    ops: ops.length,
    labels: ops.map(({ label }) => label),
    endsAt: error === undefined ? undefined : String(error),
    mandatory: mandatoryOps(tape),
  };
}

async function failAt({ run }: Subject, index: number): Promise<{ label: string; run: Run }> {
  let label = "";
  const result = await run(({ ops }) => {
    const op = ops[index];
    if (op === undefined) return;
    label = op.label;
    ops[index] = { ...op, call: NOWHERE, tolerated: [] };
  });
  return { label, run: result };
}

/** Those that no jump leads past: a program that goes well plays each of them. */
function mandatoryOps(tape: Tape | undefined): readonly number[] {
  const ops = tape?.ops ?? [];
  let furthest = 0;
  return ops.flatMap(({ next, tolerated }, index) => {
    const isMandatory = furthest <= index;
    const targets = [next, ...tolerated.map(([, mark]) => mark)].map((mark) => mark?.index ?? 0);
    furthest = Math.max(furthest, ...targets);
    return isMandatory ? [index] : [];
  });
}

function wrongIn(error: unknown, label: string): string[] {
  if (!(error instanceof TapeError)) return [`it is not a TapeError: ${error}`];
  const problems = [];
  if (error.label !== label) problems.push(`the error has the label ${error.label}`);
  if (error.errno !== errnoNumber("EBADF")) problems.push(`the error has the errno ${error.errno}`);
  if (error.message !== `${label}: EBADF: Bad file descriptor`) problems.push(error.message);
  return problems;
}

/** Where the op was not reached, it may have gone well, or ended by itself. */
function unexpectedIn(error: unknown): string[] {
  return error === undefined || error instanceof TapeError ? [] : [`the error is ${error}`];
}

function leftBehind(before: Held, after: Held): string[] {
  const keys = ["descriptors", "processes", "mounts", "cgroups", "state"] as const;
  return keys.flatMap((key) => {
    const left = after[key].filter((each) => !before[key].includes(each));
    const gone = before[key].filter((each) => !after[key].includes(each));
    return [...left.map((each) => `left ${key}: ${each}`), ...gone.map((each) => `lost: ${each}`)];
  });
}

function wrongMounts(before: Held, { mounts }: Run, { mayLeave }: Subject): string[] {
  const made = mounts.filter((each) => !before.mounts.includes(each));
  const wrong = made.filter((each) => each.split(" ")[1] !== mayLeave);
  return wrong.map((each) => `the agent's namespace has a mount: ${each}`);
}
