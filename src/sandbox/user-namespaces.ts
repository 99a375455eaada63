// The user namespaces of the pod's containers. The host tells each container its id maps and no path,
// so containers with the same maps share one: else they could not share the ipc and uts namespaces,
// which belong to a user namespace.
import { type Names, UserNamespace } from "../container/user-namespace.ts";
import { Fd } from "../kernel/fd.ts";
import { inodeOf } from "../kernel/file.ts";
import { AT_FDCWD } from "../linux/constants.ts";
import { openat } from "../linux/fs.ts";
import { O } from "../linux/open-flags.ts";
import { type IdMaps, idMapText, isSameMap } from "../oci/id-mapping.ts";
import { InvalidSpec } from "../oci/invalid-spec.ts";
import type { IdMapping, Linux } from "../oci/spec.ts";

/** As a container sees it. */
export type PodUserNamespace = {
  readonly user: Fd;
  readonly maps: IdMaps;
  readonly names: Names | undefined;
};

type Held = { readonly made: Promise<UserNamespace>; readonly holders: Set<string> };

export class UserNamespaces {
  readonly #held = new Map<string, Held>();

  /**
   * The one that the spec asks for, held for the container `id` until `release`. undefined: it asks
   * for none. `hostname` is the pod's; undefined: it has no ipc and uts namespaces of its own. Throws.
   */
  async acquire(
    id: string,
    { namespaces = [], uidMappings = [], gidMappings = [] }: Linux,
    hostname: string | undefined,
  ): Promise<PodUserNamespace | undefined> {
    const asked = namespaces.find(({ type }) => type === "user");
    if (asked === undefined) return undefined;
    const maps = { uid: uidMappings, gid: gidMappings };
    if (asked.path === undefined) return this.#hold(id, keyOf(maps), { from: maps, hostname });
    // The host may name anything, and to open a FIFO would wait for somebody to write to it.
    const open = openat(AT_FDCWD, asked.path, O.RDONLY | O.NONBLOCK);
    using from = Fd.of(`open the user namespace ${asked.path}`, open);
    const joined = await this.#hold(id, `inode ${inodeOf(from)}`, { from, hostname });
    checkSame("linux.uidMappings", uidMappings, joined.maps.uid);
    checkSame("linux.gidMappings", gidMappings, joined.maps.gid);
    return joined;
  }

  /** Again, or for a container that has none, is nothing. */
  release(id: string): void {
    for (const [key, { made, holders }] of this.#held) {
      if (!holders.delete(id) || holders.size > 0) continue;
      this.#held.delete(key);
      // Where making it failed, there is nothing to close.
      made.then(
        (held) => held[Symbol.dispose](),
        () => {},
      );
    }
  }

  #hold(
    id: string,
    key: string,
    asked: Parameters<typeof UserNamespace.create>[0],
  ): Promise<UserNamespace> {
    const held = this.#held.get(key) ?? { made: UserNamespace.create(asked), holders: new Set() };
    this.#held.set(key, held);
    held.holders.add(id);
    return held.made;
  }
}

function keyOf({ uid, gid }: IdMaps): string {
  return `${idMapText(uid)}/${idMapText(gid)}`;
}

/** Maps may be left out for a namespace that has its own. */
function checkSame(field: string, asked: readonly IdMapping[], own: readonly IdMapping[]): void {
  if (asked.length > 0 && !isSameMap(asked, own))
    throw new InvalidSpec(`${field}: not those of the user namespace to join`);
}
