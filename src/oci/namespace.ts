// Kinds of namespace by their OCI name.
import { invalidField } from "./invalid-spec.ts";

export const NAMESPACE_TYPES = [
  "mount",
  "pid",
  "network",
  "uts",
  "ipc",
  "user",
  "cgroup",
  "time",
] as const;

export type NamespaceType = (typeof NAMESPACE_TYPES)[number];

/** The kernel's names below /proc/<pid>/ns; the Rust runtime sends some of these. */
const ALIASES: ReadonlyMap<string, NamespaceType> = new Map([
  ["mnt", "mount"],
  ["net", "network"],
]);

/** Throws InvalidSpec: a kind unknown here must not silently become another one. */
export function namespaceType(field: string, text: string): NamespaceType {
  const type = NAMESPACE_TYPES.find((name) => name === text) ?? ALIASES.get(text);
  if (type === undefined) throw invalidField(field, text);
  return type;
}

/** True if the list has that kind, new or to join. */
export function hasNamespace(
  { namespaces = [] }: { readonly namespaces?: readonly Typed[] | undefined },
  type: NamespaceType,
): boolean {
  return namespaces.some((namespace) => namespace.type === type);
}

type Typed = { readonly type: NamespaceType };
