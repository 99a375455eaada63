// Try every target with made-up input for a while: fuzz.ts SECONDS SEED [CASE]. Ends with status 1 at the
// first defect and says how to see it again. What the agent would do as root it may not do here.
import { closeSync, mkdtempSync, openSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startReaper } from "../../src/kernel/reaper.ts";
import { seeded } from "../support/random.ts";
import { parserTargets } from "./parsers.ts";
import { isRefusal } from "./target.ts";
import { wireTargets } from "./wire.ts";

const NOBODY = 65_534;
/** Of a processor: how busy the machine is with other things does not count. */
const LONGEST_MS = 1000;
/** Of memory, between a state that is warm and the end. */
const MOST_GROWTH = 200 << 20;
const WARM_AFTER_MS = 5000;

const [seconds = "10", seed = "1", only] = process.argv.slice(2);
const state = openSync(process.env["FUZZ_STATE"] ?? "/dev/null", "w");
const scratch = mkdtempSync(join(tmpdir(), "kata-agent-fuzz-"));

if (process.getuid?.() === 0) {
  const { chownSync } = await import("node:fs");
  chownSync(scratch, NOBODY, NOBODY);
  process.setgroups?.([]);
  process.setgid?.(NOBODY);
  process.setuid?.(NOBODY);
}
process.chdir("/");
startReaper();

const targets = [...parserTargets(scratch), ...wireTargets()];
const tried = new Map<string, number>();
const until = performance.now() + Number(seconds) * 1000;
if (only === undefined) await tryAll();
else await tryOne(Number(only));
closeSync(state);
console.log(JSON.stringify(Object.fromEntries(tried)));
process.exit(0);

async function tryAll(): Promise<void> {
  const warm = performance.now() + WARM_AFTER_MS;
  let before: number | undefined;
  for (let number = 0; performance.now() < until; number++) {
    await tryOne(number);
    if (number % 1000 !== 0) continue;
    await new Promise<void>((resolve) => void setImmediate(resolve));
    if (before === undefined && performance.now() > warm) before = memoryInUse();
  }
  const grown = before === undefined ? 0 : memoryInUse() - before;
  if (grown > MOST_GROWTH) fail(-1, "all of them", `memory has grown by ${grown >> 20} MiB`);
}

async function tryOne(number: number): Promise<void> {
  const target = targets[number % targets.length];
  if (target === undefined) return;
  // Should it never come back, the one who waits can tell which it was.
  writeSync(state, `${number} ${target.name}`.padEnd(80), 0);
  const from = process.cpuUsage();
  try {
    await target.run(seeded(Math.imul(Number(seed), 0x9e3779b1) + number));
  } catch (error) {
    if (!isRefusal(error)) fail(number, target.name, error);
  }
  const { user, system } = process.cpuUsage(from);
  const took = (user + system) / 1000;
  if (took > LONGEST_MS) fail(number, target.name, `took ${took} ms`);
  tried.set(target.name, (tried.get(target.name) ?? 0) + 1);
}

function memoryInUse(): number {
  Bun.gc(true);
  return process.memoryUsage().rss;
}

function fail(number: number, name: string, reason: unknown): never {
  const shown = reason instanceof Error ? `${reason.stack}\n${String(reason.cause ?? "")}` : reason;
  console.error(`${name}: ${shown}\nagain: bun test/fuzz/fuzz.ts 0 ${seed} ${number}`);
  process.exit(1);
}
