import { describe, expect, test } from "bun:test";
import {
  AgentError,
  internal,
  invalidArgument,
  notFound,
  unavailable,
  unimplemented,
} from "../../../src/error.ts";
import { KernelError } from "../../../src/linux/error.ts";
import { chdir } from "../../../src/linux/fs.ts";
import { InvalidSpec } from "../../../src/oci/invalid-spec.ts";
import { isExpected, toStatus } from "../../../src/rpc/errors.ts";
import { TapeError } from "../../../src/tape/error.ts";
import { Tape, TapeTooLong } from "../../../src/tape/tape.ts";
import { Code } from "../../../src/ttrpc/code.ts";
import { StatusError } from "../../../src/ttrpc/status.ts";

const ENOENT = 2;

function tapeError(): TapeError {
  const tape = new Tape();
  tape.do("the file sh was not found", chdir("/bin/sh"));
  return new TapeError(tape, 0, chdir("/bin/sh"), ENOENT);
}

describe("an error becomes a status", () => {
  test.each<[string, unknown, number, string]>([
    ["INVALID_ARGUMENT", invalidArgument("a"), Code.INVALID_ARGUMENT, "a"],
    ["NOT_FOUND", notFound("b"), Code.NOT_FOUND, "b"],
    ["UNIMPLEMENTED", unimplemented("c"), Code.UNIMPLEMENTED, "c"],
    ["INTERNAL", internal("d"), Code.INTERNAL, "d"],
    ["UNAVAILABLE", unavailable("e"), Code.UNAVAILABLE, "e"],
    ["of a spec that breaks a rule", new InvalidSpec("f"), Code.INVALID_ARGUMENT, "f"],
    ["of a spec that asks for too much", new TapeTooLong("g"), Code.INVALID_ARGUMENT, "g"],
    [
      "of a call that failed in the agent",
      new KernelError("enter /x", chdir("/x"), ENOENT),
      Code.INTERNAL,
      "enter /x: ENOENT: No such file or directory",
    ],
    [
      "of a call that failed in the child",
      tapeError(),
      Code.INTERNAL,
      "the file sh was not found: ENOENT: No such file or directory",
    ],
    ["of any other kind", new RangeError("too long"), Code.INTERNAL, "too long"],
    ["of several at once", new AggregateError([], "g; h"), Code.INTERNAL, "g; h"],
    [
      "of what could not be undone",
      new SuppressedError(new Error("down"), internal("up")),
      Code.INTERNAL,
      "up (and undoing it: down)",
    ],
    ["that is a text", "thrown", Code.INTERNAL, "thrown"],
    ["that is nothing", undefined, Code.INTERNAL, "undefined"],
  ])("%s", (_, error, code, message) => {
    const status = toStatus(error);
    expect(status).toBeInstanceOf(StatusError);
    expect([status.code, status.message]).toEqual([code as StatusError["code"], message]);
    expect(status.cause).toBe(error);
  });

  test("as it is, if it is one: a timeout stays a timeout", () => {
    const status = new StatusError(Code.DEADLINE_EXCEEDED, "timeout");
    expect(toStatus(status)).toBe(status);
  });

  test("with the texts of its causes, outermost first", () => {
    const kernel = new KernelError("pin the pid namespace", chdir("/proc/7/ns/pid"), ENOENT);
    const middle = new Error("create the container", { cause: kernel });
    const outer = new AgentError("NOT_FOUND", "container c1", { cause: middle });
    const { code, message } = toStatus(outer);
    expect(code).toBe(Code.NOT_FOUND);
    expect(message).toBe(
      "container c1: create the container: pin the pid namespace: ENOENT: No such file or directory",
    );
    expect(toStatus(new Error("a", { cause: "b" })).message).toBe("a: b");
  });

  test("without a stack, of its own or of a cause: a host has no use for it", () => {
    const error = new Error("outer", { cause: new Error("inner", { cause: tapeError() }) });
    expect(error.stack).toContain("errors.test.ts");
    expect(toStatus(error).message).not.toMatch(/errors\.test|\n|\bat /);
  });
});

describe("an error is a defect of ours", () => {
  test.each<[string, unknown]>([
    ["an Error", new Error("x")],
    ["a TypeError", new TypeError("x")],
    ["several errors", new AggregateError([], "x")],
    ["a text", "x"],
    ["nothing", undefined],
  ])("where no request should be able to cause it: %s", (_, error) => {
    expect(isExpected(error)).toBe(false);
  });

  test.each<[string, unknown]>([
    ["a status", new StatusError(Code.CANCELLED, "x")],
    ["a refusal", internal("x")],
    ["a spec that breaks a rule", new InvalidSpec("x")],
    ["a call that failed in the agent", new KernelError("x", chdir("/"), ENOENT)],
    ["a call that failed in the child", tapeError()],
  ])("but not where a request can: %s", (_, error) => {
    expect(isExpected(error)).toBe(true);
  });
});
