// A shell for whoever debugs the guest, on a socket or on the console: process.md section 2.7. It is off
// unless the configuration asks for it, for it lets in whoever can connect.
import { NEVER } from "../async/never.ts";
import { Fd } from "../kernel/fd.ts";
import { accept } from "../kernel/listener.ts";
import { perform } from "../kernel/perform.ts";
import { AT_FDCWD, SIG } from "../linux/constants.ts";
import { KernelError } from "../linux/error.ts";
import { openat } from "../linux/fs.ts";
import { setStatusFlags } from "../linux/io.ts";
import { O } from "../linux/open-flags.ts";
import { openPtyPeer } from "../linux/tty.ts";
import { serveBuiltIn } from "./built-in-console.ts";
import type { ConsoleSources } from "./console-commands.ts";
import { type Occupant, serveTerminal } from "./console-session.ts";
import { type ShellOptions, launchShell } from "./console-shell.ts";

export type ConsoleOptions = ShellOptions & {
  readonly sources: ConsoleSources;
  /** Hears of what went wrong, with one connection or with all. */
  readonly report: (message: string, error: unknown) => void;
};

/** Connections at once; more are closed as they come. */
export const MAX_SESSIONS = 16;

/** Serve everybody who connects, each with a shell of his own. Throws when nobody can connect any more. */
export async function serveConsole(listener: Fd, options: ConsoleOptions): Promise<never> {
  let sessions = 0;
  const serve = async (socket: Fd) => {
    using _ = socket;
    sessions++;
    try {
      if (sessions > MAX_SESSIONS) options.report("connection closed", `${MAX_SESSIONS} are open`);
      else await serveConnection(socket, options);
    } catch (error) {
      options.report("connection closed", error);
    } finally {
      sessions--;
    }
  };
  for (;;) void serve(await accept(listener));
}

/** A shell, or else what is built in; on a terminal, or else without one. */
async function serveConnection(socket: Fd, options: ConsoleOptions): Promise<void> {
  const { sources, report } = options;
  try {
    await serveTerminal(socket, (master) => shellOn(master, options));
    return;
  } catch (error) {
    report("no shell", error);
  }
  try {
    await serveTerminal(socket, async (master) => builtInOn(master, sources));
    return;
  } catch (error) {
    report("no terminal", error);
  }
  await serveBuiltIn(socket, sources, NEVER);
}

async function shellOn(master: Fd, options: ShellOptions): Promise<Occupant> {
  const child = await launchShell(master, options);
  const end = () => {
    child.signal(SIG.KILL);
    child[Symbol.dispose]();
  };
  return { over: child.exit, end };
}

function builtInOn(master: Fd, sources: ConsoleSources): Occupant {
  const peer = Fd.of("open the far end of the terminal", openPtyPeer(master.number));
  perform("make the terminal non-blocking", setStatusFlags(peer.number, O.RDWR | O.NONBLOCK));
  const end = new AbortController();
  return {
    over: serveBuiltIn(peer, sources, end.signal).finally(() => peer.close()),
    end: () => end.abort(),
  };
}

/**
 * The same on a terminal that is there, such as /dev/console. Resolves when the shell has ended: there
 * is none after it. Throws a KernelError.
 */
export async function serveDevice(path: string, options: ConsoleOptions): Promise<void> {
  try {
    using child = await launchShell(path, options);
    await child.exit;
    return;
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    options.report("no shell", error);
  }
  const open = openat(AT_FDCWD, path, O.RDWR | O.NONBLOCK | O.NOCTTY);
  using terminal = Fd.of(`open ${path}`, open);
  await serveBuiltIn(terminal, options.sources, NEVER);
}
