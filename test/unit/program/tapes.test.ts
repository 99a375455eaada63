// What holds for the tape of any spec, tried on all of golden/.
import { describe, expect, test } from "bun:test";
import type { Call } from "../../../src/linux/call.ts";
import { Reg } from "../../../src/linux/call.ts";
import { AT_FDCWD, CLOSE_RANGE, PR, RESOLVE } from "../../../src/linux/constants.ts";
import { O } from "../../../src/linux/open-flags.ts";
import { spareNumber } from "../../../src/program/birth.ts";
import { LONGEST_TAPE, type Op, TapeTooLong } from "../../../src/tape/tape.ts";
import { closed, closedBy, filled, flow, open, registersIn, waysFrom } from "./flow.ts";
import {
  BUNDLE,
  CONTROL,
  type Golden,
  ROOTFS,
  golden,
  leastContainer,
  names,
  tapeOf,
} from "./golden.ts";

const goldens = names(".json").map(golden);
const inits = goldens.filter(({ kind }) => kind === "init");
const execs = goldens.filter(({ kind }) => kind === "exec");
const hooks = goldens.filter(({ kind }) => kind === "hook");

const HOOKS = "wait for the hooks";

/** `name: label` of each op that breaks a rule. */
function offenders(
  of: readonly Golden[],
  breaks: (op: Op, index: number, golden: Golden) => boolean,
): string[] {
  return of.flatMap((each) =>
    each.tape.ops
      .filter((op, index) => breaks(op, index, each))
      .map(({ label }) => `${each.name}: ${label}`),
  );
}

const isCall = (name: Call["name"]) => (op: Op) => op.call?.name === name;

/** The op before which a path is looked up in the agent's tree, and after it in the container's. */
function switchOf({ tape }: Golden): number {
  const [at = Number.NaN] = tape.ops.flatMap(({ call }, index) =>
    call?.name === "pivot_root" || call?.name === "chroot" ? [index] : [],
  );
  return at;
}

describe("every tape", () => {
  test("is one of many", () => {
    expect(inits.length).toBeGreaterThan(40);
    expect(execs.length).toBe(7);
    expect(hooks.length).toBe(3);
  });

  test("ends, since each op goes forward", () => {
    const stays = offenders(goldens, (op, index, { tape }) =>
      waysFrom(op, index).some(({ to }) => to <= index || to > tape.ops.length),
    );
    expect(stays).toEqual([]);
  });

  test("has no op that no way leads to", () => {
    const states = new Map(goldens.map(({ name, tape }) => [name, flow(tape, open)]));
    const isUnreached = (_: Op, index: number, { name }: Golden) =>
      states.get(name)?.[index] === undefined;
    expect(offenders(goldens, isUnreached)).toEqual([]);
  });

  test("ends with the execution of a program, whichever way it goes", () => {
    const passed = goldens.filter(({ tape }) => flow(tape, open).at(-1) !== undefined);
    expect(passed.map(({ name }) => name)).toEqual([]);
  });

  test("fills each register before it is read", () => {
    const states = new Map(goldens.map(({ name, tape }) => [name, flow(tape, filled)]));
    const readsEmpty = (op: Op, index: number, { name }: Golden) =>
      registersIn(op).some((register) => !states.get(name)?.[index]?.has(register));
    expect(offenders(goldens, readsEmpty)).toEqual([]);
  });

  test("closes a descriptor again only to learn whether it was, and never another's", () => {
    const states = new Map(goldens.map(({ name, tape }) => [name, flow(tape, closed)]));
    const closesAgain = (op: Op, index: number, { name }: Golden) => {
      const state = states.get(name)?.[index];
      const isExpected = op.tolerated.some(([errno]) => errno === "EBADF");
      const before = isExpected ? state?.reused : state?.closed;
      return [...closedBy(op)].some((register) => before?.has(register));
    };
    expect(offenders(goldens, closesAgain)).toEqual([]);
  });

  test("forbids tracing first of all", () => {
    for (const { tape } of goldens) {
      expect(tape.ops[0]?.call).toEqual({ name: "prctl", args: [PR.SET_DUMPABLE, 0, 0, 0, 0] });
    }
  });

  test("opens nothing more once it has marked all for closing, and no filter forbids it that", () => {
    for (const { tape } of goldens) {
      const { ops } = tape;
      const mark = ops.findLastIndex(isCall("close_range"));
      expect(ops[mark]?.call?.args).toEqual([3, 0xffffffff, CLOSE_RANGE.CLOEXEC]);
      const after = ops.slice(mark + 1);
      // The descriptor of a listener is marked by the kernel.
      const opening = after.filter(
        ({ kind, result, call }) => kind === "call" && result !== null && call?.name !== "seccomp",
      );
      expect(opening).toEqual([]);
      expect(after.at(-1)?.call?.name).toBe("execve");
      expect(ops.slice(0, mark).some((op) => isCall("execve")(op) || isCall("seccomp")(op))).toBe(
        false,
      );
    }
  });

  test("makes no call between the filter that comes last and execve", () => {
    const filtered = goldens.filter(
      ({ process, tape }) => process.noNewPrivileges === true && tape.ops.some(isCall("seccomp")),
    );
    expect(filtered.length).toBeGreaterThan(1);
    for (const { tape } of filtered) {
      const calls = tape.ops.filter(({ kind }) => kind !== "hand");
      for (const [index, op] of calls.entries()) {
        const before = calls[index - 1]?.call?.name;
        if (op.call?.name === "execve") expect(before).toBe("seccomp");
      }
    }
  });
});

