import { afterAll, beforeAll, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { refuseInitdata } from "../../../src/guest/initdata.ts";

let directory = "";
beforeAll(() => void (directory = mkdtempSync(join(tmpdir(), "kata-agent-initdata-"))));
afterAll(() => rmSync(directory, { recursive: true }));

test("a guest without disks, or without /dev, has none", async () => {
  await refuseInitdata(directory);
  await refuseInitdata(join(directory, "nowhere"));
});

test("what is no disk has none, whatever it is called and holds", async () => {
  writeFileSync(join(directory, "vda"), "initdata");
  mkdirSync(join(directory, "sda"));
  symlinkSync("/dev/null", join(directory, "sdb"));
  symlinkSync("nowhere", join(directory, "vdb"));
  await refuseInitdata(directory);
});
