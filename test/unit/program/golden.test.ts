// Each spec of golden/ becomes the tape beside it, byte for byte: container policy, reviewed in the
// diff. After an intended change: UPDATE_GOLDEN=1 bun test test/unit/program/golden.test.ts
import { expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { listing } from "../../../src/tape/listing.ts";
import { DIRECTORY, golden, names, sentence } from "./golden.ts";

const COMMAND = "UPDATE_GOLDEN=1 bun test test/unit/program/golden.test.ts";

const isUpdate = Bun.env["UPDATE_GOLDEN"] === "1";
if (isUpdate && Bun.env["CI"] !== undefined) {
  throw new Error("in CI golden tapes are checked, not written");
}

test.each(names(".json").map((name) => [sentence(name), name]))("%s", (_, name) => {
  const path = `${DIRECTORY}/${name}.tape`;
  const text = `${listing(golden(name).tape)}\n`;
  if (isUpdate) writeFileSync(path, text);
  if (!existsSync(path)) throw new Error(`golden/${name}.tape is missing: ${COMMAND}`);
  expect(text).toBe(readFileSync(path, "utf8"));
});

test("no tape stands there without its spec", () => {
  expect(names(".tape")).toEqual(names(".json"));
});
