// The five capability sets of the process: capabilities(7).
import { CAP } from "../linux/capability-names.ts";
import { capset } from "../linux/credentials.ts";
import { ambientCapability, dropFromBoundingSet } from "../linux/process.ts";
import type { CapabilityName } from "../oci/capability.ts";
import type { Capabilities } from "../oci/process.ts";
import { skip, type Tape } from "../tape/tape.ts";

/** As root: dropping needs CAP_SETPCAP. The kernel may know fewer capabilities than we do. */
export function dropBoundingSet(tape: Tape, { bounding = [] }: Capabilities): void {
  for (const [number, name] of CAP.entries()) {
    if (bounding.includes(name)) continue;
    tape.do(`drop ${name} from the bounding set`, dropFromBoundingSet(number), { EINVAL: skip });
  }
}

/** After the change of user. One call for three sets: one by one, each would constrain the next. */
export function setCapabilities(tape: Tape, capabilities: Capabilities): void {
  const { effective = [], permitted = [], inheritable = [], ambient = [] } = capabilities;
  tape.do("clear the ambient set", ambientCapability("CLEAR_ALL"));
  tape.do(
    "set effective, permitted and inheritable sets",
    capset({
      effective: maskOf(effective),
      permitted: maskOf(permitted),
      inheritable: maskOf(inheritable),
    }),
  );
  for (const name of ambient) {
    // What is not both permitted and inheritable cannot be ambient; runtimes let that pass.
    const raise = ambientCapability("RAISE", CAP.indexOf(name));
    tape.do(`raise ${name} in the ambient set`, raise, { EPERM: skip });
  }
}

/**
 * Make one capability effective that root had: the change of user took it. The permitted and the
 * inheritable set become no smaller than `setCapabilities` wants them.
 */
export function raiseCapability(
  tape: Tape,
  name: CapabilityName,
  { permitted = [], inheritable = [] }: Capabilities,
): void {
  const raised = capset({
    effective: maskOf([name]),
    permitted: maskOf([...new Set([name, ...permitted, ...inheritable])]),
    inheritable: maskOf(inheritable),
  });
  tape.do(`have ${name} for a moment`, raised);
}

function maskOf(names: readonly CapabilityName[]): bigint {
  return names.reduce((mask, name) => mask | (1n << BigInt(CAP.indexOf(name))), 0n);
}
