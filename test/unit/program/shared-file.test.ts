// What is played for CopyFile, as text: where it goes, and that no data is shown.
import { expect, test } from "bun:test";
import { formatCall } from "../../../src/linux/format.ts";
import {
  discard,
  putDirectory,
  putLink,
  putPiece,
  replaceDirectory,
} from "../../../src/program/shared-file.ts";
import { Tape } from "../../../src/tape/tape.ts";

const place = { parents: ["v", "..data"], name: "key" };
const made = { place, temporary: ".tmp" };
const owner = { uid: 1, gid: 2, mode: 0o640 };
const piece = { data: new TextEncoder().encode("hunter2"), offset: 0, last: owner };

function callsOf(write: (tape: Tape) => void): string[] {
  const tape = new Tape();
  write(tape);
  return tape.ops.flatMap(({ call }) => (call === null ? [] : [formatCall(call)]));
}

const ALL = [
  callsOf((tape) => putDirectory(tape, place, owner, owner)),
  callsOf((tape) => putLink(tape, made, "/etc/passwd", owner, owner)),
  callsOf((tape) => putPiece(tape, made, piece, owner)),
  callsOf((tape) => replaceDirectory(tape, made)),
  callsOf((tape) => discard(tape, made)),
];

test("nothing is opened by more than a name but within the share, and no link is followed but there", () => {
  for (const line of ALL.flat()) {
    if (line.startsWith("openat2"))
      expect(line).toMatch(/RESOLVE_NO_MAGICLINKS\|(RESOLVE_NO_SYMLINKS\|)?RESOLVE_IN_ROOT/);
    else if (line.startsWith("openat(r")) {
      expect(line).toMatch(/^openat\(r\d+, "[^/"]+", .*O_NOFOLLOW/);
    } else expect(line).not.toContain('"v/');
  }
});

test("the data of a file is not shown", () => {
  expect(ALL.flat().join("\n")).not.toContain("hunter2");
  expect(
    ALL.flat().some((line) => line.startsWith("pwrite64(r") && line.includes("<7 bytes>")),
  ).toBe(true);
});

test("a file is complete before it has its name: owner, mode, name are the last", () => {
  const calls = ALL[2]?.slice(-3) ?? [];
  expect(calls.map((line) => line.slice(0, line.indexOf("(")))).toEqual([
    "fchownat",
    "fchmod",
    "renameat2",
  ]);
});
