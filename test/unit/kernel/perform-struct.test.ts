// A structure that points to bytes, given to the kernel.
import { expect, test } from "bun:test";
import { attempt } from "../../../src/kernel/perform.ts";
import { errnoName } from "../../../src/linux/errno.ts";
import { loadFilter } from "../../../src/linux/seccomp.ts";

test("the kernel finds the bytes: it refuses the program, not the address", () => {
  const noInstruction = new Uint8Array(8).fill(0xff);
  const result = attempt(loadFilter({ program: noInstruction, flags: 0 }));
  // EACCES for who may not load any; EFAULT would be the address.
  expect(["EINVAL", "EACCES"]).toContain(errnoName(-result) ?? "");
});
