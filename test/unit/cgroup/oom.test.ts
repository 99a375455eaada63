// The watches for kills by the kernel, on files that a test writes.
import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../../../src/async/until.ts";
import { watchOomV1 } from "../../../src/cgroup/oom.ts";
import { perform } from "../../../src/kernel/perform.ts";
import { write } from "../../../src/linux/io.ts";

const SOON_MS = 5000;

test("a v1 kill that is counted only after the kernel has called is told all the same (D40)", async () => {
  const directory = mkdtempSync(join(tmpdir(), "kata-agent-oom-"));
  const counter = join(directory, "memory.oom_control");
  const control = join(directory, "cgroup.event_control");
  writeFileSync(counter, "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n");
  writeFileSync(control, "");
  let kills = 0;
  try {
    using watch = watchOomV1(directory, () => void kills++);
    expect(watch?.check()).toBe(false);
    const [bell = ""] = readFileSync(control, "utf8").split(" ");
    perform("call", write(Number(bell), new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0])));
    const isHeard = () =>
      /eventfd-count: +0$/m.test(readFileSync(`/proc/self/fdinfo/${bell}`, "utf8"));
    expect(await until(isHeard, SOON_MS)).toBe(true);
    expect(kills).toBe(0);
    writeFileSync(counter, "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
    expect(await until(() => kills === 1, SOON_MS)).toBe(true);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
