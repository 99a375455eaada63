// What a host, a kernel or an image may say to the agent, made up by the hundred thousand. A minute of
// it; FUZZ_SECONDS and FUZZ_SEED for more, and for others.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SECONDS = Number(Bun.env["FUZZ_SECONDS"] ?? 50);
const SEED = Bun.env["FUZZ_SEED"] ?? "1";
/** To start, and for the last one. */
const PATIENCE_MS = 30_000;

const directory = mkdtempSync(join(tmpdir(), "kata-agent-fuzz-"));
afterAll(() => rmSync(directory, { recursive: true }));

test(
  "nothing that is read makes the agent fail, hang or grow",
  async () => {
    const state = join(directory, "state");
    const program = join(import.meta.dir, "fuzz.ts");
    const fuzzer = Bun.spawn([process.execPath, program, String(SECONDS), SEED], {
      env: { PATH: Bun.env["PATH"], FUZZ_STATE: state },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: SECONDS * 1000 + PATIENCE_MS,
      killSignal: "SIGKILL",
    });
    const [said, complaint] = await Promise.all([
      new Response(fuzzer.stdout).text(),
      new Response(fuzzer.stderr).text(),
    ]);
    const status = await fuzzer.exited;
    const last = readFileSync(state, "utf8").trim();
    expect(complaint, `the last case was ${last}`).toBe("");
    expect(status, `the last case was ${last}`).toBe(0);
    const tried: Readonly<Record<string, number>> = JSON.parse(said);
    console.log(`tried of each: ${said.trim()}`);
    expect(Object.values(tried).every((count) => count > 0)).toBe(true);
  },
  SECONDS * 1000 + 2 * PATIENCE_MS,
);
