// Clone a process that plays a tape. Whatever it is for, its streams, its cgroup and its line to the
// agent are given to it alike.
import type { Fd } from "../kernel/fd.ts";
import type { Birth } from "../program/birth.ts";
import { type Child, type Control, type Take, launch, openControl } from "../tape/player.ts";
import type { Tape } from "../tape/tape.ts";

/**
 * How a process gets into a cgroup: by being cloned into a directory (v2), or by writing itself to each
 * of `files` (v1).
 */
export type CgroupEntry =
  | { readonly kind: "clone"; readonly directory: Fd }
  | { readonly kind: "write"; readonly files: readonly string[] };

/** What the agent gives a process whatever its spec. */
export type SpawnBirth = Pick<Birth, "control" | "stdio" | "cgroupFiles" | "ignoredSignals">;

export type Clone = {
  readonly program: (birth: SpawnBirth) => Tape;
  readonly stdio: SpawnBirth["stdio"];
  /** undefined: the agent's own cgroup. */
  readonly entry?: CgroupEntry | undefined;
  /** Signals the agent ignores: execve(2) would hand that on. */
  readonly ignoredSignals: readonly number[];
  /** CLONE_NEW* bits. */
  readonly namespaces?: number | undefined;
  readonly take?: Take | undefined;
};

/** Throws a KernelError, or what `program` does; then nothing is left. */
export function clone(options: Clone): { readonly child: Child; readonly birth: SpawnBirth } {
  const { program, stdio, entry, ignoredSignals, namespaces, take } = options;
  const control = openControl();
  const birth: SpawnBirth = {
    control: control.child.number,
    stdio,
    cgroupFiles: entry?.kind === "write" ? entry.files : [],
    ignoredSignals,
  };
  const tape = writeTape(program, birth, control);
  const cgroup = entry?.kind === "clone" ? entry.directory : undefined;
  return { child: launch({ tape, control, take, namespaces, cgroup }), birth };
}

/** A spec may ask for more than a tape can hold: then nobody will use the line. */
function writeTape(program: Clone["program"], birth: SpawnBirth, control: Control): Tape {
  using onFailure = new DisposableStack();
  onFailure.use(control);
  const tape = program(birth);
  onFailure.move();
  return tape;
}
