import { expect, test } from "bun:test";
import { call } from "../../../src/linux/call.ts";
import { describeErrno, errnoName, errnoNumber } from "../../../src/linux/errno.ts";
import { KernelError } from "../../../src/linux/error.ts";
import { linesOf, testWithC } from "../../support/c-program.ts";

const LAST = 133;
const numbers = Array.from({ length: LAST }, (_, index) => index + 1);
/** EWOULDBLOCK and EDEADLOCK once had numbers of their own. */
const UNUSED = [41, 58];

testWithC("each errno has its number and the text of strerror(3)", () => {
  const used = numbers.filter((errno) => !UNUSED.includes(errno));
  const print = used
    .map(errnoName)
    .map((name) => `printf("%d ${name}: %s\\n", ${name}, strerror(${name}));`)
    .join("\n");
  expect(used.map((errno) => `${errno} ${describeErrno(errno)}`)).toEqual([
    ...linesOf(["errno.h", "string.h"], print),
  ]);
});

test("no errno up to the last is left out, and none is beyond", () => {
  expect(numbers.filter((errno) => errnoName(errno) === undefined)).toEqual(UNUSED);
  expect(errnoName(0)).toBeUndefined();
  expect(errnoName(LAST + 1)).toBeUndefined();
});

test("an errno is found by its name", () => {
  expect(errnoNumber("EPERM")).toBe(1);
  expect(errnoNumber("EHWPOISON")).toBe(LAST);
});

test.each([
  [3, "ESRCH: No such process"],
  [2, "ENOENT: No such file or directory"],
  [41, "errno 41"],
  [512, "errno 512"],
])("errno %d is told as %s", (errno, text) => {
  expect(describeErrno(errno)).toBe(text);
});

test("the error of a call says the label first and the errno last", () => {
  const failed = call("chdir", "/nowhere");
  const error = new KernelError("enter /nowhere", failed, 2);
  expect(error.message).toBe("enter /nowhere: ENOENT: No such file or directory");
  expect(error.name).toBe("KernelError");
  expect(error.call).toBe(failed);
  expect(error.is("ENOENT")).toBe(true);
  expect(error.is("EPERM")).toBe(false);
});
