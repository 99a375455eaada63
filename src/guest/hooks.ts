// Hooks that the guest's image brings along for every container: programs in directories named for
// the kinds of hooks.
import { listExecutables } from "../kernel/executables.ts";
import { HOOK_KINDS, type HookKind } from "../oci/hooks.ts";
import type { Hook, Hooks } from "../oci/spec.ts";
import { MOST_HOOKS } from "../oci/validate-hooks.ts";

/** A hook of this kind is a program of the container's, and no container knows the guest's. */
const NOT_THE_GUESTS: HookKind = "startContainer";

/**
 * `<directory>/<kind>/*`, by name: plain files that somebody may execute. A directory that is not there
 * holds none; of one that cannot be read, or holds too many, `report` is told, and none is taken.
 */
export async function guestHooksIn(
  directory: string,
  report: (path: string, error: string) => void,
): Promise<Hooks> {
  const lists = await Promise.all(
    HOOK_KINDS.map(async (kind) => [kind, await hooksOf(kind, `${directory}/${kind}`, report)]),
  );
  return Object.fromEntries(lists);
}

async function hooksOf(
  kind: HookKind,
  path: string,
  report: (path: string, error: string) => void,
): Promise<readonly Hook[]> {
  try {
    const names = await listExecutables(path, MOST_HOOKS);
    if (kind === NOT_THE_GUESTS && names.length > 0)
      throw new Error("it names programs of the container, which has none of the guest's");
    // What Kata's own agent gives them.
    return names.map((name) => ({ path: `${path}/${name}`, args: [name, kind] }));
  } catch (error) {
    report(path, error instanceof Error ? error.message : String(error));
    return [];
  }
}
