// A shell for the debug console: process.md section 2.7.
import type { Fd } from "../kernel/fd.ts";
import type { Call } from "../linux/call.ts";
import { AT_FDCWD, PR, SIG } from "../linux/constants.ts";
import { openat } from "../linux/fs.ts";
import { dup3 } from "../linux/io.ts";
import { O } from "../linux/open-flags.ts";
import { execve, prctl, setsid } from "../linux/process.ts";
import { resetSignal, unblockAllSignals } from "../linux/signal.ts";
import { openPtyPeer, setControllingTerminal } from "../linux/tty.ts";
import { closeOnExec } from "../program/descriptors.ts";
import { type Child, launch, openControl } from "../tape/player.ts";
import { Tape, skip } from "../tape/tape.ts";

/** In the order in which they are looked for. The first is in an image for those who debug. */
export const SHELLS: readonly string[] = [
  "/run/kata-extensions/devkit/bin/devkit-sh",
  "/bin/bash",
  "/bin/sh",
];

export type ShellOptions = {
  readonly shells: readonly string[];
  /** `NAME=value` */
  readonly environment: readonly string[];
  /** Signals that the agent ignores, which the shell would, too. */
  readonly ignoredSignals: readonly number[];
};

/** Resolves when it runs. Throws a TapeError when there is none. It ends with the agent at the latest. */
export async function launchShell(terminal: Fd | string, options: ShellOptions): Promise<Child> {
  const child = launch({ tape: shellProgram(terminal, options), control: openControl() });
  try {
    await child.played();
    return child;
  } catch (error) {
    child[Symbol.dispose]();
    throw error;
  }
}

/** `terminal`: the master of a pty, or the path of a terminal. */
export function shellProgram(terminal: Fd | string, options: ShellOptions): Tape {
  const { shells, environment, ignoredSignals } = options;
  const tape = new Tape();
  tape.do("end with the agent", prctl(PR.SET_PDEATHSIG, SIG.KILL));
  tape.do("start a session", setsid());
  const tty = tape.fd("open the terminal", openTerminal(terminal));
  for (const number of [0, 1, 2]) tape.do(`place the terminal on ${number}`, dup3(tty, number));
  // Without it there is no job control, and a shell says so itself.
  const control = setControllingTerminal(0, true);
  tape.do("take the terminal", control, { EPERM: skip, EIO: skip, ENOTTY: skip });
  for (const signal of ignoredSignals) {
    tape.do(`default action for signal ${signal}`, resetSignal(signal));
  }
  tape.do("unblock all signals", unblockAllSignals());
  closeOnExec(tape);
  // On a terminal that is not made for it, Kata's own agent says so, too.
  const more = typeof terminal === "string" ? ["-i"] : [];
  const ways = shells.map((path) => {
    return [`execute ${path}`, execve(path, [path, ...more], environment)] as const;
  });
  tape.firstOf(ways, ["ENOENT", "ENOTDIR", "EACCES", "ENOEXEC"]);
  return tape;
}

function openTerminal(terminal: Fd | string): Call {
  if (typeof terminal === "string") return openat(AT_FDCWD, terminal, O.RDWR | O.NOCTTY);
  return openPtyPeer(terminal.number);
}
