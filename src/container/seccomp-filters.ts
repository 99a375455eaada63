// The filter of a profile, compiled once: the containers of a pod nearly always share one profile.
import { arch } from "../kernel/native.ts";
import type { SeccompFilter } from "../linux/seccomp.ts";
import type { Seccomp } from "../oci/seccomp.ts";
import { compileSeccomp } from "../seccomp/compile.ts";
import { unknownNames } from "../seccomp/unknown-names.ts";
import type { Warn } from "./guest.ts";

/** A pod has a profile or two. */
const MOST = 8;
/** In the log. */
const MOST_NAMES = 20;

/** By the profile as text, the one used longest ago first. */
const filters = new Map<string, SeccompFilter>();

/** Throws InvalidSpec. */
export function seccompFilter(profile: Seccomp): SeccompFilter {
  const key = keyOf(profile);
  const filter = filters.get(key) ?? compileSeccomp(profile, arch);
  filters.delete(key);
  filters.set(key, filter);
  const [oldest] = filters.keys();
  if (filters.size > MOST && oldest !== undefined) filters.delete(oldest);
  return filter;
}

const told = new WeakSet<SeccompFilter>();

/**
 * `warn` hears, once, of what is passed over as no kernel has it. Not needed for the filter, and the first
 * time it takes as long as a whole container may.
 */
export function warnOfUnknown(profile: Seccomp, filter: SeccompFilter, warn: Warn): void {
  if (told.has(filter)) return;
  told.add(filter);
  const unknown = unknownNames(profile);
  if (unknown.length > 0)
    warn("linux.seccomp names calls that no kernel has", {
      names: unknown.slice(0, MOST_NAMES).join(" "),
      count: String(unknown.length),
    });
}

/** Not with a replacer, which would be called for each of some hundred names. */
function keyOf({ syscalls = [], ...rest }: Seccomp): string {
  const rules = syscalls.map(({ args = [], ...rule }) => ({
    ...rule,
    args: args.map((arg) => ({
      ...arg,
      value: String(arg.value),
      valueTwo: String(arg.valueTwo),
    })),
  }));
  return JSON.stringify({ ...rest, rules });
}
