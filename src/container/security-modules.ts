// The labels of a spec, as far as the guest's kernel knows what they mean. A label that protects is
// refused where nobody would enforce it; what Kata has never applied is passed over with a warning.
import { readText, tryReadText } from "../kernel/file.ts";
import { InvalidSpec } from "../oci/invalid-spec.ts";
import { parseMountinfo } from "../linux/mountinfo.ts";
import type { Process } from "../oci/process.ts";
import type { ContainerSpec } from "../oci/valid-spec.ts";
import type { Labels } from "../program/security-labels.ts";
import type { Warn } from "./guest.ts";

/** Throws InvalidSpec: the text is upstream's. */
export function labelsOf({ selinuxLabel, apparmorProfile }: Process, warn: Warn): Labels {
  if (selinuxLabel !== undefined && !hasSelinux()) {
    const why = "is provided but SELinux is not enabled on the running kernel";
    throw new InvalidSpec(`process.selinuxLabel: SELinux label for the process ${why}`);
  }
  if (apparmorProfile === undefined || hasApparmor()) {
    return { selinux: selinuxLabel, apparmor: apparmorProfile };
  }
  warn("process.apparmorProfile is not applied: the kernel has no AppArmor", {
    profile: apparmorProfile,
  });
  return { selinux: selinuxLabel };
}

/** linux.mountLabel, if it means anything here. */
export function mountLabelOf({ linux }: ContainerSpec, warn: Warn): string | undefined {
  const { mountLabel } = linux;
  if (mountLabel === undefined || hasSelinux()) return mountLabel;
  warn("linux.mountLabel is not applied: the kernel has no SELinux", { label: mountLabel });
  return undefined;
}

/** Whoever loads a policy has mounted this; without one no label means anything. */
function hasSelinux(): boolean {
  const mounts = parseMountinfo(readText("/proc/self/mountinfo"));
  return mounts.some(({ fstype }) => fstype === "selinuxfs");
}

function hasApparmor(): boolean {
  return tryReadText("/sys/module/apparmor/parameters/enabled")?.startsWith("Y") === true;
}