describe("the first process of a container", () => {
  test("does nothing when it is started but look for the program and execute it", () => {
    const expected = ["faccessat2", "seccomp", "execve"];
    for (const { tape } of inits) {
      const start = tape.ops.findLastIndex(({ kind }) => kind === "park");
      const after = tape.ops.slice(start + 1).filter(({ kind }) => kind !== "hand");
      const calls = after.map(({ call }) => String(call?.name));
      expect(calls.filter((name) => !expected.includes(name))).toEqual([]);
      expect(calls.at(-1)).toBe("execve");
    }
  });

  test("waits for hooks when all is mounted and nothing is hidden yet, and for nothing else", () => {
    const waiting = inits.filter(({ tape }) => tape.ops.some((op) => op.label === HOOKS));
    expect(waiting.map(({ name }) => name)).toEqual(["hooks-run-before-anything-is-hidden"]);
    for (const { name, tape } of inits) {
      const parks = tape.ops.filter(({ kind }) => kind === "park").map(({ label }) => label);
      const isMapped = tape.ops.some(({ label }) => label.includes("in the user namespace"));
      const hooked = waiting.some((each) => each.name === name);
      expect(parks).toEqual([
        ...(hooked ? [HOOKS] : []),
        ...(isMapped ? ["have the agent set limits and scheduling"] : []),
        "wait for the start",
      ]);
    }
    for (const { tape } of waiting) {
      const labels = tape.ops.map(({ label }) => label);
      const at = labels.indexOf(HOOKS);
      const after = labels.slice(at).join("\n");
      for (const each of ["/proc/kcore", "/proc/bus", "make the root read-only", "net"]) {
        expect(labels.slice(0, at).join("\n")).not.toContain(each);
        expect(after).toContain(each);
      }
      expect(labels.slice(0, at)).toContain("mount /run");
    }
  });

  test("has at the switch of its root nothing open but that, its directory and its terminal", () => {
    const known = [ROOTFS, "the terminal", "the old root", "/srv", "/srv/new", "/var/lib/user"];
    for (const each of inits) {
      const { tape } = each;
      const at = switchOf(each);
      const registers = flow(tape, open)[at] ?? new Set();
      const labels = tape.ops
        .filter(({ result }) => result !== null && registers.has(result))
        .map(({ label }) => label);
      expect(labels.filter((label) => !known.includes(label.replace("open ", "")))).toEqual([]);
      expect(labels).toContain(`open ${ROOTFS}`);
    }
  });

  test("closes all that is open right after the switch of its root", () => {
    const ofTheSwitch = new Set(["fchdir", "mount", "umount2", "close", "chroot", "chdir"]);
    for (const each of inits) {
      const { ops } = each.tape;
      const at = switchOf(each);
      const first = ops.findIndex((op, index) => index > at && isCall("close_range")(op));
      const between = ops.slice(at + 1, first).map(({ call }) => call?.name ?? "park");
      expect(between.filter((name) => !ofTheSwitch.has(name))).toEqual([]);
      const master = each.process.terminal === true ? [spareNumber({ control: CONTROL })] : [];
      expect(keptFrom(ops, first)).toEqual([CONTROL, ...master]);
    }
  });
});

