// Kubernetes' fsGroup: all files of a volume are given to a group, which may read and, unless the volume
// is read-only, write them (storage-devices-network.md section 2.7).
import { unlessAborted } from "../async/unless-aborted.ts";
import { internal } from "../error.ts";
import { changeTree, statusOfPath } from "../kernel/tree-owner.ts";
import { S } from "../linux/constants.ts";
import type { AttachContext } from "./driver.ts";
import type { FsGroup, Storage } from "./storage.ts";

const READ_WRITE = 0o660;
const READ_ONLY = 0o440;
const ENTER = 0o110;
const SET_GID = 0o2000;

const ON_ROOT_MISMATCH = 1;

/**
 * Bits are added and none is taken away. The root of the volume comes last: who is interrupted is not taken
 * for done the next time. Throws an AgentError, and what `signal` says.
 */
export async function giveToGroup(
  storage: Storage,
  { signal, services }: Pick<AttachContext, "signal" | "services">,
): Promise<void> {
  const { fsGroup, mountPoint } = storage;
  if (fsGroup === undefined) return;
  const { groupId: gid } = fsGroup;
  try {
    // By threads that end when the file system answers, should that ever be.
    await unlessAborted(give(storage, fsGroup, signal), signal);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Error && "code" in error && error.code === "EROFS") {
      // As kubelet does: it leaves volumes that are read-only alone.
      services.warn("a read-only storage keeps its groups", { target: mountPoint });
      return;
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw internal(`give the storage ${mountPoint} to group ${gid}: ${reason}`);
  }
}

async function give(
  { options, mountPoint }: Storage,
  { groupId: gid, groupChangePolicy }: FsGroup,
  signal: AbortSignal,
): Promise<void> {
  const bits = options.includes("ro") ? READ_ONLY : READ_WRITE;
  const directoryBits = bits | ENTER | SET_GID;
  if (groupChangePolicy === ON_ROOT_MISMATCH) {
    const root = await statusOfPath(mountPoint);
    if (root.gid === gid && (root.mode & directoryBits) === directoryBits) return;
  }
  const change = (mode: number) => ({
    gid,
    mode: mode | ((mode & S.IFMT) === S.IFDIR ? directoryBits : bits),
  });
  await changeTree(mountPoint, change, signal);
}
