import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";

test("files are read while more of them hang than there are processors", async () => {
  const directory = mkdtempSync(join(tmpdir(), "kata-threads-"));
  try {
    // One file, as the agent is: Bun's own loader would begin the threads before.
    const probe = join(import.meta.dir, "../../support/hung-reads.ts");
    await Bun.build({ entrypoints: [probe], outdir: directory, target: "bun" });
    const fifo = join(directory, "fifo");
    Bun.spawnSync(["mkfifo", fifo]);
    const program = [process.execPath, join(directory, "hung-reads.js")];
    const hung = String(availableParallelism() + 8);
    const { stdout } = Bun.spawnSync([...program, fifo, hung], { timeout: 4000 });
    expect(stdout.toString()).toBe("read");
  } finally {
    rmSync(directory, { recursive: true });
  }
});
