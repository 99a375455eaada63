// The pid namespace of the pod's first container, which others may live in. Held by the sandbox itself, for
// containers that are yet to come.
import type { Container } from "../container/container.ts";
import { openNamespace } from "../container/pinned-namespaces.ts";
import type { Fd } from "../kernel/fd.ts";

export class PodPidNamespace {
  #held: Fd | undefined;
  /** The container whose first process it ends with. */
  #owner: Container | undefined;

  get held(): Fd | undefined {
    return this.#held;
  }

  /** Nothing where there is one already. Throws a KernelError. */
  adopt(container: Container): void {
    if (this.#held !== undefined) return;
    this.#held = openNamespace(container.init.child.pid, "pid");
    this.#owner = container;
  }

  /** A container has ended. If it was its own, nobody can be born in it any more. */
  endWith(container: Container): void {
    if (container === this.#owner) this.close();
  }

  close(): void {
    this.#held?.close();
    this.#held = undefined;
    this.#owner = undefined;
  }
}
