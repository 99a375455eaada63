// A process that has no descriptor left.
import { Fd } from "../../src/kernel/fd.ts";
import { perform } from "../../src/kernel/perform.ts";
import { call } from "../../src/linux/call.ts";
import { RLIMIT } from "../../src/linux/constants.ts";
import { eventfd } from "../../src/linux/io.ts";
import { setrlimit } from "../../src/linux/process.ts";

/** No test leaves as many. */
const GAPS = 64;

/** Nobody gets one from now on, but in the place of one that is closed; disposed, all is as before. */
export function allowNoDescriptor(): Disposable {
  const before = new BigUint64Array(2);
  const bytes = new Uint8Array(before.buffer);
  perform("see the limit", call("prlimit64", 0, RLIMIT.NOFILE, null, bytes));
  const [soft = 0n, hard = 0n] = before;
  const set = (limit: bigint) => perform("set the limit", setrlimit(RLIMIT.NOFILE, limit, hard));
  using undo = new DisposableStack();
  // What is open has the lowest numbers then, without a gap.
  const taken = Array.from({ length: GAPS }, () => undo.use(Fd.of("take a number", eventfd())));
  set(BigInt(Math.max(...taken.map(({ number }) => number)) + 1));
  undo.defer(() => void set(soft));
  return undo.move();
}
