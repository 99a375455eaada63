// Tests of a pod in a guest, each of which leaves the guest as it was: no mount, cgroup, bundle or child
// more, and nobody who waits for a device.
import { afterEach, beforeAll, beforeEach, expect } from "bun:test";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { linesOf } from "./container.ts";
import type { TestVm } from "./vm.ts";
import { isListening } from "./vm-plug.ts";
import { type GuestState, stateOf } from "./vm-state.ts";

/** For a `describe`. The result has what is there by now count as before: a test says why. */
export function leavesGuestUnchanged(vm: () => TestVm): (change: ChangeOf) => Promise<void> {
  let before: GuestState;
  beforeAll(async () => {
    const asked = { sandboxId: "pod", hostname: "guest" };
    await vm().client.call(AgentService.method.createSandbox, asked);
    // The cgroup that all containers share stays.
    await linesOf(vm(), "true");
  });
  beforeEach(async () => {
    before = await stateOf(vm());
  });
  afterEach(async () => {
    expect(await stateOf(vm())).toEqual(before);
    expect(await isListening(vm())).toBe(false);
  });
  return async (change) => {
    before = change(before, await stateOf(vm()));
  };
}

export type ChangeOf = (before: GuestState, now: GuestState) => GuestState;
