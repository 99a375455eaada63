// Tests that share one guest.
import { afterAll, beforeAll, describe, setDefaultTimeout } from "bun:test";
import { TestVm } from "./vm.ts";
import { type MachineOptions, missing } from "./vm-machine.ts";

/** All is slow where a processor is played by a program, and slower on a busy machine. */
const PATIENCE_MS = 120_000;

const skipped = missing === undefined ? "" : ` (skipped: needs ${missing})`;

/** Skipped, with what is lacking in the title, where no guest can be started. */
export function describeWithVm(
  title: string,
  options: MachineOptions,
  body: (vm: () => TestVm) => void,
): void {
  describeGuests(title, () => {
    let vm: TestVm | undefined;
    beforeAll(async () => {
      vm = await TestVm.boot(options);
    }, PATIENCE_MS);
    afterAll(async () => {
      await vm?.[Symbol.asyncDispose]();
    });
    body(() => {
      if (vm === undefined) throw new Error("the guest has not been started");
      return vm;
    });
  });
}

/** Tests that start their guests themselves. */
export function describeGuests(title: string, body: () => void): void {
  setDefaultTimeout(PATIENCE_MS);
  describe.skipIf(missing !== undefined)(`${title}${skipped}`, body);
}
