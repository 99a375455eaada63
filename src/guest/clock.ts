// The guest's clock as the host sets it: rpc.md 6.30.
import { invalidArgument } from "../error.ts";
import { perform } from "../kernel/perform.ts";
import { settimeofday } from "../linux/machine.ts";

const MICROSECONDS = 1_000_000n;

/**
 * Seconds and microseconds since 1970. Throws an AgentError for what is before that or is no such number,
 * a KernelError for what the kernel does not count to: it ends in 2232, and begins when it was started.
 */
export function setClock(seconds: bigint, microseconds: bigint): void {
  if (seconds < 0n) throw invalidArgument(`Sec ${seconds} is before 1970`);
  if (microseconds < 0n || microseconds >= MICROSECONDS)
    throw invalidArgument(`Usec ${microseconds} is not within a second`);
  const label = `set the clock to ${seconds} s and ${microseconds} µs since 1970`;
  perform(label, settimeofday(seconds, microseconds));
}
