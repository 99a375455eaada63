// Specs to build tests from.
import { specFromJson } from "../../src/oci/from-json.ts";
import type { Process } from "../../src/oci/process.ts";
import type { Linux, Spec } from "../../src/oci/spec.ts";
import type { ContainerSpec } from "../../src/oci/valid-spec.ts";
import { validateSpec } from "../../src/oci/validate.ts";

export const minimalProcess: Process = {
  user: { uid: 0, gid: 0 },
  args: ["true"],
  cwd: "/",
};

const minimalLinux: Linux = {
  namespaces: [{ type: "mount" }, { type: "pid" }, { type: "ipc" }, { type: "uts" }],
};

/** The least that is a container. */
export const minimalSpec: Spec = {
  ociVersion: "1.2.0",
  process: minimalProcess,
  root: { path: "/run/kata-containers/c1/rootfs" },
  linux: minimalLinux,
};

export function withProcess(change: Partial<Process>): Spec {
  return { ...minimalSpec, process: { ...minimalProcess, ...change } };
}

export function withLinux(change: Partial<Linux>): Spec {
  return { ...minimalSpec, linux: { ...minimalLinux, ...change } };
}

/** config.json as text in, a spec that passed the validator out. */
export function validSpecFrom(json: string): ContainerSpec {
  return validateSpec(specFromJson(json));
}
