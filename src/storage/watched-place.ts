// Where the copies of watched volumes may be: storage-devices-network.md section 8.
import { InvalidSpec, quote } from "../oci/invalid-spec.ts";

export type WatchedPlace = {
  /** A directory in which the guest mounts a file system of its own. */
  readonly root: string;
  /** Right in there. */
  readonly name: string;
};

/** The second is that of a runtime without root. */
const PLACES =
  /^(\/run\/(?:user\/[1-9]\d*\/run\/)?kata-containers\/shared\/containers\/(?:passthrough\/)?watchable)\/([^/]+)$/;

/** `mountPoint` has been checked: it does not climb. Throws InvalidSpec. */
export function watchedPlace(mountPoint: string): WatchedPlace {
  const [, root, name] = PLACES.exec(mountPoint) ?? [];
  if (root !== undefined && name !== undefined) return { root, name };
  throw new InvalidSpec(`the storage ${quote(mountPoint)}: nothing is watched there`);
}
