// Rules for namespaces, and for settings that need one of their own to be harmless.
import { InvalidSpec, invalidField, quote } from "./invalid-spec.ts";
import { hasNamespace } from "./namespace.ts";
import { isAbsolute } from "./path-components.ts";
import { sysctlPath } from "./sysctl-name.ts";
import type { ContainerSpec } from "./valid-spec.ts";

export function validNamespaces({ linux }: ContainerSpec): void {
  const seen = new Set<string>();
  for (const { type, path } of linux.namespaces ?? []) {
    if (seen.has(type)) throw new InvalidSpec(`namespace ${type} is listed twice`);
    seen.add(type);
    if (path !== undefined && !isAbsolute(path))
      throw new InvalidSpec(`namespace ${type}: path ${quote(path)} is not absolute`);
  }
}

/** Bytes: __NEW_UTS_LEN of linux/utsname.h. */
const LONGEST_HOSTNAME = 64;

export function validHostname({ hostname = "", domainname = "", linux }: ContainerSpec): void {
  for (const [field, name] of Object.entries({ hostname, domainname })) {
    if (name === "") continue;
    if (!hasNamespace(linux, "uts"))
      throw new InvalidSpec(`${field}: Linux namespace does not contain uts`);
    if (new TextEncoder().encode(name).length > LONGEST_HOSTNAME)
      throw new InvalidSpec(`${field} ${quote(name)} is longer than ${LONGEST_HOSTNAME} bytes`);
  }
}

const NANOSECONDS = 1_000_000_000;

export function validTimeOffsets({ linux }: ContainerSpec): void {
  const { timeOffsets, namespaces = [] } = linux;
  if (timeOffsets === undefined) return;
  const time = namespaces.find(({ type }) => type === "time");
  if (time === undefined)
    throw new InvalidSpec("linux.timeOffsets: Linux namespace does not contain time");
  // Somebody is in it, so its clocks are fixed.
  if (time.path !== undefined)
    throw new InvalidSpec("linux.timeOffsets: the time namespace is one to join");
  for (const [clock, { nanosecs = 0 } = {}] of Object.entries(timeOffsets))
    if (nanosecs >= NANOSECONDS)
      throw invalidField(`linux.timeOffsets.${clock}.nanosecs`, String(nanosecs));
}

const IPC_SYSCTLS: ReadonlySet<string> = new Set([
  "kernel/msgmax",
  "kernel/msgmnb",
  "kernel/msgmni",
  "kernel/sem",
  "kernel/shmall",
  "kernel/shmmax",
  "kernel/shmmni",
  "kernel/shm_rmid_forced",
]);

/** Only parameters that end at a namespace of the container, or at the pod's network. */
export function validSysctls(spec: ContainerSpec): void {
  for (const name of Object.keys(spec.linux.sysctl ?? {})) checkSysctl(name, spec);
}

function checkSysctl(name: string, { linux }: ContainerSpec): void {
  const components = sysctlPath(name);
  const path = components.join("/");
  const [area] = components;
  if (IPC_SYSCTLS.has(path) || path.startsWith("fs/mqueue/")) {
    if (hasNamespace(linux, "ipc")) return;
    throw new InvalidSpec(`sysctl ${quote(name)}: Linux namespace does not contain ipc`);
  }
  if (components.length > 1 && area === "net") return;
  if (hasNamespace(linux, "uts")) {
    if (path === "kernel/domainname") return;
    // The spelling is upstream's.
    if (path === "kernel/hostname")
      throw new InvalidSpec("sysctl: Kernel hostname specfied in Spec");
  }
  if (components.length > 1 && area === "user" && hasNamespace(linux, "user")) return;
  throw new InvalidSpec(`sysctl ${quote(name)}: Sysctl config contains invalid settings`);
}
