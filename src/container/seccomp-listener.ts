// Who answers for system calls that a profile gives away (SCMP_ACT_NOTIFY): he listens at a socket in the
// guest, and gets the descriptor at which the kernel asks, for each process that loads the filter.
import { sendDescriptor } from "../kernel/send-descriptor.ts";
import { type ContainerStatus, processStateJson } from "../oci/state.ts";
import type { ContainerSpec } from "../oci/valid-spec.ts";
import type { Take } from "../tape/player.ts";

export type Listened = {
  readonly id: string;
  readonly spec: ContainerSpec;
  readonly bundle: { readonly path: string };
};

/** `initPid` undefined: it is the first process itself. Throws what `sendDescriptor` does. */
export function takeListener(
  { id, spec, bundle }: Listened,
  status: ContainerStatus,
  initPid?: number,
): Take | undefined {
  const { listenerPath, listenerMetadata } = spec.linux.seccomp ?? {};
  if (listenerPath === undefined) return undefined;
  const { ociVersion, annotations } = spec;
  return (given, { pid }) => {
    const state = { ociVersion, id, status, pid: initPid ?? pid, bundle: bundle.path, annotations };
    const json = processStateJson(state, pid, listenerMetadata);
    return sendDescriptor(listenerPath, new TextEncoder().encode(json), given);
  };
}
