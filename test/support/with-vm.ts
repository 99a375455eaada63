// Tests that share one guest.
import { afterAll, beforeAll, describe, setDefaultTimeout } from "bun:test";
import type { Arch } from "../../src/linux/arch.ts";
import { TestVm } from "./vm.ts";
import { type MachineOptions, missingFor } from "./vm-machine.ts";
import { measure } from "./vm-measure.ts";

/** All is slow where a processor is played by a program, and slower on a busy machine. */
const PATIENCE_MS = 300_000;

/**
 * Skipped, with what is lacking in the title, where no guest can be started. `options` may be made when the
 * guest is.
 */
export function describeWithVm(
  title: string,
  options: MachineOptions | (() => Promise<MachineOptions>),
  body: (vm: () => TestVm) => void,
): void {
  describeGuests(
    title,
    () => {
      let vm: TestVm | undefined;
      beforeAll(async () => {
        vm = await TestVm.boot(typeof options === "function" ? await options() : options);
        console.log(`${title}: ${await measure(vm)}`);
      }, PATIENCE_MS);
      afterAll(async () => {
        await vm?.[Symbol.asyncDispose]();
      });
      body(() => {
        if (vm === undefined) throw new Error("the guest has not been started");
        return vm;
      });
    },
    typeof options === "function" ? undefined : options.arch,
  );
}

/** Tests that start their guests themselves. */
export function describeGuests(title: string, body: () => void, arch?: Arch): void {
  setDefaultTimeout(PATIENCE_MS);
  const missing = missingFor(arch);
  const skipped = missing === undefined ? "" : ` (skipped: needs ${missing})`;
  describe.skipIf(missing !== undefined)(`${title}${skipped}`, body);
}
