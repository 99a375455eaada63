// THE fault sweep: a program of system calls is run as often as it has ops, and each time another of
// them fails. What must then be so: the error names that op, and nothing is left.
import { errnoNumber } from "../../src/linux/errno.ts";
import { close } from "../../src/linux/io.ts";
import { TapeError } from "../../src/tape/error.ts";
import type { Op, Tape } from "../../src/tape/tape.ts";
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
  const { name, worlds } = subject;
  const { ops, endsAt } = await runUnmodified(subject);
  const problems: string[] = [];
  const blocks = blocksOf(ops);
  let pending = [...ops.keys()];
  let before = heldBy(process.pid, cgroup);
  for (const makeWorld of worlds) {
    let isBlockReached = false;
    const missed: number[] = [];
    for (const index of pending) {
      if (!isBlockReached && !blocks.has(index) && pending.includes(index - 1)) {
        missed.push(index);
        continue;
      }
      makeWorld();
      const { label, run } = await failAt(subject, index);
      isBlockReached = run.error instanceof TapeError && run.error.index === index;
      if (!isBlockReached) missed.push(index);
      const after = heldBy(process.pid, cgroup);
      const found = [
        ...(isBlockReached ? wrongIn(run.error, label) : unexpectedIn(run.error)),
        ...leftBehind(before, after),
        ...wrongMounts(before, run, subject),
      ];
      problems.push(...found.map((what) => `op ${index}, ${label}: ${what}`));
      before = after;
    }
    pending = missed;
  }
  if (endsAt === undefined) {
    const never = pending.filter((index) => mandatoryOps(ops).includes(index));
    problems.push(...never.map((index) => `op ${index} is never run`));
  }
  const unreached = pending.map((index) => `${index} ${ops[index]?.label}`);
  return {
    name,
    ops: ops.length,
    failed: ops.length - pending.length,
    unreached,
    endsAt,
    problems,
  };
}

/** The program as it is shows how long it is, and whether this machine can run it. */
async function runUnmodified({ run, worlds: [makeWorld] }: Subject) {
  let ops: readonly Op[] = [];
  makeWorld?.();
  const { error } = await run((tape) => void (ops = [...tape.ops]));
  return { ops, endsAt: error === undefined ? undefined : String(error) };
}

async function failAt({ run }: Subject, index: number): Promise<{ label: string; run: Run }> {
  let label = "";
  const result = await run(({ ops }) => {
    const op = ops[index];
    if (op === undefined) return;
    label = op.label;
    const { label: _, source: __, ...rest } = op;
    ops[index] = { ...rest, label, kind: "call", call: NOWHERE, tolerated: [] };
  });
  return { label, run: result };
}

/** Where an op leads to that does not simply go on. */
function targetsOf({ next, tolerated }: Op, index: number): readonly number[] {
  const marks = [next, ...tolerated.map(([, mark]) => mark)];
  return marks.map((mark) => mark?.index ?? index + 1);
}

/** Where blocks begin: the ops of one are all played or none, unless one of them ends the program. */
function blocksOf(ops: readonly Op[]): ReadonlySet<number> {
  const begins = ops.flatMap((op, index) => {
    const targets = targetsOf(op, index);
    return targets.every((target) => target === index + 1) ? [] : [index + 1, ...targets];
  });
  return new Set([0, ...begins]);
}

/** Those that no jump leads past: a program that goes well plays each of them, until it executes. */
function mandatoryOps(ops: readonly Op[]): readonly number[] {
  const end = ops.findIndex(({ call }) => call?.name === "execve");
  let furthest = 0;
  return ops.slice(0, end + 1).flatMap((op, index) => {
    const isMandatory = furthest <= index;
    furthest = Math.max(furthest, ...targetsOf(op, index));
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
