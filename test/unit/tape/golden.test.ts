// The exact bytes of a small tape: the contract between encode.ts and player.c, word by word.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { Arch } from "../../../src/linux/arch.ts";
import { AT_FDCWD } from "../../../src/linux/constants.ts";
import { openat } from "../../../src/linux/fs.ts";
import { writeText } from "../../../src/linux/io.ts";
import { O } from "../../../src/linux/open-flags.ts";
import { encode } from "../../../src/tape/encode.ts";
import { Mark, Tape } from "../../../src/tape/tape.ts";
import { Decoded } from "../../support/play.ts";

const ADDRESS = 0x10000;
const ARCHES = [["x86_64"], ["arm64"]] as const satisfies readonly (readonly [Arch])[];

/** The bytes of a file of hex words, without its comments. */
function golden(arch: Arch): Uint8Array {
  const text = readFileSync(`${import.meta.dir}/golden/${arch}.hex`, "utf8");
  return Uint8Array.fromHex(text.replaceAll(/#.*/g, "").replaceAll(/\s/g, ""));
}

function smallTape(): Tape {
  const tape = new Tape();
  const wait = new Mark();
  const open = openat(AT_FDCWD, "/a", O.RDONLY | O.DIRECTORY);
  const fd = tape.fd("open /a", open, { ENOENT: wait });
  tape.do("greet", writeText(fd, "hi\n"));
  tape.place(wait);
  tape.park("wait");
  return tape;
}

test.each(ARCHES)("a small tape for %s has these bytes", (arch) => {
  const memory = new Uint8Array(4096);
  const used = encode(smallTape(), { arch, memory, address: ADDRESS, control: 9, agent: 8 });
  expect(words(memory.subarray(0, used))).toEqual(words(golden(arch)));
});

/** A word a line, so that a difference shows where it is. */
function words(bytes: Uint8Array): readonly string[] {
  return bytes.toHex().match(/.{1,16}/g) ?? [];
}

const NUMBERS = {
  x86_64: { write: 1n, read: 0n, close: 3n, exit: 231n, clone3: 435n, openat: 257n },
  arm64: { write: 64n, read: 63n, close: 57n, exit: 94n, clone3: 435n, openat: 56n },
};

test.each(ARCHES)("the bytes for %s mean what the tape says", (arch) => {
  const { openat: openatNumber, ...numbers } = NUMBERS[arch];
  const bytes = new Decoded(golden(arch), ADDRESS);
  const { machine, ops } = bytes;
  const addresses = { registers: 0x10050n, ops: 0x10058n };
  expect(machine).toEqual({ ...numbers, ...addresses, control: 9n, agent: 8n, count: 3n });
  const [open, write, park] = ops;
  const directory = arch === "x86_64" ? 0o200000n : 0o40000n;
  expect(open).toEqual({
    number: openatNumber,
    result: 0n,
    registers: 0n,
    next: 1,
    args: [-100n, 0x10268n, directory | 0o2000000n, 0n, 0n, 0n],
    tolerated: [[2, 2]],
  });
  expect(bytes.string(0x10268)).toBe("/a");
  expect(write).toEqual({
    number: numbers.write,
    result: -1n,
    registers: 1n,
    next: 2,
    args: [0n, 0x10270n, 3n, 0n, 0n, 0n],
    tolerated: [],
  });
  expect(new TextDecoder().decode(bytes.bytes(0x10270, 3))).toBe("hi\n");
  expect(park).toMatchObject({ number: -1n, next: 3, tolerated: [] });
});
