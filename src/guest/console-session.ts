// One connection to the debug console, with a terminal of its own at the guest's end of it: echo, line
// editing and ^D are the kernel's, and Kata's tools count on all three.
import type { Fd } from "../kernel/fd.ts";
import { openPty } from "../kernel/pty.ts";
import { relay } from "../kernel/relay.ts";

/** Who uses the terminal. */
export type Occupant = {
  /** Resolves when it uses the terminal no more. Never rejects. */
  readonly over: Promise<unknown>;
  /** Make it end soon, if it has not yet. Called once. */
  readonly end: () => void;
};

/**
 * Resolves when the occupant has ended and all that it wrote was sent, or when the other side has gone;
 * then `socket` is closed and the occupant is told. Throws when it has no terminal, or what `occupy`
 * throws; then `socket` is as it was.
 */
export async function serveTerminal(
  socket: Fd,
  occupy: (master: Fd) => Promise<Occupant>,
): Promise<void> {
  using master = openPty();
  const occupant = await occupy(master);
  const left = new AbortController();
  const over = occupant.over.then(() => left.abort());
  const relays = [relay(socket, master), relay(master, socket, left.signal)];
  await Promise.race(relays);
  occupant.end();
  master.close();
  await over;
  // Last: who sees the connection end may count on the rest.
  socket.close();
  await Promise.all(relays);
}
