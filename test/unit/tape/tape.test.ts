import { expect, test } from "bun:test";
import { chdir } from "../../../src/linux/fs.ts";
import {
  LONGEST_TAPE,
  Mark,
  type OnError,
  Tape,
  TapeTooLong,
  skip,
} from "../../../src/tape/tape.ts";
import { played } from "../../support/play.ts";

function op(tape: Tape, label: string, onError: OnError = {}, next: Mark | null = null): void {
  tape.do(label, chdir(label), onError, next);
}

test("ops are played in the order they were appended in", () => {
  const tape = new Tape();
  op(tape, "a");
  tape.park("b");
  tape.fd("c", chdir("c"));
  expect(played(tape)).toEqual(["a", "b", "c"]);
});

test("an errno that is not named ends the tape", () => {
  const tape = new Tape();
  op(tape, "a", { ENOENT: skip });
  op(tape, "b");
  expect(played(tape, { a: "EPERM" })).toEqual(["a", "EPERM"]);
});

test("a skipped errno counts as success", () => {
  const tape = new Tape();
  op(tape, "a", { ENOENT: skip, EPERM: skip });
  op(tape, "b");
  expect(played(tape, { a: "ENOENT" })).toEqual(["a", "b"]);
  expect(played(tape, { a: "EPERM" })).toEqual(["a", "b"]);
});

test("an errno goes on at its mark", () => {
  const tape = new Tape();
  const end = new Mark();
  op(tape, "a", { ENOENT: end });
  op(tape, "b");
  tape.place(end);
  op(tape, "c");
  expect(played(tape)).toEqual(["a", "b", "c"]);
  expect(played(tape, { a: "ENOENT" })).toEqual(["a", "c"]);
});

test("a mark may stand for the end of the tape", () => {
  const tape = new Tape();
  const end = new Mark();
  op(tape, "a", { ENOENT: end });
  op(tape, "b");
  tape.place(end);
  expect(played(tape, { a: "ENOENT" })).toEqual(["a"]);
});

test("success goes on at the mark it is given, and so does a skipped errno", () => {
  const tape = new Tape();
  const end = new Mark();
  op(tape, "a", { ENOENT: skip, EPERM: (inner) => op(inner, "repair") }, end);
  op(tape, "b");
  tape.place(end);
  op(tape, "c");
  expect(played(tape)).toEqual(["a", "c"]);
  expect(played(tape, { a: "ENOENT" })).toEqual(["a", "c"]);
  expect(played(tape, { a: "EPERM" })).toEqual(["a", "repair", "b", "c"]);
});

test("a block is played only for its errno", () => {
  const tape = new Tape();
  op(tape, "a", { ENOTDIR: (inner) => ["x", "y"].forEach((label) => op(inner, label)) });
  op(tape, "b");
  expect(played(tape)).toEqual(["a", "b"]);
  expect(played(tape, { a: "ENOTDIR" })).toEqual(["a", "x", "y", "b"]);
  expect(played(tape, { a: "ENOENT" })).toEqual(["a", "ENOENT"]);
});

test("an errno inside a block ends the tape as elsewhere", () => {
  const tape = new Tape();
  op(tape, "a", { ENOTDIR: (inner) => op(inner, "x") });
  op(tape, "b");
  expect(played(tape, { a: "ENOTDIR", x: "EPERM" })).toEqual(["a", "x", "EPERM"]);
});

test("several errnos can have one block, and others be skipped", () => {
  const tape = new Tape();
  const block = (inner: Tape) => op(inner, "x");
  op(tape, "a", { ENOTDIR: block, ENOENT: block, EPERM: skip });
  op(tape, "b");
  expect(played(tape, { a: "ENOTDIR" })).toEqual(["a", "x", "b"]);
  expect(played(tape, { a: "ENOENT" })).toEqual(["a", "x", "b"]);
  expect(played(tape, { a: "EPERM" })).toEqual(["a", "b"]);
});

test("two blocks on one op are refused", () => {
  const tape = new Tape();
  const twoBlocks = { ENOTDIR: (t: Tape) => op(t, "x"), ENOENT: (t: Tape) => op(t, "y") };
  expect(() => op(tape, "a", twoBlocks)).toThrow('tape "a": one block an op');
});

test("blocks nest", () => {
  const tape = new Tape();
  const inmost = (t: Tape) => op(t, "inmost");
  op(tape, "a", { ENOENT: (outer) => op(outer, "inner", { ENOTDIR: inmost }) });
  op(tape, "b");
  expect(played(tape)).toEqual(["a", "b"]);
  expect(played(tape, { a: "ENOENT" })).toEqual(["a", "inner", "b"]);
  expect(played(tape, { a: "ENOENT", inner: "ENOTDIR" })).toEqual(["a", "inner", "inmost", "b"]);
});

test("a block can fill the register of the call that failed", () => {
  const tape = new Tape();
  const fd = tape.fd("open", chdir("open"), {
    ENOENT: (inner, result) => inner.refill(result, "create", chdir("create")),
  });
  op(tape, "b");
  expect(tape.ops.map(({ result }) => result)).toEqual([fd, fd, null]);
  expect(played(tape, { open: "ENOENT" })).toEqual(["open", "create", "b"]);
});

test("an empty block is a skip", () => {
  const tape = new Tape();
  op(tape, "a", { ENOENT: () => {} });
  op(tape, "b");
  expect(played(tape, { a: "ENOENT" })).toEqual(["a", "b"]);
});

test("the first call that succeeds is the last one made", () => {
  const tape = new Tape();
  const calls = ["a", "b", "c"].map((label) => [label, chdir(label)] as const);
  tape.firstOf(calls, ["ENOENT", "EACCES"]);
  op(tape, "d");
  expect(played(tape)).toEqual(["a", "d"]);
  expect(played(tape, { a: "ENOENT" })).toEqual(["a", "b", "d"]);
  expect(played(tape, { a: "ENOENT", b: "EACCES" })).toEqual(["a", "b", "c", "d"]);
});

test("of the first that succeeds, only the last may report what the others tolerate", () => {
  const tape = new Tape();
  const calls = ["a", "b"].map((label) => [label, chdir(label)] as const);
  tape.firstOf(calls, ["ENOENT"]);
  expect(played(tape, { a: "ENOENT", b: "ENOENT" })).toEqual(["a", "b", "ENOENT"]);
  expect(played(tape, { a: "EPERM" })).toEqual(["a", "EPERM"]);
});

test("the first of no calls is nothing", () => {
  const tape = new Tape();
  tape.firstOf([], ["ENOENT"]);
  expect(tape.ops).toEqual([]);
});

test("each result has a register of its own, unless one is filled again", () => {
  const tape = new Tape();
  const first = tape.fd("a", chdir("a"));
  const second = tape.fd("b", chdir("b"));
  tape.refill(first, "c", chdir("c"));
  expect([first.index, second.index, tape.registers]).toEqual([0, 1, 2]);
  expect(tape.ops.map(({ result }) => result?.index)).toEqual([0, 1, 0]);
});

test("a tape has an end to its length", () => {
  const tape = new Tape();
  for (let i = 0; i < LONGEST_TAPE; i++) tape.park("wait");
  expect(() => tape.park("wait")).toThrow(
    new TapeTooLong("the spec asks for more than 65536 system calls"),
  );
  expect(() => op(tape, "a")).toThrow(RangeError);
});
