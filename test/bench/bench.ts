// What every benchmark is given.
import type { BenchAgent } from "./bench-agent.ts";
import type { Row } from "./row.ts";

export type Bench = {
  /** Temporary. */
  readonly directory: string;
  readonly rootfs: string;
  /** Below the root of each hierarchy: where all containers are. */
  readonly cgroup: string;
  /** The built agent. */
  readonly executable: string;
  readonly agent: BenchAgent;
  /** The Go program beside it, and where it serves. */
  readonly peer: string;
  readonly peerSocket: string;
  /** How much of the usual number of runs is made. */
  readonly pace: "quick" | "usual" | "full";
  serial: number;
};

export type Benchmark = (bench: Bench) => Promise<readonly Row[]>;

/** That many runs, or a few for a quick look. */
export function runs({ pace }: Bench, usual: number): number {
  return pace === "quick" ? Math.ceil(usual / 20) : usual;
}
