// SELinux labels as container runtimes write them.
import { InvalidSpec, quote } from "./invalid-spec.ts";

/** user_u:role_r:type_t:sensitivity, then ranges and categories; sensitivities are s0 to s15. */
const LABEL = /^[^:]+_u:[^:]+_r:[^:]+_t:s(?:[0-9]|1[0-5])(?![0-9])/;

/** `use` is `process` or `mount`. Throws InvalidSpec. */
export function checkSelinuxLabel(use: "process" | "mount", label: string | undefined): void {
  if (label === undefined || label === "" || LABEL.test(label)) return;
  throw new InvalidSpec(`SELinux label for the ${use} is invalid format: ${quote(label)}`);
}
