// `kata-agent explain config.json`: the program that a spec would become, without running it.
import { arch } from "./kernel/native.ts";
import { specFromJson } from "./oci/from-json.ts";
import { hasNamespace } from "./oci/namespace.ts";
import { unservedIn } from "./oci/unserved.ts";
import { validateSpec } from "./oci/validate.ts";
import { initProgram } from "./program/init.ts";
import { normaliseEnvironment } from "./oci/environment.ts";
import type { Mount } from "./oci/spec.ts";
import type { ContainerSpec } from "./oci/valid-spec.ts";
import type { SeccompFilter } from "./linux/seccomp.ts";
import { compileSeccomp } from "./seccomp/compile.ts";
import type { Joined } from "./program/namespaces.ts";
import { isIdMapped } from "./oci/mount-options.ts";
import { listing } from "./tape/listing.ts";
import { NAMESPACE_TYPES } from "./oci/namespace.ts";

/** Where a container would be whose id is `c1`; descriptors as in an agent that holds no others. */
const ID = "c1";
const BUNDLE = `/run/kata-containers/${ID}`;

/** The tape as text. Throws InvalidSpec. Limits, storages and devices are the agent's work, not a tape's. */
export function explain(json: string): string {
  return explainSpec(validateSpec(specFromJson(json)));
}

export function explainSpec(spec: ContainerSpec): string {
  const tape = initProgram(spec, {
    containerId: ID,
    control: 3,
    stdio: spec.process.terminal === true ? null : { stdin: 4, stdout: 5, stderr: 6 },
    cgroupFiles: [],
    ignoredSignals: [],
    environment: normaliseEnvironment(spec.process.env ?? []),
    bundle: BUNDLE,
    rootfs: { source: spec.root.path, target: `${BUNDLE}/rootfs`, bind: true },
    rootSwitch: { kind: "pivot" },
    ...placementOf(spec),
    cgroupView: { version: 2 },
    seccomp: filterOf(spec),
  });
  const unserved = unservedIn(spec);
  const warning =
    unserved === undefined ? "" : `\nnot served, the container would be refused: ${unserved}`;
  return `${listing(tape)}${warning}\n`;
}

function filterOf({ linux: { seccomp } }: ContainerSpec): SeccompFilter | undefined {
  return seccomp && compileSeccomp(seccomp, arch);
}

/** Descriptors that the agent would hold begin here. */
const FIRST_HELD = 7;

/** A user namespace is always one to enter: the agent makes it, for all containers of the pod. */
function placementOf({ linux, mounts = [] }: ContainerSpec) {
  const { namespaces = [], uidMappings: uid = [], gidMappings: gid = [] } = linux;
  const held = namespaces.filter(({ type, path }) => type === "user" || path !== undefined);
  const joined: Joined = Object.fromEntries(
    held.map(({ type }, index) => [type, FIRST_HELD + index] as const),
  );
  // A container has a cgroup namespace on v2, whether the spec asks or not.
  const created = NAMESPACE_TYPES.filter(
    (type) => !(type in joined) && (type === "cgroup" || hasNamespace(linux, type)),
  );
  const mapped = mounts.filter(isIdMapped);
  const idMapped = new Map(
    mapped.map((mount, index) => [mount, FIRST_HELD + held.length + index] as const),
  );
  return {
    joined,
    created,
    ids: "user" in joined ? { uid, gid } : undefined,
    idMapped,
    copied: new Map<Mount, []>(),
  };
}
