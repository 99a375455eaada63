// The filter of a profile, compiled once: the containers of a pod nearly always share one profile.
import { arch } from "../kernel/native.ts";
import type { SeccompFilter } from "../linux/seccomp.ts";
import type { Seccomp } from "../oci/seccomp.ts";
import { compileSeccomp } from "../seccomp/compile.ts";

/** A pod has a profile or two. */
const MOST = 8;

/** By the profile as text, the one used longest ago first. */
const filters = new Map<string, SeccompFilter>();

/** Throws InvalidSpec. */
export function seccompFilter(profile: Seccomp): SeccompFilter {
  const key = JSON.stringify(profile, (_, value) =>
    typeof value === "bigint" ? String(value) : value,
  );
  const filter = filters.get(key) ?? compileSeccomp(profile, arch);
  filters.delete(key);
  filters.set(key, filter);
  const [oldest] = filters.keys();
  if (filters.size > MOST && oldest !== undefined) filters.delete(oldest);
  return filter;
}
