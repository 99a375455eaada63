// Calls that may block, such as a mount whose server is the host: played in a child, so that the agent
// goes on answering.
import { ignoredSignals } from "../kernel/ignored-signals.ts";
import { PR, SIG } from "../linux/constants.ts";
import { prctl } from "../linux/process.ts";
import { closeOthers } from "../program/descriptors.ts";
import type { Take } from "../tape/player.ts";
import { Tape } from "../tape/tape.ts";
import { phase } from "../tracing/tracer.ts";
import { clone } from "./clone.ts";
import { endOf } from "./end-of.ts";

export type Work = {
  /** Numbers of the agent's descriptors that the calls use. All others are closed before the first. */
  readonly keep?: readonly number[];
  /** Takes the descriptors that the tape hands over, which are closed after it. */
  readonly take?: Take | undefined;
  /** A child that hangs in the kernel is killed, and left behind if even that does not end it. */
  readonly timeoutMs: number;
  /** Aborted: it is killed. */
  readonly signal: AbortSignal;
};

/**
 * Play what `write` puts on the tape, in the agent's namespaces. Resolves when all is done. Throws a
 * TapeError that names the call that failed, an Error when it takes too long, and what `signal` says.
 */
export function work(write: (tape: Tape) => void, options: Work): Promise<void> {
  return phase("blocking calls", () => play(write, options));
}

async function play(write: (tape: Tape) => void, options: Work): Promise<void> {
  const { keep = [], take, signal } = options;
  signal.throwIfAborted();
  using child = clone({
    program: ({ control }) => {
      const tape = new Tape();
      tape.do("end with the agent", prctl(PR.SET_PDEATHSIG, SIG.KILL));
      // One that hangs must not keep a pipe or a socket of others open.
      closeOthers(tape, [control, ...keep]);
      write(tape);
      return tape;
    },
    stdio: null,
    take,
    ignoredSignals: ignoredSignals(),
  }).child;
  const status = await endOf(child, options);
  if (status !== 0) throw new Error(`it has ended with status ${status}`);
}
