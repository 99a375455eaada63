// Where the demo's agent runs: as a process of this machine (host.ts), or as PID 1 of a virtual one
// (guest.ts).
import type { AgentClient } from "../support/agent-client.ts";

export type Place = AsyncDisposable & {
  /** What was started until the agent served, and how long that took. */
  readonly started: readonly [what: string, milliseconds: number];
  readonly client: AgentClient;
  /** The root file system for a container, as the agent sees it. */
  readonly rootfs: string;
  /** What there is to say of it before anything is asked of the agent. */
  readonly remark: string;
  /** 0 if it has ended by itself and as it should. */
  readonly exited: Promise<number>;
  /** All that it has said. */
  readonly log: () => string;
};
