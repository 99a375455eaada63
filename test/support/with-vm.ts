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
      console.log(`${title}: ${await measure(vm)}`);
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

/** For who reads the log: both are far from what they are where the guest's code runs by itself. */
async function measure(vm: TestVm): Promise<string> {
  const status = await vm.sh("cat /proc/1/status");
  const megabytes = (name: string) => {
    const [, kilobytes] = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status) ?? [];
    return (Number(kilobytes) / 1024).toFixed(1);
  };
  const memory = `${megabytes("VmRSS")} MB resident, ${megabytes("RssAnon")} MB of it anonymous`;
  return `first answer ${(vm.bootMs / 1000).toFixed(1)} s after power-on, ${memory}`;
}

/** Tests that start their guests themselves. */
export function describeGuests(title: string, body: () => void): void {
  setDefaultTimeout(PATIENCE_MS);
  describe.skipIf(missing !== undefined)(`${title}${skipped}`, body);
}
