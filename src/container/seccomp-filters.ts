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

/** `warn` hears, once, of what is passed over as no kernel has it. Throws InvalidSpec. */
export function seccompFilter(profile: Seccomp, warn: Warn): SeccompFilter {
  const key = keyOf(profile);
  const filter = filters.get(key) ?? compile(profile, warn);
  filters.delete(key);
  filters.set(key, filter);
  const [oldest] = filters.keys();
  if (filters.size > MOST && oldest !== undefined) filters.delete(oldest);
  return filter;
}

function compile(profile: Seccomp, warn: Warn): SeccompFilter {
  const filter = compileSeccomp(profile, arch);
  const unknown = unknownNames(profile);
  if (unknown.length > 0)
    warn("linux.seccomp names calls that no kernel has", {
      names: unknown.slice(0, MOST_NAMES).join(" "),
      count: String(unknown.length),
    });
  return filter;
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
