import { expect, test } from "bun:test";
import { type Step, inTurn } from "../../../src/guest/shutdown.ts";

const NEVER = new Promise<never>(() => {});

/** What is done, and what is reported, in its order. */
async function told(steps: readonly Step[]): Promise<string[]> {
  const lines: string[] = [];
  const heard = steps.map((step) => ({
    ...step,
    run: () => {
      lines.push(step.what);
      return step.run();
    },
  }));
  await inTurn(heard, (what, reason) => void lines.push(`${what}: ${reason}`));
  return lines;
}

test("steps are taken one after the other, each when the one before is done", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const lines = told([
    { what: "first", budgetMs: 10_000, run: () => promise },
    { what: "second", budgetMs: 10_000, run: async () => {} },
  ]);
  let isOver = false;
  void lines.then(() => (isOver = true));
  await Promise.resolve();
  expect(isOver).toBe(false);
  resolve();
  expect(await lines).toEqual(["first", "second"]);
});

test("a step that fails, at once or later, is told and does not keep the next from its turn", async () => {
  const fails = () => {
    throw new Error("a defect");
  };
  const lines = await told([
    { what: "first", budgetMs: 10_000, run: fails },
    { what: "second", budgetMs: 10_000, run: async () => fails() },
    { what: "third", budgetMs: 10_000, run: async () => {} },
  ]);
  expect(lines).toEqual([
    "first",
    "first: Error: a defect",
    "second",
    "second: Error: a defect",
    "third",
  ]);
});

test("a step that never ends has its time and no more", async () => {
  const lines = await told([
    { what: "first", budgetMs: 1, run: () => NEVER },
    { what: "second", budgetMs: 10_000, run: async () => {} },
  ]);
  expect(lines).toEqual(["first", "first: not done in 1 ms", "second"]);
});
