// The user namespaces whose maps the mounts of a container have: its own, or one made for the mount.
import type { Fd } from "../kernel/fd.ts";
import { isIdMapped } from "../oci/mount-options.ts";
import type { Mount } from "../oci/spec.ts";
import type { ContainerSpec } from "../oci/valid-spec.ts";
import { UserNamespace } from "./user-namespace.ts";

/** Held while `use` runs; the kernel keeps what a mount uses. `own`: the container's. */
export async function withIdMaps<Result>(
  { mounts = [] }: ContainerSpec,
  own: Fd | undefined,
  use: (idMapped: ReadonlyMap<Mount, Fd>) => Promise<Result>,
): Promise<Result> {
  using made = new DisposableStack();
  const idMapped = new Map<Mount, Fd>();
  for (const mount of mounts) {
    const { uidMappings: uid = [], gidMappings: gid = [] } = mount;
    if (uid.length + gid.length > 0) {
      const { user } = made.use(await UserNamespace.create({ from: { uid, gid } }));
      idMapped.set(mount, user);
    } else if (own !== undefined && isIdMapped(mount)) {
      idMapped.set(mount, own);
    }
  }
  return await use(idMapped);
}
