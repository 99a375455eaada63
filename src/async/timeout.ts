/** Whether `work` is over within so many milliseconds. What it throws by then is thrown. */
export async function within(work: Promise<unknown>, milliseconds: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), Math.min(milliseconds, LONGEST_TIMER_MS));
  try {
    return await Promise.race([work.then(() => true), promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** setTimeout takes 31 bits and fires at once for more. */
export const LONGEST_TIMER_MS = 0x7fff_ffff;
