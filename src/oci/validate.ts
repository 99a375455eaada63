// The rules that a container's spec must keep, before anything is done for it. Those of upstream
// (container.md section 4) come first and in its order, with its texts; the rest are runc's and
// what the kernel would misread. Rules that need the file system are where the file system is.
import { InvalidSpec, quote } from "./invalid-spec.ts";
import { climbs, components } from "./path-components.ts";
import { checkSelinuxLabel } from "./selinux-label.ts";
import type { Spec } from "./spec.ts";
import type { ContainerSpec } from "./valid-spec.ts";
import { validHooks } from "./validate-hooks.ts";
import { validCounts } from "./validate-counts.ts";
import { validDevices, validMaskedAndReadonlyPaths, validMounts } from "./validate-mounts.ts";
import {
  validHostname,
  validNamespaces,
  validSysctls,
  validTimeOffsets,
} from "./validate-namespaces.ts";
import { validateProcess } from "./validate-process.ts";
import { validateResources } from "./validate-resources.ts";
import { validMemoryPolicy } from "./validate-scheduling.ts";
import { validSeccomp } from "./validate-seccomp.ts";
import { refuseNul } from "./validate-text.ts";
import { validIdMappings } from "./validate-user-namespace.ts";

type Check = (spec: ContainerSpec) => void;

const CHECKS: readonly Check[] = [
  validCounts,
  noNul,
  usableRoot,
  validHostname,
  wellFormedMountLabel,
  validMaskedAndReadonlyPaths,
  validIdMappings,
  validSysctls,
  validNamespaces,
  validTimeOffsets,
  validMounts,
  validDevices,
  containedCgroup,
  validResources,
  validSeccomp,
  validMemoryPolicy,
  validHooks,
  nothingTheGuestLacks,
];

/** The same spec, known to be complete. The first broken rule throws InvalidSpec. */
export function validateSpec(spec: Spec): ContainerSpec {
  const { linux, root, process } = spec;
  if (linux === undefined) throw new InvalidSpec("oci Linux is none");
  if (root === undefined) throw new InvalidSpec("oci root is none");
  if (process === undefined) throw new InvalidSpec("oci process is none");
  const complete = { ...spec, linux, root, process: validateProcess(process) };
  for (const check of CHECKS) check(complete);
  return complete;
}

/** Annotations never reach the kernel, and what a user writes there is no one's business. */
function noNul(spec: ContainerSpec): void {
  refuseNul({ ...spec, annotations: undefined }, "spec");
}

/** The guest's own root would become the container's. */
function usableRoot({ root: { path } }: ContainerSpec): void {
  if (components(path).length === 0)
    throw new InvalidSpec(`rootfs: root path ${quote(path)} is empty or the guest's root`);
}

function wellFormedMountLabel({ linux }: ContainerSpec): void {
  checkSelinuxLabel("mount", linux.mountLabel);
}

/** Both forms, `slice:prefix:name` and a path, end up as directories below the cgroup root. */
function containedCgroup({ linux: { cgroupsPath = "" } }: ContainerSpec): void {
  if (climbs(cgroupsPath.replaceAll(":", "/")))
    throw new InvalidSpec(`linux.cgroupsPath ${quote(cgroupsPath)} contains '..'`);
}

function validResources({ linux: { resources } }: ContainerSpec): void {
  if (resources !== undefined) validateResources(resources);
}

/** Asked for by name, so silently doing without would be a lie. */
function nothingTheGuestLacks({ linux }: ContainerSpec): void {
  if (linux.intelRdt?.closID !== undefined)
    throw new InvalidSpec("linux.intelRdt.closID: the guest has no resctrl");
  if (Object.keys(linux.netDevices ?? {}).length > 0)
    throw new InvalidSpec("linux.netDevices: containers share the guest's network namespace");
}
