import { describe, expect, test } from "bun:test";
import { type Call, call } from "../../../src/linux/call.ts";
import { chdir, openInRoot, openat } from "../../../src/linux/fs.ts";
import { close, read, write } from "../../../src/linux/io.ts";
import { attachMount } from "../../../src/linux/mount.ts";
import { O } from "../../../src/linux/open-flags.ts";
import { execve } from "../../../src/linux/process.ts";
import { encodeStruct } from "../../../src/linux/struct.ts";
import { encode } from "../../../src/tape/encode.ts";
import { Mark, type OnError, Tape, TapeTooLong, skip } from "../../../src/tape/tape.ts";
import { type Decoded, decoded, errnosOf } from "../../support/play.ts";
import { randomTape } from "../../support/random-tape.ts";
import { pick, seeded } from "../../support/random.ts";

const ADDRESS = 0x7f00_0000_0000;
const TARGET = { arch: "x86_64", address: ADDRESS, control: 9, agent: 8 } as const;

/** The arguments of one call, as they are encoded. */
function argumentsOf(made: Call, arch: "x86_64" | "arm64" = "x86_64"): [Decoded, bigint[]] {
  const tape = new Tape();
  tape.do("it", made);
  const result = decoded(tape, { arch });
  return [result, [...(result.ops[0]?.args ?? [])]];
}

describe("arguments", () => {
  test.each([
    [0, 0n],
    [7, 7n],
    [-1, -1n],
    [-100, -100n],
    [0x7fff_ffff, 0x7fff_ffffn],
    [0x8000_0000, 0x8000_0000n],
    [0xffff_ffff, 0xffff_ffffn],
    [-0x8000_0001, -0x8000_0001n],
    [0x1_0000_0000, 0x1_0000_0000n],
    [2 ** 53 - 1, 9007199254740991n],
    [-(2 ** 53 - 1), -9007199254740991n],
  ])("number %d is a 64-bit word", (number, word) => {
    expect(argumentsOf(call("exit_group", number))[1][0]).toBe(word);
  });

  test("a bigint keeps all its 64 bits", () => {
    for (const word of [1n << 62n, -1n, -(1n << 63n)]) {
      expect(argumentsOf(call("exit_group", word))[1][0]).toBe(word);
    }
    expect(argumentsOf(call("exit_group", (1n << 64n) - 1n))[1][0]).toBe(-1n);
  });

  test("NULL is 0, and so is an argument that is not given", () => {
    expect(
      argumentsOf(call("mount", null, "/", null, 7, null))[1].map((word) => word === 0n),
    ).toEqual([true, false, true, false, true, true]);
  });

  test("a string ends with a NUL and is UTF-8", () => {
    const [result, [address = 0n]] = argumentsOf(chdir("/Größe"));
    expect(result.string(address)).toBe("/Größe");
    expect(result.bytes(address, 9)).toEqual(new TextEncoder().encode("/Größe\0"));
  });

  test("a string with a NUL in it is refused, since the kernel would read a part of it", () => {
    expect(() => argumentsOf(chdir("/a\0b"))).toThrow("contains NUL");
    expect(() => argumentsOf(execve("/a", ["a\0b"], []))).toThrow("contains NUL");
  });

  test("a string that occurs again is stored once", () => {
    const tape = new Tape();
    tape.do("a", chdir("/same"));
    tape.do("b", execve("/same", ["/same", "/other"], ["/same"]));
    const { ops } = decoded(tape);
    const result = decoded(tape);
    const same = ops[0]?.args[0] ?? 0n;
    const [path = 0n, argv = 0n, envp = 0n] = ops[1]?.args ?? [];
    expect([path, result.word(argv), result.word(envp)]).toEqual([same, same, same]);
  });

  test("a buffer that occurs again is one place, and its equal is another", () => {
    const tape = new Tape();
    const buffer = new Uint8Array(16);
    tape.do("a", read(3, buffer));
    tape.do("b", write(4, buffer));
    tape.do("c", write(4, new Uint8Array(16)));
    const [first, again, other] = decoded(tape).ops.map(({ args }) => args[1]);
    expect(again).toBe(first ?? 0n);
    expect(other).not.toBe(first ?? 0n);
  });

  test("a list of strings is a vector of pointers that ends with NULL", () => {
    const [result, [, argv = 0n, envp = 0n]] = argumentsOf(execve("/a", ["a", "", "b"], []));
    expect(result.strings(argv)).toEqual(["a", "", "b"]);
    expect(result.strings(envp)).toEqual([]);
  });

  test("bytes and structures go by address", () => {
    const data = Uint8Array.of(1, 0, 255);
    const [written, [, address = 0n, length]] = argumentsOf(write(3, data));
    expect([written.bytes(address, 3), length]).toEqual([data, 3n]);
    const open = openInRoot(3, "x", O.PATH);
    const [opened, [, , how = 0n, size = 0n]] = argumentsOf(open);
    const [, , given] = open.args;
    if (given === null || typeof given !== "object" || !("struct" in given)) throw new Error();
    expect(opened.bytes(how, Number(size))).toEqual(encodeStruct(given, "x86_64"));
  });

  test("open flags are those of the architecture, in a word and in a structure", () => {
    const flags = O.DIRECTORY | O.NOFOLLOW | O.PATH;
    expect(argumentsOf(openat(3, "x", flags), "x86_64")[1][2]).toBe(0o12600000n);
    expect(argumentsOf(openat(3, "x", flags), "arm64")[1][2]).toBe(0o12140000n);
    const [result, [, , how = 0n]] = argumentsOf(openInRoot(3, "x", flags), "arm64");
    expect(result.word(how)).toBe(0o12140000n);
  });

  test("a register is its number, and a bit says that it is one", () => {
    const tape = new Tape();
    const first = tape.fd("a", openat(-100, "/a", O.PATH));
    const second = tape.fd("b", openat(-100, "/b", O.PATH));
    tape.do("c", attachMount(second, first));
    const { ops, machine, ...rest } = decoded(tape);
    expect(ops.map(({ result }) => result)).toEqual([0n, 1n, -1n]);
    expect(ops.map(({ registers }) => registers)).toEqual([0n, 0n, 0b101n]);
    expect([ops[2]?.args[0], ops[2]?.args[2]]).toEqual([1n, 0n]);
    expect(rest).toEqual({});
    expect(machine.ops - machine.registers).toBe(16n);
  });

  test("a register that nothing has filled is no descriptor", () => {
    const tape = new Tape();
    tape.fd("a", chdir("/"));
    const result = decoded(tape);
    expect(result.word(result.machine.registers)).toBe(-1n);
  });
});

