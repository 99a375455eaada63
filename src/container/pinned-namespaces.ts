// The namespaces of a container, held open from its creation on. An exec enters these: a path below
// /proc could by then name another process.
import { Fd } from "../kernel/fd.ts";
import { AT_FDCWD } from "../linux/constants.ts";
import { openat } from "../linux/fs.ts";
import { O } from "../linux/open-flags.ts";
import type { NamespaceType } from "../oci/namespace.ts";
import type { Joined } from "../program/namespaces.ts";

/** Names below /proc/<pid>/ns: namespaces(7). */
export const NAMESPACE_FILE = {
  mount: "mnt",
  pid: "pid",
  network: "net",
  uts: "uts",
  ipc: "ipc",
  user: "user",
  cgroup: "cgroup",
  time: "time",
} as const satisfies Record<NamespaceType, string>;

export class PinnedNamespaces implements Disposable {
  readonly #held: ReadonlyMap<NamespaceType, Fd>;

  private constructor(held: ReadonlyMap<NamespaceType, Fd>) {
    this.#held = held;
  }

  /** Those of a process that is alive. Throws a KernelError; then none is held. */
  static of(pid: number, types: Iterable<NamespaceType>): PinnedNamespaces {
    const held = new Map<NamespaceType, Fd>();
    const pinned = new PinnedNamespaces(held);
    try {
      for (const type of types) held.set(type, openNamespace(pid, type));
    } catch (error) {
      pinned[Symbol.dispose]();
      throw error;
    }
    return pinned;
  }

  get(type: NamespaceType): Fd | undefined {
    return this.#held.get(type);
  }

  /** What a tape enters. */
  get joined(): Joined {
    return Object.fromEntries([...this.#held].map(([type, fd]) => [type, fd.number]));
  }

  [Symbol.dispose](): void {
    for (const fd of this.#held.values()) fd.close();
  }
}

/** The namespace that a process is in. The caller owns the descriptor. Throws a KernelError. */
export function openNamespace(pid: number, type: NamespaceType): Fd {
  const path = `/proc/${pid}/ns/${NAMESPACE_FILE[type]}`;
  return Fd.of(`pin the ${type} namespace`, openat(AT_FDCWD, path, O.RDONLY));
}

/** Where a process is rooted, whatever becomes of it. The caller owns the descriptor. Throws a KernelError. */
export function openRoot(pid: number): Fd {
  const open = openat(AT_FDCWD, `/proc/${pid}/root`, O.PATH);
  return Fd.of("open the container's root", open);
}
