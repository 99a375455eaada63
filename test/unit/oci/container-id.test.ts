import { describe, expect, test } from "bun:test";
import {
  LONGEST_CONTAINER_ID,
  LONGEST_EXEC_ID,
  verifyExecId,
  verifyId,
} from "../../../src/oci/container-id.ts";
import { InvalidSpec } from "../../../src/oci/invalid-spec.ts";
import { randomText, seeded } from "../../support/random.ts";

describe("a container id", () => {
  test.each([
    "aa",
    "a.",
    "a..",
    "aa.",
    "a-",
    "a_",
    "00",
    "hello..world",
    "aAzZ0123456789_.-",
    "f00dfacade".repeat(6),
    "a".repeat(LONGEST_CONTAINER_ID),
  ])("is accepted: %s", (id) => {
    expect(() => verifyId(id)).not.toThrow();
  });

  test.each([
    "",
    "a",
    "0",
    " a",
    ".a",
    "-a",
    "_a",
    "..",
    "-1",
    "a/b",
    "/ab",
    "ab/",
    "../a",
    "a b",
    "ab ",
    "ab\n",
    "ab\0",
    "aé",
    "éa",
    "a²",
    "a".repeat(LONGEST_CONTAINER_ID + 1),
  ])("is refused: %j", (id) => {
    expect(() => verifyId(id)).toThrow(InvalidSpec);
    expect(() => verifyId(id)).toThrow("invalid container ID");
  });

  test("that is refused is quoted in the error", () => {
    expect(() => verifyId("a/b\n")).toThrow('invalid container ID "a/b\\n"');
  });

  test("of megabytes does not make an error of megabytes", () => {
    expect(() => verifyId("/".repeat(4_000_000))).toThrow(/^invalid container ID .{0,250}$/);
  });

  test("that is accepted is always a plain file name", () => {
    const random = seeded(4);
    let accepted = 0;
    for (let round = 0; round < 20_000; round += 1) {
      const id = randomText(random, 3);
      try {
        verifyId(id);
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidSpec);
        continue;
      }
      accepted += 1;
      expect(id).toMatch(/^[0-9A-Za-z][0-9A-Za-z._-]*$/);
    }
    expect(accepted).toBeGreaterThan(20);
  });
});

describe("an exec id", () => {
  test.each(["a", "exec-1", "any thing/é", "x".repeat(LONGEST_EXEC_ID)])("may be %s", (id) => {
    expect(() => verifyExecId(id)).not.toThrow();
  });

  test.each(["", "a\0b", "x".repeat(LONGEST_EXEC_ID + 1)])("may not be %j", (id) => {
    expect(() => verifyExecId(id)).toThrow(InvalidSpec);
  });
});