describe("jumps", () => {
  test("a mark that stands for this op or an earlier one is refused", () => {
    for (const ops of [0, 1]) {
      const tape = new Tape();
      const mark = new Mark();
      tape.place(mark);
      for (let i = 0; i < ops; i++) tape.do("before", chdir("/"));
      tape.do("it", chdir("/"), { ENOENT: mark });
      expect(() => decoded(tape)).toThrow(new RangeError('tape "it": a jump must go forward'));
    }
  });

  test("a mark that stands for nothing is refused", () => {
    const tape = new Tape();
    tape.do("it", chdir("/"), {}, new Mark());
    expect(() => decoded(tape)).toThrow(new RangeError('tape "it": a jump must go forward'));
  });

  test("an op tolerates six errnos and no more", () => {
    const six: OnError = {
      EPERM: skip,
      ENOENT: skip,
      EIO: skip,
      ENXIO: skip,
      EBUSY: skip,
      EEXIST: skip,
    };
    const tape = new Tape();
    tape.do("six", chdir("/"), six);
    const [op] = decoded(tape).ops;
    expect(op && errnosOf(op)).toEqual(["EPERM", "ENOENT", "EIO", "ENXIO", "EBUSY", "EEXIST"]);
    tape.do("seven", chdir("/"), { ...six, EXDEV: skip });
    expect(() => decoded(tape)).toThrow(new RangeError('tape "seven": too many errnos'));
  });

  test("every jump goes forward, so every tape ends", () => {
    for (let seed = 0; seed < 300; seed++) {
      const tape = randomTape(seeded(seed));
      const { ops } = decoded(tape);
      expect(ops.length).toBe(tape.ops.length);
      for (const [index, op] of ops.entries()) {
        for (const to of [op.next, ...op.tolerated.map(([, target]) => target)]) {
          expect(to).toBeGreaterThan(index);
          expect(to).toBeLessThanOrEqual(ops.length);
        }
      }
    }
  });

  test("whatever its calls come to, a tape ends after as many calls as it has ops", () => {
    const errnos = ["ENOENT", "EPERM", "ENOTDIR", "EINVAL"] as const;
    let ended = 0;
    for (let seed = 0; seed < 300; seed++) {
      const random = seeded(seed);
      const tape = randomTape(random);
      const { path, error } = decoded(tape).play((index) =>
        tape.ops[index]?.call === null || random() < 0.5 ? undefined : pick(random, errnos),
      );
      expect(path.length).toBeLessThanOrEqual(tape.ops.length);
      const last = tape.ops[path.at(-1) ?? 0];
      if (error === undefined) ended++;
      else expect(last?.tolerated.map(([name]) => name)).not.toContain(error);
    }
    expect(ended).toBeGreaterThan(10);
  });
});

