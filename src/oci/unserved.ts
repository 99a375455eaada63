// What a spec can ask for and this agent does not do yet. It is refused by name: a container that
// starts without what protects it is worse than one that does not start.
import { parseMountOptions } from "./mount-options.ts";
import { hasNamespace } from "./namespace.ts";
import type { Process } from "./process.ts";
import type { ContainerSpec } from "./valid-spec.ts";

/** The first thing asked for and not served, by its name in config.json. */
export function unservedIn(spec: ContainerSpec): string | undefined {
  const { linux, mounts = [] } = spec;
  const asked: readonly (readonly [string, boolean])[] = [
    // Whoever listens there would never hear of a call.
    ["linux.seccomp.listenerPath", linux.seccomp?.listenerPath !== undefined],
    ["a user namespace", hasNamespace(linux, "user")],
    ["linux.mountLabel", linux.mountLabel !== undefined],
    ["linux.personality", linux.personality !== undefined],
    ["linux.memoryPolicy", linux.memoryPolicy !== undefined],
  ];
  const mount = mounts.find(({ options, uidMappings }) => {
    const { idmap, tmpcopyup, copySymlink } = parseMountOptions(options ?? []);
    return idmap !== undefined || tmpcopyup || copySymlink || uidMappings !== undefined;
  });
  return (
    asked.find(([, isAsked]) => isAsked)?.[0] ??
    (mount && `an option of the mount ${mount.destination}`) ??
    unservedInProcess(spec.process)
  );
}

/** AppArmor is not in the guest's kernel, and its profile has never had an effect there. */
export function unservedInProcess(process: Process): string | undefined {
  const asked = [
    ["process.selinuxLabel", process.selinuxLabel],
    ["process.scheduler", process.scheduler],
    ["process.ioPriority", process.ioPriority],
    ["process.execCPUAffinity", process.execCPUAffinity],
  ] as const;
  return asked.find(([, value]) => value !== undefined)?.[0];
}
