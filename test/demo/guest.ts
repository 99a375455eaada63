// The agent as PID 1 of a virtual machine: the sealed file, Debian's kernel, and a vsock in between.
import { missingFor } from "../support/vm-machine.ts";
import { measure } from "../support/vm-measure.ts";
import { TestVm } from "../support/vm.ts";
import type { Place } from "./place.ts";

/** Resolves when it has answered. */
export async function startInGuest(): Promise<Place> {
  const missing = missingFor();
  if (missing !== undefined) throw new Error(`the demo in a virtual machine needs ${missing}`);
  const vm = await TestVm.boot();
  return {
    started: ["(boot of the guest)", vm.bootMs],
    client: vm.client,
    rootfs: vm.rootfs(),
    remark: `idle, as PID 1 of the guest: ${await measure(vm)}`,
    exited: vm.machine.exited,
    log: () => vm.console.text,
    [Symbol.asyncDispose]: () => vm[Symbol.asyncDispose](),
  };
}