describe("memory", () => {
  test("the same tape gives the same bytes, also where an earlier tape was", () => {
    for (let seed = 0; seed < 50; seed++) {
      const tape = randomTape(seeded(seed));
      const clean = new Uint8Array(1 << 16);
      const used = encode(tape, { ...TARGET, memory: clean });
      const dirty = new Uint8Array(1 << 16).fill(0xaa);
      expect(encode(tape, { ...TARGET, memory: dirty })).toBe(used);
      expect(dirty.subarray(0, used)).toEqual(clean.subarray(0, used));
      expect(dirty.subarray(used + 64)).toEqual(new Uint8Array((1 << 16) - used - 64).fill(0xaa));
    }
  });

  test("a tape that does not fit is refused, and nothing is written beyond the memory", () => {
    const tape = randomTape(seeded(1));
    tape.do("long", execve("/bin/ü", ["ä".repeat(100)], ["A=1"]));
    const used = encode(tape, { ...TARGET, memory: new Uint8Array(1 << 16) });
    for (let size = 0; size < used; size++) {
      const around = new Uint8Array(used + 512).fill(0xaa);
      const memory = around.subarray(0, size);
      expect(() => encode(tape, { ...TARGET, memory })).toThrow(
        new TapeTooLong("the spec asks for more than the memory of a tape holds"),
      );
      expect(around.subarray(size).every((byte) => byte === 0xaa)).toBe(true);
    }
  });

  test("a tape may lie anywhere in a buffer", () => {
    const tape = randomTape(seeded(2));
    const alone = new Uint8Array(1 << 16);
    const used = encode(tape, { ...TARGET, memory: alone });
    const within = new Uint8Array(1 << 17).subarray(4096);
    expect(encode(tape, { ...TARGET, memory: within })).toBe(used);
    expect(within.subarray(0, used)).toEqual(alone.subarray(0, used));
  });

  test("at another address only the addresses differ", () => {
    const tape = new Tape();
    const fd = tape.fd("open", openInRoot(3, "/x", O.PATH));
    tape.do("close", close(fd));
    const low = decoded(tape, { address: 0x1000 });
    const high = decoded(tape, { address: 0x7fff_0000_1000 });
    const moved = 0x7fff_0000_0000n;
    expect(high.machine).toEqual({
      ...low.machine,
      registers: low.machine.registers + moved,
      ops: low.machine.ops + moved,
    });
    const [lowOpen, lowClose] = low.ops;
    const [highOpen, highClose] = high.ops;
    expect(highClose).toEqual(lowClose);
    const difference = highOpen?.args.map((word, i) => word - (lowOpen?.args[i] ?? 0n));
    expect(difference).toEqual([0n, moved, moved, 0n, 0n, 0n]);
  });

  test("a tape of nothing is a machine without ops", () => {
    const memory = new Uint8Array(88);
    expect(encode(new Tape(), { ...TARGET, memory })).toBe(80);
    expect(decoded(new Tape()).play()).toEqual({ path: [] });
  });
});
