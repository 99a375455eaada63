// Each call of what is played for CopyFile made to fail in turn: the label of that call is said, nothing is
// left behind, and what was there before is still there.
import { beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { playHere } from "../../src/child/play-here.ts";
import { type Call, call } from "../../src/linux/call.ts";
import {
  SHARE,
  discard,
  putDirectory,
  putLink,
  putPiece,
  withinMount,
} from "../../src/program/shared-file.ts";
import { TapeError } from "../../src/tape/error.ts";
import { Tape } from "../../src/tape/tape.ts";

const needsRoot = process.getuid?.() === 0 ? "" : " (skipped: needs root)";

const place = { parents: ["a", "b"], name: "f" };
const made = { place, temporary: ".new" };
const owner = { uid: 1, gid: 2, mode: 0o640 };
const data = new TextEncoder().encode("new");
const KEPT = join(SHARE, "a/b/f");

const WAYS: readonly (readonly [string, (tape: Tape) => void])[] = [
  ["a file", (tape) => putPiece(tape, made, { data, offset: 0, last: owner }, owner)],
  ["a piece", (tape) => putPiece(tape, made, { data, offset: 0, last: undefined }, owner)],
  ["a link", (tape) => putLink(tape, made, "/etc", owner, owner)],
];

/** Fails with EBADF. */
const FAILING: Call = call("fchmod", -1, 0);

/** The calls that are made, and the error if the one with that number is made to fail. */
function playFailing(write: (tape: Tape) => void, failing: number) {
  const tape = new Tape();
  write(tape);
  let calls = 0;
  let label = "";
  const change = (each: Call) => {
    if (calls++ !== failing) return withinMount(each);
    label = tape.ops.find((op) => op.call === each)?.label ?? "";
    return FAILING;
  };
  try {
    playHere(tape, change);
  } catch (error) {
    return { calls, label, error };
  }
  return { calls, label, error: undefined };
}

/** All that is below the share. */
function seen(): string[] {
  return readdirSync(SHARE, { recursive: true }).map(String).toSorted();
}

describe.skipIf(needsRoot !== "")(`CopyFile, where a call fails${needsRoot}`, () => {
  beforeEach(() => {
    rmSync("/run/kata-containers", { recursive: true, force: true });
    mkdirSync(join(SHARE, "a/b"), { recursive: true });
    writeFileSync(KEPT, "old");
    chmodSync(KEPT, 0o600);
  });

  test.each(WAYS)("leaves what was there in the place of %s", (_, write) => {
    const before = seen();
    const all = playFailing(write, -1).calls;
    expect(all).toBeGreaterThan(3);
    for (let failing = 0; failing < all; failing++) {
      rmSync(KEPT, { force: true });
      writeFileSync(KEPT, "old", { mode: 0o600 });
      rmSync(join(SHARE, "a/b/.new"), { force: true });
      const { label, error } = playFailing(write, failing);
      expect(error).toBeInstanceOf(TapeError);
      expect(`${error}`).toContain(`${label}: EBADF`);
      const undo = new Tape();
      discard(undo, made);
      playHere(undo, withinMount);
      expect(seen()).toEqual(before);
      expect([readFileSync(KEPT, "utf8"), lstatSync(KEPT).mode & 0o777]).toEqual(["old", 0o600]);
    }
  });

  test("leaves parents at most, which are the owner's, and a directory keeps what it holds", () => {
    const elsewhere = { parents: ["x", "y"], name: "d" };
    const write = (tape: Tape) => putDirectory(tape, elsewhere, owner, owner);
    const all = playFailing(write, -1).calls;
    for (let failing = 0; failing < all; failing++) {
      rmSync(join(SHARE, "x"), { recursive: true, force: true });
      const { error } = playFailing(write, failing);
      expect(error).toBeInstanceOf(TapeError);
      expect(readFileSync(KEPT, "utf8")).toBe("old");
    }
    const there = (tape: Tape) => putDirectory(tape, { parents: ["a"], name: "b" }, owner, owner);
    for (let failing = 0; failing < playFailing(there, -1).calls; failing++) {
      playFailing(there, failing);
      expect(readFileSync(KEPT, "utf8")).toBe("old");
    }
  });
});
