// What a spec can ask for and this agent does not do yet. It is refused by name: a container that
// starts without what protects it is worse than one that does not start.
import { parseMountOptions } from "./mount-options.ts";
import { hasNamespace } from "./namespace.ts";
import type { ContainerSpec } from "./valid-spec.ts";

/** The first thing asked for and not served, by its name in config.json. */
export function unservedIn(spec: ContainerSpec): string | undefined {
  const { linux, mounts = [] } = spec;
  const asked: readonly (readonly [string, boolean])[] = [
    ["a user namespace", hasNamespace(linux, "user")],
  ];
  const mount = mounts.find(({ options, uidMappings }) => {
    const { idmap, tmpcopyup, copySymlink } = parseMountOptions(options ?? []);
    return idmap !== undefined || tmpcopyup || copySymlink || uidMappings !== undefined;
  });
  return (
    asked.find(([, isAsked]) => isAsked)?.[0] ??
    (mount && `an option of the mount ${mount.destination}`)
  );
}
