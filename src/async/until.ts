// Wait for a state that the kernel announces to nobody.

const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 50;

/**
 * Check again, after pauses that grow to 50 ms, until `check` gives true: then true, or false once
 * `capMs` have gone by in pauses. What `check` throws is thrown.
 */
export function until(check: () => boolean | Promise<boolean>, capMs: number): Promise<boolean> {
  return recheck(check, capMs, FIRST_PAUSE_MS);
}

async function recheck(
  check: () => boolean | Promise<boolean>,
  leftMs: number,
  pauseMs: number,
): Promise<boolean> {
  if (await check()) return true;
  if (leftMs <= 0) return false;
  const pause = Math.min(pauseMs, leftMs);
  await new Promise<void>((resolve) => void setTimeout(resolve, pause));
  return recheck(check, leftMs - pause, Math.min(2 * pauseMs, LONGEST_PAUSE_MS));
}
