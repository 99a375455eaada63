// The hooks of a container, in the order in which its life comes to them.
import type { Hook, Hooks } from "./spec.ts";

/** In the order of a container's life. */
export const HOOK_KINDS = [
  "prestart",
  "createRuntime",
  "createContainer",
  "startContainer",
  "poststart",
  "poststop",
] as const satisfies readonly (keyof Hooks)[];

export type HookKind = (typeof HOOK_KINDS)[number];

/** Those that run while the container is made: its mounts are there, its root is not yet entered. */
export const CREATE_HOOK_KINDS = ["prestart", "createRuntime", "createContainer"] as const;

/** Per kind first the one's, then the other's. A kind without hooks is absent. */
export function mergeHooks(first: Hooks, second: Hooks): Hooks {
  const merged = HOOK_KINDS.map(
    (kind) => [kind, [...of(first, kind), ...of(second, kind)]] as const,
  );
  return Object.fromEntries(merged.filter(([, list]) => list.length > 0));
}

export function allHooks(hooks: Hooks): readonly Hook[] {
  return HOOK_KINDS.flatMap((kind) => of(hooks, kind));
}

export function hasCreateHooks(hooks: Hooks): boolean {
  return CREATE_HOOK_KINDS.some((kind) => of(hooks, kind).length > 0);
}

function of(hooks: Hooks, kind: HookKind): readonly Hook[] {
  return hooks[kind] ?? [];
}

/** What execve(2) is given. The wire cannot tell an empty list from none. */
export function hookArgs({ path, args = [] }: Hook): readonly [string, ...string[]] {
  const [first = path, ...rest] = args;
  return [first, ...rest];
}
