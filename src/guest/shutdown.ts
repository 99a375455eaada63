// The agent's end, step by step. Each has a budget, so that none can keep the guest alive.
import { within } from "../async/timeout.ts";

export type Step = {
  /** What is not done when its time is over. */
  readonly what: string;
  readonly budgetMs: number;
  readonly run: () => Promise<unknown>;
};

/** Resolves when each step was done, has failed, or had its time. Never throws. */
export async function inTurn(
  [step, ...rest]: readonly Step[],
  report: (what: string, reason: unknown) => void,
): Promise<void> {
  if (step === undefined) return;
  const { what, budgetMs, run } = step;
  try {
    if (!(await within(run(), budgetMs))) report(what, `not done in ${budgetMs} ms`);
  } catch (error) {
    report(what, error);
  }
  await inTurn(rest, report);
}
