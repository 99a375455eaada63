// The user database of an image, as a child reads it.
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { NEVER } from "../../../src/async/never.ts";
import { runListened } from "../../../src/child/run-listened.ts";
import { passwdProgram } from "../../../src/program/passwd.ts";
import { reapInThisFile } from "../../support/child.ts";

reapInThisFile();

const root = mkdtempSync("/tmp/passwd-");
mkdirSync(`${root}/etc`);
afterAll(() => rmSync(root, { recursive: true }));

test.each([0, 100, 65_537, 1 << 20])("of %i bytes is read whole", async (size) => {
  writeFileSync(`${root}/etc/passwd`, "x".repeat(size));
  const { stdout, status } = await runListened({
    program: (birth) => passwdProgram(root, 1 << 20, birth),
    ignoredSignals: [],
    stdin: "",
    kept: 1 << 20,
    timeoutMs: 5000,
    signal: NEVER,
    take: async () => {},
    stops: [() => {}],
  });
  expect([status, stdout.text.length, stdout.isCut]).toEqual([0, size, false]);
});

test("is opened by a number that the control line does not have", () => {
  const stdio = { stdin: 0, stdout: 1, stderr: 2 };
  for (let control = 3; control < 512; control++) {
    const birth = { control, stdio, cgroupFiles: [], ignoredSignals: [] };
    const { ops } = passwdProgram(root, 0, birth);
    const numbers = ops.flatMap(({ call }) => (call?.name === "dup3" ? [call.args[1]] : []));
    expect(numbers).not.toContain(control);
  }
});
