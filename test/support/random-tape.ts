// Tapes of every form, the same for the same seed.
import type { Call, Reg } from "../../src/linux/call.ts";
import type { ErrnoName } from "../../src/linux/errno.ts";
import { chdir, openInRoot, openat } from "../../src/linux/fs.ts";
import { close, dup3, writeText } from "../../src/linux/io.ts";
import { O } from "../../src/linux/open-flags.ts";
import { execve } from "../../src/linux/process.ts";
import { Mark, type OnError, Tape, skip } from "../../src/tape/tape.ts";
import { pick } from "./random.ts";

const ERRNOS = ["ENOENT", "EPERM", "ENOTDIR", "EINVAL"] as const satisfies readonly ErrnoName[];
const DEEPEST = 4;
const AT_MOST = 6;

export function randomTape(random: () => number): Tape {
  const tape = new Tape();
  const registers = [tape.fd("open the root", openat(-100, "/", O.PATH))];
  appendSome({ tape, random, registers, depth: 0 });
  return tape;
}

type Context = {
  readonly tape: Tape;
  readonly random: () => number;
  readonly registers: Reg[];
  readonly depth: number;
};

/** Some ops, and then the marks that they go on at. */
function appendSome(context: Context): void {
  const { tape, random, depth } = context;
  const marks = [new Mark(), new Mark()];
  const count = Math.floor(random() * AT_MOST) + (depth === 0 ? 2 : 0);
  for (let i = 0; i < count; i++) appendOne(context, marks);
  for (const mark of marks) tape.place(mark);
}

function appendOne(context: Context, marks: readonly Mark[]): void {
  const { tape, random, registers } = context;
  const label = `op ${tape.ops.length}`;
  const made = randomCall(random, registers);
  const next = random() < 0.2 ? pick(random, marks) : null;
  switch (Math.floor(random() * 5)) {
    case 0:
      return void registers.push(tape.fd(label, made, randomOnError(context, marks), next));
    case 1:
      return tape.refill(pick(random, registers), label, made, randomOnError(context, marks));
    case 2:
      return tape.park(label);
    case 3:
      return tape.firstOf(
        ERRNOS.map((name) => [`${label} ${name}`, randomCall(random, registers)]),
        ERRNOS.filter(() => random() < 0.5),
      );
    default:
      return tape.do(label, made, randomOnError(context, marks), next);
  }
}

function randomOnError(context: Context, marks: readonly Mark[]): OnError<unknown> {
  const { random, depth } = context;
  const block = () => appendSome({ ...context, depth: depth + 1 });
  const targets = [skip, ...marks, ...(depth < DEEPEST ? [block] : [])] as const;
  const named = ERRNOS.filter(() => random() < 0.4);
  return Object.fromEntries(named.map((name) => [name, pick(random, targets)]));
}

function randomCall(random: () => number, registers: readonly Reg[]): Call {
  const register = pick(random, registers);
  return pick(random, [
    chdir("/"),
    close(register),
    dup3(register, 5),
    openInRoot(register, `/dir-${Math.floor(random() * 4)}`, O.PATH | O.NOFOLLOW),
    writeText(register, "some text"),
    execve("/bin/a", ["a", "/"], ["PATH=/bin"]),
  ]);
}
