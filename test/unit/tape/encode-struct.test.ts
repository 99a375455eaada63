// A structure of a tape that points to bytes: both are in the child's memory.
import { expect, test } from "bun:test";
import { loadFilter } from "../../../src/linux/seccomp.ts";
import { Tape } from "../../../src/tape/tape.ts";
import { decoded } from "../../support/play.ts";

const program = Uint8Array.from({ length: 24 }, (_, index) => index + 1);

test("bytes that a structure points to stand in the memory that the tape is played from", () => {
  const tape = new Tape();
  tape.do("filter", loadFilter({ program, flags: 2 }));
  const result = decoded(tape);
  const [mode, flags, fprog = 0n] = result.ops[0]?.args ?? [];
  expect([mode, flags]).toEqual([1n, 2n]);
  expect(result.bytes(fprog, 8)).toEqual(Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0));
  expect(result.bytes(result.word(fprog + 8n), program.length)).toEqual(program);
});

test("bytes that two structures point to are there once", () => {
  const tape = new Tape();
  const filter = { program, flags: 0 };
  tape.do("filter", loadFilter(filter));
  tape.do("filter again", loadFilter(filter));
  const result = decoded(tape);
  const [one, other] = result.ops.map(({ args }) => result.word((args[2] ?? 0n) + 8n));
  expect(one).toBe(other);
});
