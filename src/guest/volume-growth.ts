// A volume whose disk the host has made larger: ResizeVolume (rpc.md 6.33), which Kata's own agent does
// not serve. The kernel does all of it; no program of the guest is needed.
import { until } from "../async/until.ts";
import { answerOf } from "../child/answer.ts";
import { work } from "../child/work.ts";
import { internal, unimplemented } from "../error.ts";
import { readText, tryReadText } from "../kernel/file.ts";
import type { Call, FdArg } from "../linux/call.ts";
import { fstatfs } from "../linux/fs.ts";
import { growBtrfs, growExt4, growXfs, xfsGeometry } from "../linux/grow.ts";
import { write } from "../linux/io.ts";
import { type MountinfoEntry, parseMountinfo } from "../linux/mountinfo.ts";
import { O } from "../linux/open-flags.ts";
import { checkHostPath, openHostPath } from "./host-path.ts";

const ASK_TIMEOUT_MS = 10_000;
/** A terabyte of ext4 is some thousand groups of blocks to write. */
const GROW_TIMEOUT_MS = 60_000;

/** As long as a device may take to appear. */
const GROWN_IN_MS = 3000;

const SECTOR = 512n;

type Growth = {
  /** What has to be known before, into a buffer of so many bytes. */
  readonly size: number;
  readonly ask: (directory: FdArg, answer: Uint8Array) => Call;
  readonly grow: (directory: FdArg, bytes: bigint, answer: Uint8Array) => Call;
};

const GROWTHS: Readonly<Record<string, Growth>> = {
  ext4: {
    size: 120,
    ask: fstatfs,
    grow: (directory, bytes, answer) => growExt4(directory, bytes / blockSizeIn(answer)),
  },
  xfs: { size: 112, ask: xfsGeometry, grow: growXfs },
  btrfs: { size: 120, ask: fstatfs, grow: (directory) => growBtrfs(directory) },
};

/**
 * Have the file system that is mounted at `path` take all of its disk, which is to have `bytes` at least.
 * Throws an AgentError for what is no such place, disk or file system, a TapeError if the kernel refuses,
 * and what `signal` says.
 */
export async function growVolume(path: string, bytes: bigint, signal: AbortSignal): Promise<void> {
  checkHostPath(path);
  const mount = mountAt(path);
  const growth = GROWTHS[mount.fstype];
  if (growth === undefined)
    throw unimplemented(`resize_volume is not implemented for ${mount.fstype}`);
  const there = await grownSize(mount, bytes, signal);
  const answer = new Uint8Array(growth.size);
  const known = await answerOf(
    (tape, to) => {
      const directory = openHostPath(tape, path, O.RDONLY | O.DIRECTORY);
      tape.do(`see what ${path} is like`, growth.ask(directory, answer));
      tape.do("tell", write(to, answer));
    },
    { timeoutMs: ASK_TIMEOUT_MS, signal },
  );
  await work(
    (tape) => {
      const directory = openHostPath(tape, path, O.RDONLY | O.DIRECTORY);
      tape.do(`grow ${mount.fstype} at ${path}`, growth.grow(directory, there, known));
    },
    { timeoutMs: GROW_TIMEOUT_MS, signal },
  );
}

function mountAt(path: string): MountinfoEntry {
  const mounts = parseMountinfo(readText("/proc/self/mountinfo"));
  const mount = mounts.findLast(({ mountPoint }) => mountPoint === path);
  if (mount === undefined) throw internal(`nothing is mounted at ${path}`);
  return mount;
}

/** The host asks as soon as it has made the disk larger, and the guest's kernel hears of that by itself. */
async function grownSize(mount: MountinfoEntry, bytes: bigint, signal: AbortSignal) {
  let there = 0n;
  const hasGrown = () => {
    signal.throwIfAborted();
    there = diskSize(mount);
    return there >= bytes;
  };
  if (await until(hasGrown, GROWN_IN_MS)) return there;
  throw internal(`the disk of ${mount.mountPoint} has ${there} bytes, want ${bytes}`);
}

/** btrfs has a device number of its own, so the disk is found by its name. */
function diskSize({ source, mountPoint }: MountinfoEntry): bigint {
  const [, name] = /^\/dev\/([\w!.-]+)$/.exec(source) ?? [];
  const sectors = name === undefined ? undefined : tryReadText(`/sys/class/block/${name}/size`);
  if (sectors === undefined) throw internal(`${mountPoint} is on ${source}, which is no disk`);
  return BigInt(sectors.trim()) * SECTOR;
}

/** The second word of struct statfs. */
function blockSizeIn(status: Uint8Array): bigint {
  const view = new DataView(status.buffer, status.byteOffset, status.byteLength);
  return view.getBigUint64(8, true) || 1n;
}
