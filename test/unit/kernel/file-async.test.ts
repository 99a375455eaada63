import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readTextAsync, writeTextAsync } from "../../../src/kernel/file-async.ts";

const directory = mkdtempSync(join(tmpdir(), "kata-agent-file-async-"));
const at = (name: string) => join(directory, name);

afterAll(() => rmSync(directory, { recursive: true }));

test("off the event loop what cannot be read is undefined", async () => {
  writeFileSync(at("read"), "text ä\n");
  expect(await readTextAsync(at("read"))).toBe("text ä\n");
  expect(await readTextAsync("/proc/self/status")).toContain(`Pid:\t${process.pid}\n`);
  expect(await readTextAsync(at("absent"))).toBeUndefined();
  expect(await readTextAsync(directory)).toBeUndefined();
});

test("off the event loop a write is to a file that is there, or an error that names it", async () => {
  writeFileSync(at("written"), "");
  await writeTextAsync(at("written"), "text");
  expect(readFileSync(at("written"), "utf8")).toBe("text");
  await expect(writeTextAsync(at("absent"), "5")).rejects.toThrow(
    `write 5 to ${at("absent")}: ENOENT: No such file or directory`,
  );
  // The call itself is refused, not the opening of the file.
  await expect(writeTextAsync("/dev/full", "5")).rejects.toThrow("write 5 to /dev/full: ENOSPC");
});
