// Says what the tests in guests lack here, and fails then: `bun test/support/has-vm.ts`.
import { missing } from "./vm-machine.ts";

if (missing !== undefined) {
  console.log(missing);
  process.exitCode = 1;
}