describe("an exec, or a hook", () => {
  test("has nothing of the agent left when it is where it is to be", () => {
    for (const { tape, process, context } of [...execs, ...hooks]) {
      const { ops } = tape;
      const first = ops.findIndex(isCall("close_range"));
      const entered = ops.findIndex(isCall("setsid"));
      const joined = Object.values(context.joined ?? {});
      expect(keptFrom(ops, first)).toEqual([CONTROL, ...joined].toSorted((a, b) => a - b));
      const left = new Set(joined);
      for (const { call } of ops.slice(first, entered)) {
        if (call?.name === "close") left.delete(Number(call.args[0]));
      }
      expect([...left]).toEqual([]);
      expect(flow(tape, open)[entered]).toEqual(new Set());
      if (process.terminal !== true) continue;
      const last = ops.findIndex((op, index) => index > entered && isCall("close_range")(op));
      expect(keptFrom(ops, last)).toEqual([CONTROL, spareNumber({ control: CONTROL })]);
      expect(ops.findIndex(({ kind }) => kind === "park")).toBe(last + 2);
    }
  });
});

/** The descriptors above stderr that a run of close_range calls leaves open. */
function keptFrom(ops: readonly Op[], first: number): readonly number[] {
  const kept: number[] = [];
  let next = 3;
  for (const { call } of ops.slice(first)) {
    if (call?.name !== "close_range") break;
    const [from, to] = call.args.map(Number);
    for (; next < (from ?? 0); next++) kept.push(next);
    next = (to ?? 0) + 1;
  }
  return next > 0xffffffff ? kept : [...kept, Number.POSITIVE_INFINITY];
}

describe("what the image may have put anywhere", () => {
  test("is not reached by a path of the agent's tree", () => {
    const below = `${ROOTFS}/`;
    const entersByPath = (op: Op, index: number, each: Golden) =>
      index < switchOf(each) &&
      (op.call?.args.some((arg) => typeof arg === "string" && arg.startsWith(below)) ?? false);
    expect(offenders(inits, entersByPath)).toEqual([]);
  });

  test("is mounted and unmounted by descriptor: a path serves the root's own way in only", () => {
    const way = ["", "/run", "/run/kata-containers", "/run/kata-containers/c1", ROOTFS];
    const allowed = new Set([...way.map((path) => path || "/"), "."]);
    const isByPath = ({ call, label }: Op, _: number, { context }: Golden) => {
      const own = new Set([...allowed, ...(context.initramfs ?? [])]);
      if (call?.name === "mount") return !own.has(String(call.args[1]));
      if (call?.name === "umount2") return !own.has(String(call.args[0]));
      if (call?.name !== "move_mount") return false;
      // Device nodes are attached for a moment, in a namespace of their own, where the bundle is.
      const places = [ROOTFS, ...(label.startsWith("mount the device nodes on") ? [BUNDLE] : [])];
      const isByWay = call.args[2] === AT_FDCWD && places.includes(String(call.args[3]));
      return !isByWay && call.args[3] !== "";
    };
    expect(offenders(goldens, isByPath)).toEqual([]);
  });

  test("is looked up within the root, and no link of procfs is followed", () => {
    const inRoot = RESOLVE.IN_ROOT | RESOLVE.NO_MAGICLINKS;
    const leaves = offenders(goldens, ({ call }) => {
      if (call?.name !== "openat2") return false;
      const [root, , how] = call.args;
      const resolve = isStruct(how) ? Number(how.fields["resolve"]) : 0;
      return !(root instanceof Reg) || (resolve & inRoot) !== inRoot;
    });
    expect(leaves).toEqual([]);
  });

  test("is one name of a directory that is open, where it is not looked up", () => {
    const climbs = offenders(goldens, ({ call }) => {
      const [directory, name, flags] = pathArguments(call);
      if (!(directory instanceof Reg) || name === "") return false;
      if (call?.name !== "openat") return String(name).includes("/");
      const isFollowed = (Number(flags) & O.NOFOLLOW) === 0 && name !== ".";
      return isFollowed || String(name).includes("/");
    });
    expect(climbs).toEqual([]);
  });
});

function isStruct(arg: unknown): arg is { readonly fields: Readonly<Record<string, unknown>> } {
  return typeof arg === "object" && arg !== null && "fields" in arg;
}

/** Directory, path, flags of the calls that take one; openat2 has a rule of its own. */
function pathArguments(call: Call | null): readonly unknown[] {
  switch (call?.name) {
    case "symlinkat":
      return call.args.slice(1);
    case "openat":
    case "mkdirat":
    case "mknodat":
    case "unlinkat":
    case "fchownat":
    case "faccessat2":
    case "open_tree":
    case "mount_setattr":
      return call.args;
    default:
      return [];
  }
}

test("a PATH of a megabyte is refused before its tape takes the memory", () => {
  const env = [`PATH=${":".repeat(100_000)}`];
  const spec = leastContainer({}, { args: ["sh"], env });
  expect(() => tapeOf(spec, {})).toThrow(
    new TapeTooLong(`the spec asks for more than ${LONGEST_TAPE} system calls`),
  );
});
