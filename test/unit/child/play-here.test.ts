// A tape played on the agent's own thread does what it does in a child.
import { afterAll, expect, test } from "bun:test";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { playHere } from "../../../src/child/play-here.ts";
import { AT_FDCWD } from "../../../src/linux/constants.ts";
import { mkdirat, openat, unlinkat } from "../../../src/linux/fs.ts";
import { close, writeText } from "../../../src/linux/io.ts";
import { O } from "../../../src/linux/open-flags.ts";
import { TapeError } from "../../../src/tape/error.ts";
import { Mark, Tape, skip } from "../../../src/tape/tape.ts";

const top = mkdtempSync(join(tmpdir(), "here-"));
afterAll(() => rmSync(top, { recursive: true }));

const at = (name: string) => join(top, name);
const make = (name: string) => openat(AT_FDCWD, at(name), O.WRONLY | O.CREAT | O.EXCL, 0o600);
const openFiles = () => readdirSync("/proc/self/fd").length;

test("registers are filled and used, and what was opened is closed in the end", () => {
  const before = openFiles();
  const tape = new Tape();
  const file = tape.fd("make a", make("a"));
  tape.do("write it", writeText(file, "text"));
  playHere(tape);
  expect(readFileSync(at("a"), "utf8")).toBe("text");
  expect(openFiles()).toBe(before);
});

test("what the tape has closed itself is not closed again: the number may be another's by then", () => {
  const lowest = openSync(top, "r");
  closeSync(lowest);
  const before = openFiles();
  const tape = new Tape();
  const file = tape.fd("make one", make("closed"));
  tape.do("close it", close(file));
  // As another thread of Bun's might: the tape does not own what is no result.
  tape.do("have its number used", { name: "dup3", args: [2, file, O.CLOEXEC] });
  playHere(tape);
  expect(openFiles()).toBe(before + 1);
  closeSync(lowest);
  expect(openFiles()).toBe(before);
});

test("an errno that is tolerated is passed over, leads to a mark, or to a block and back", () => {
  const tape = new Tape();
  const end = new Mark();
  tape.do("remove what is not there", unlinkat(AT_FDCWD, at("none")), { ENOENT: skip });
  const opened = tape.fd("open b", openat(AT_FDCWD, at("b"), O.WRONLY), {
    ENOENT: (block, result) => block.refill(result, "make b", make("b")),
  });
  tape.do("write b", writeText(opened, "b"));
  tape.do("make b again", make("b"), { EEXIST: end });
  tape.do("never done", mkdirat(AT_FDCWD, at("never"), 0o700));
  tape.place(end);
  tape.do("make c", mkdirat(AT_FDCWD, at("c"), 0o700));
  playHere(tape);
  expect([readFileSync(at("b"), "utf8"), existsSync(at("never")), existsSync(at("c"))]).toEqual([
    "b",
    false,
    true,
  ]);
});

test("any other ends it, by the label and the place of the op, with nothing left open", () => {
  const before = openFiles();
  const tape = new Tape();
  tape.fd("open the top", openat(AT_FDCWD, top, O.RDONLY));
  tape.do("make nowhere", mkdirat(AT_FDCWD, at("no/where"), 0o700));
  tape.do("never done", mkdirat(AT_FDCWD, at("after"), 0o700));
  let error: unknown;
  try {
    playHere(tape);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(TapeError);
  expect(error).toMatchObject({
    message: "make nowhere: ENOENT: No such file or directory",
    index: 1,
  });
  expect([existsSync(at("after")), openFiles()]).toEqual([false, before]);
});

test("calls can be changed on the way", () => {
  const tape = new Tape();
  tape.do("make d", mkdirat(AT_FDCWD, at("d"), 0o700));
  playHere(tape, (call) => ({ ...call, args: [AT_FDCWD, at("other"), 0o700] }));
  expect([existsSync(at("d")), existsSync(at("other"))]).toEqual([false, true]);
});

test("what only a child can do is a defect", () => {
  const tape = new Tape();
  tape.park("wait");
  expect(() => playHere(tape)).toThrow("the agent does not park by itself");
});
