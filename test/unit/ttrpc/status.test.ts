import { expect, test } from "bun:test";
import { Code, codeFrom, codeName, type ErrorCode } from "../../../src/ttrpc/code.ts";
import { decodeResponse, encodeFailure } from "../../../src/ttrpc/envelope.ts";
import { StatusError } from "../../../src/ttrpc/status.ts";

const NAMES = `OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS
  PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED
  INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED`.split(/\s+/);

test("the codes are numbered from 0 in the order of google.rpc.Code", () => {
  expect(Object.keys(Code)).toEqual(NAMES);
  expect(Object.values(Code)).toEqual(NAMES.keys().toArray() as Code[]);
  expect(NAMES.map((_, number) => codeName(number))).toEqual(NAMES);
});

test("a number that is no code is UNKNOWN, and is named by itself", () => {
  expect([17, -1, 2 ** 31].map(codeFrom)).toEqual([Code.UNKNOWN, Code.UNKNOWN, Code.UNKNOWN]);
  expect(codeName(17)).toBe("17");
});

test.each(["", "x", "outer\n\nCaused by:\n    0: größer ➜ 🦀", "m".repeat(100_000)])(
  "E16 a text comes through intact (case %#)",
  (message) => {
    const bytes = encodeFailure({ code: Code.INTERNAL, message });
    const { status } = decodeResponse(bytes, 0, bytes.length);
    expect(status).toEqual({ code: Code.INTERNAL, message });
  },
);

test("a StatusError is an Error with its code, its text and its cause", () => {
  const code: ErrorCode = Code.NOT_FOUND;
  const cause = new Error("why");
  const error = new StatusError(code, "no such process", { cause });
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({ name: "StatusError", code, message: "no such process", cause });
});
