// Says what the tests in guests lack here, and fails then: `bun test/support/has-vm.ts`.
import { missingFor } from "./vm-machine.ts";

const missing = missingFor();
if (missing !== undefined) {
  console.log(missing);
  process.exitCode = 1;
}
