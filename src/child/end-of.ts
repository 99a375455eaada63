// Wait for a child that must not take for ever.
import { within } from "../async/timeout.ts";
import { attempt } from "../kernel/perform.ts";
import { SIG } from "../linux/constants.ts";
import { kill } from "../linux/process.ts";
import type { Child } from "../tape/player.ts";

/** What the agent does for a tape that is parked. */
export type Stop = (child: Child) => unknown;

export type Limits = {
  readonly timeoutMs: number;
  /** Aborted: it is killed. */
  readonly signal: AbortSignal;
  /** At each the tape parks, and goes on when this is done. */
  readonly stops?: readonly Stop[] | undefined;
};

/** For a process that was killed to be gone. One that waits for a dead disk never is. */
const GRACE_MS = 1000;

/**
 * The exit code, or 128 + the signal that killed it. Throws a TapeError when an op failed, an Error when
 * it takes too long, and what `signal` says: then it is killed, with its process group if it leads one.
 */
export async function endOf(child: Child, limits: Limits): Promise<number> {
  const { timeoutMs, signal, stops = [] } = limits;
  const late = new AbortController();
  const tooLong = () => late.abort(new Error(`it has not ended within ${timeoutMs / 1000} s`));
  const timer = setTimeout(tooLong, timeoutMs);
  const stop = AbortSignal.any([signal, late.signal]);
  const { promise: isKilled, resolve } = Promise.withResolvers<number>();
  const end = () => {
    // All that has stayed in its session's first group; itself, should it not have come that far.
    attempt(kill(-child.pid, SIG.KILL));
    child.signal(SIG.KILL);
    void within(child.exit, GRACE_MS).then(() => resolve(128 + SIG.KILL));
  };
  if (stop.aborted) end();
  stop.addEventListener("abort", end, { once: true });
  try {
    const status = await Promise.race([statusOf(child, stops), isKilled]);
    stop.throwIfAborted();
    return status;
  } catch (error) {
    // A child that was killed for it fails in some way or other.
    stop.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
    stop.removeEventListener("abort", end);
  }
}

async function statusOf(child: Child, stops: readonly Stop[]): Promise<number> {
  for (const stop of stops) {
    await child.parked();
    await stop(child);
    child.resume();
  }
  try {
    await child.played();
  } finally {
    await child.exit;
  }
  return child.exit;
}
