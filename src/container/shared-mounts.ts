// A mount that a container has made, for one that comes after it: container.md section 1.2, step 17.
import { until } from "../async/until.ts";
import { work } from "../child/work.ts";
import { tryReadText } from "../kernel/file.ts";
import { AT_FDCWD, CLONE } from "../linux/constants.ts";
import { openInRoot, openat } from "../linux/fs.ts";
import { attachMount, cloneMount } from "../linux/mount.ts";
import { parseMountinfo } from "../linux/mountinfo.ts";
import { O } from "../linux/open-flags.ts";
import { setns } from "../linux/process.ts";
import { InvalidSpec, quote } from "../oci/invalid-spec.ts";
import { climbs, components, isAbsolute } from "../oci/path-components.ts";
import { openTarget } from "../program/mount-target.ts";
import type { Tape } from "../tape/tape.ts";
import type { Container } from "./container.ts";
import type { Warn } from "./guest.ts";

/** Fields of the protocol's message. Containers go by their names in the pod. */
export type SharedMount = {
  readonly name: string;
  readonly srcCtr: string;
  /** As the container sees it. */
  readonly srcPath: string;
  readonly dstPath: string;
};

const APPEARS_IN_MS = 10_000;
const LONGEST_MS = 60_000;

/** Each may keep the call waiting. */
const MOST = 64;

/** Throws InvalidSpec. */
export function checkSharedMounts(mounts: readonly SharedMount[]): void {
  if (mounts.length > MOST)
    throw new InvalidSpec(`shared mounts: ${mounts.length} of them, at most ${MOST}`);
  mounts.forEach(check);
}

function check({ name, srcPath, dstPath }: SharedMount): void {
  for (const path of [srcPath, dstPath])
    if (!isAbsolute(path) || climbs(path) || path.length > 4095 || path.includes("\0"))
      throw new InvalidSpec(`the shared mount ${quote(name)}: ${quote(path)} is no absolute path`);
}

/**
 * Give `to` what others of its pod have mounted. As in Kata's own agent, what is not there in time is no
 * error: whoever was to mount it may have given up. Throws a TapeError, and what `signal` says.
 */
export async function shareMounts(
  mounts: readonly SharedMount[],
  others: readonly Container[],
  to: Container,
  { signal, warn }: { readonly signal: AbortSignal; readonly warn: Warn },
): Promise<void> {
  for (const mount of mounts) {
    const from = others.find(({ name }) => name === mount.srcCtr);
    if (from !== undefined && (await shareMount(from, to, mount, signal))) continue;
    const { name, srcCtr, srcPath } = mount;
    warn("a shared mount is not there", { mount: name, srcCtr, srcPath });
  }
}

/** With all that is below it. false: it has not been mounted within 10 s. */
async function shareMount(
  from: Container,
  to: Container,
  mount: SharedMount,
  signal: AbortSignal,
): Promise<boolean> {
  const [source, target] = [from, to].map(({ pinned }) => pinned.get("mount"));
  if (source === undefined || target === undefined) return false;
  const isThere = await until(() => {
    signal.throwIfAborted();
    return isMounted(from.init.child.pid, mount.srcPath);
  }, APPEARS_IN_MS);
  if (!isThere) return false;
  const [at, into] = [source.number, target.number];
  const write = (tape: Tape) => share(tape, at, into, mount);
  await work(write, { keep: [at, into], signal, timeoutMs: LONGEST_MS });
  return true;
}

function isMounted(pid: number, path: string): boolean {
  const wanted = `/${components(path).join("/")}`;
  const mounts = parseMountinfo(tryReadText(`/proc/${pid}/mountinfo`) ?? "");
  return mounts.some(({ mountPoint }) => mountPoint === wanted);
}

function share(tape: Tape, from: number, to: number, { srcPath, dstPath }: SharedMount): void {
  const enter = (namespace: number) => {
    tape.do("enter the mount namespace", setns(namespace, CLONE.NEWNS));
    return tape.fd("open the container's root", openat(AT_FDCWD, "/", O.PATH | O.DIRECTORY));
  };
  const place = tape.fd(`open ${srcPath}`, openInRoot(enter(from), srcPath, O.PATH));
  const tree = tape.fd(`clone ${srcPath}`, cloneMount(place, "", true));
  const target = openTarget(tape, enter(to), dstPath, { like: tree });
  tape.do(`share ${srcPath} at ${dstPath}`, attachMount(tree, target));
}
