// What a process finds in its environment.
import { normaliseEnvironment } from "../oci/environment.ts";
import type { Process } from "../oci/process.ts";
import type { Homes, Root } from "./homes.ts";

/**
 * The entries of the spec, and HOME where they give none. Throws what `Homes.of` does; nobody need be
 * waiting for it yet.
 */
export function environmentOf(
  process: Process,
  homes: Homes,
  root: Root,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const environment = complete(process, (uid) => homes.of(uid, root, signal));
  environment.catch(() => {});
  return environment;
}

async function complete(
  process: Process,
  home: (uid: number) => Promise<string>,
): Promise<readonly string[]> {
  const environment = normaliseEnvironment(process.env ?? []);
  if (environment.some((entry) => /^HOME=./s.test(entry))) return environment;
  const others = environment.filter((entry) => !entry.startsWith("HOME="));
  return [...others, `HOME=${await home(process.user.uid)}`];
}
