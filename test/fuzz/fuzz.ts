// Try every target with made-up input for a while: fuzz.ts SECONDS SEED [TARGET CASE]. Ends with status 1 at the
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
const SLICE_MS = 5;

const [seconds = "10", seed = "1", onlyTarget, onlyCase] = process.argv.slice(2);
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
const tried = new Map(targets.map(({ name }) => [name, 0]));
const until = performance.now() + Number(seconds) * 1000;
if (onlyTarget === undefined) await tryAll();
else await tryOne(Number(onlyTarget), Number(onlyCase));
closeSync(state);
console.log(JSON.stringify(Object.fromEntries(tried)));
process.exit(0);

async function tryAll(): Promise<void> {
  const warm = performance.now() + WARM_AFTER_MS;
  let before: number | undefined;
  while (performance.now() < until) {
    for (const index of targets.keys()) await trySome(index);
    if (before === undefined && performance.now() > warm) before = memoryInUse();
  }
  const grown = before === undefined ? 0 : memoryInUse() - before;
  if (grown > MOST_GROWTH) fail("all of them", `memory has grown by ${grown >> 20} MiB`);
}

/** As much time for each, not as many tries: what takes long to try has the same right to it. */
async function trySome(index: number): Promise<void> {
  const { name = "", shares = 1 } = targets[index] ?? {};
  const end = performance.now() + shares * SLICE_MS;
  let number = tried.get(name) ?? 0;
  do await tryOne(index, number++);
  while (performance.now() < end);
  tried.set(name, number);
  // What a try has begun may go on.
  await new Promise<void>((resolve) => void setImmediate(resolve));
}

async function tryOne(index: number, number: number): Promise<void> {
  const target = targets[index];
  if (target === undefined) return;
  const which = `${index} ${number}`;
  // Should it never come back, the one who waits can tell which it was.
  writeSync(state, `${which} ${target.name}`.padEnd(80), 0);
  const from = process.cpuUsage();
  const mixed = Math.imul(Number(seed), 0x9e3779b1) + Math.imul(index, 0x85ebca6b) + number;
  try {
    await target.run(seeded(mixed));
  } catch (error) {
    if (!isRefusal(error)) fail(target.name, error, which);
  }
  const { user, system } = process.cpuUsage(from);
  const took = (user + system) / 1000;
  if (took > LONGEST_MS) fail(target.name, `took ${took} ms`, which);
}

function memoryInUse(): number {
  Bun.gc(true);
  return process.memoryUsage().rss;
}

function fail(name: string, reason: unknown, which = ""): never {
  const shown = reason instanceof Error ? `${reason.stack}\n${String(reason.cause ?? "")}` : reason;
  console.error(`${name}: ${shown}\nagain: bun test/fuzz/fuzz.ts 0 ${seed} ${which}`);
  process.exit(1);
}
