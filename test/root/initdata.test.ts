// A disk that has what the owner of a confidential pod gives its guest.
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { refuseInitdata } from "../../src/guest/initdata.ts";
import { loopDisk } from "../support/loop-disk.ts";

test("keeps the agent from serving, whose policy would be another one", async () => {
  const dev = mkdtempSync(join(tmpdir(), "kata-agent-initdata-"));
  using empty = loopDisk();
  using disk = loopDisk();
  symlinkSync(empty.path, join(dev, "vda"));
  symlinkSync(disk.path, join(dev, "vdb1"));
  await refuseInitdata(dev);
  writeFileSync(disk.path, "initdata\0\0\0\0\0\0\0\0", { flag: "r+", flush: true });
  await expect(refuseInitdata(dev)).rejects.toThrow(
    `initdata is not served yet, and ${dev}/vdb1 has it`,
  );
  rmSync(dev, { recursive: true });
});
