// How full a volume is: rpc.md 6.33.
import { answerOf } from "../child/answer.ts";
import { fstatfs } from "../linux/fs.ts";
import { write } from "../linux/io.ts";
import { O } from "../linux/open-flags.ts";
import { checkHostPath, openHostPath } from "./host-path.ts";

/** A file system whose server hangs says nothing. */
const TIMEOUT_MS = 10_000;

export type Usage = { readonly total: bigint; readonly available: bigint; readonly used: bigint };

export type VolumeStats = { readonly bytes: Usage; readonly inodes: Usage };

/**
 * Of the file system that `path` is on. Throws an AgentError for a path that is none, a TapeError for one
 * that is not there, and what `signal` says.
 */
export async function volumeStats(path: string, signal: AbortSignal): Promise<VolumeStats> {
  checkHostPath(path);
  const status = new Uint8Array(120);
  const answer = await answerOf(
    (tape, to) => {
      const volume = openHostPath(tape, path, O.PATH);
      tape.do(`statfs ${path}`, fstatfs(volume, status));
      tape.do("tell", write(to, status));
    },
    { timeoutMs: TIMEOUT_MS, signal },
  );
  return volumeStatsIn(answer);
}

/** struct statfs: type, bsize, blocks, bfree, bavail, files, ffree, fsid, namelen, frsize, as 64-bit words. */
export function volumeStatsIn(status: Uint8Array): VolumeStats {
  const view = new DataView(status.buffer, status.byteOffset, status.byteLength);
  const word = (index: number) => view.getBigUint64(8 * index, true);
  // What blocks are counted in (statvfs(3)); some file systems leave it out.
  const unit = word(9) || word(1);
  return { bytes: usage(word(2) * unit, word(3) * unit), inodes: usage(word(5), word(6)) };
}

/** What is kept for root counts as available, as Kata has it. Some file systems have more free than there is. */
function usage(total: bigint, free: bigint): Usage {
  const available = free < total ? free : total;
  return { total, available, used: total - available };
}
