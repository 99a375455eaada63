// player.c against a model of it: random tapes are played in a child and by `Decoded.play`, and
// every op leaves a byte in a pipe.
import { expect, test } from "bun:test";
import type { Fd } from "../../../src/kernel/fd.ts";
import { type Call, call } from "../../../src/linux/call.ts";
import type { ErrnoName } from "../../../src/linux/errno.ts";
import { chdir } from "../../../src/linux/fs.ts";
import { write } from "../../../src/linux/io.ts";
import { TapeError } from "../../../src/tape/error.ts";
import { type Child, launch, openControl } from "../../../src/tape/player.ts";
import { Mark, type OnError, Tape, skip } from "../../../src/tape/tape.ts";
import { openPipe, readNow, reapInThisFile } from "../../support/child.ts";
import { decoded } from "../../support/play.ts";
import { pick, seeded } from "../../support/random.ts";

reapInThisFile();

const STEPS = 20;

/** Calls whose outcome is certain. */
const OUTCOMES: readonly (readonly [Call, ErrnoName | undefined])[] = [
  [chdir("/"), undefined],
  [chdir("/"), undefined],
  [chdir("/no/such/directory"), "ENOENT"],
  [chdir("/dev/null"), "ENOTDIR"],
  [call("close", -1), "EBADF"],
  [call("pidfd_send_signal", -1, 0, null, 0xff), "EINVAL"],
];
const ERRNOS = ["ENOENT", "ENOTDIR", "EBADF", "EINVAL"] as const;

type Played = {
  readonly steps: readonly number[];
  /** The op whose errno ended the tape. */
  readonly failed: number | undefined;
};

class Recording {
  readonly tape = new Tape();
  /** What each op comes to. */
  readonly outcomes: (ErrnoName | undefined)[] = [];
  readonly #to: Fd;

  constructor(to: Fd, random: () => number) {
    this.#to = to;
    const marks = Array.from({ length: STEPS + 1 }, () => new Mark());
    for (let step = 0; step < STEPS; step++) {
      this.tape.place(marks[step] ?? new Mark());
      this.#step(random, step, marks.slice(step + 1));
    }
    this.tape.place(marks[STEPS] ?? new Mark());
  }

  #step(random: () => number, step: number, later: readonly Mark[]): void {
    const [made, outcome] = pick(random, OUTCOMES);
    this.#record(step);
    const block = () => this.#record(STEPS + step);
    const near = later.slice(0, 3);
    const onError: OnError = Object.fromEntries(
      ERRNOS.filter(() => random() < 0.9).map((name) => [
        name,
        pick(random, [skip, block, ...near]),
      ]),
    );
    this.outcomes.push(outcome);
    this.tape.do(`step ${step}`, made, onError, random() < 0.3 ? pick(random, near) : null);
  }

  #record(byte: number): void {
    this.outcomes.push(undefined);
    this.tape.do("record", write(this.#to.number, Uint8Array.of(byte)));
  }

  model(): Played {
    const { path, error } = decoded(this.tape).play((index) => this.outcomes[index]);
    const bytes = path.flatMap((index) => {
      const [, data] = this.tape.ops[index]?.call?.args ?? [];
      return data instanceof Uint8Array ? [...data] : [];
    });
    return { steps: bytes, failed: error === undefined ? undefined : path.at(-1) };
  }
}

async function failedOp(child: Child): Promise<number | undefined> {
  try {
    await child.played();
    return undefined;
  } catch (error) {
    if (error instanceof TapeError) return error.index;
    throw error;
  }
}

test("a child plays a tape as the model does", async () => {
  let failed = 0;
  for (let seed = 0; seed < 60; seed++) {
    const [from, to] = openPipe();
    using _ = from;
    using __ = to;
    const recording = new Recording(to, seeded(seed));
    using child = launch({ tape: recording.tape, control: openControl() });
    const expected = recording.model();
    const op = await failedOp(child);
    await child.exit;
    const actual: Played = { steps: [...(readNow(from) ?? [])], failed: op };
    expect(actual).toEqual(expected);
    if (expected.failed !== undefined) failed++;
  }
  expect(failed).toBeGreaterThan(10);
  expect(failed).toBeLessThan(50);
});
