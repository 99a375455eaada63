// Mounts below the host's share. The kernel notices that the host has taken one away when somebody looks.
import { work } from "../child/work.ts";
import { readText } from "../kernel/file.ts";
import { exists } from "../linux/fs.ts";
import { parseMountinfo } from "../linux/mountinfo.ts";

const SHARE = "/run/kata-containers/shared/containers/";
/** For all of them: a server that has died answers none. */
const LONGEST_MS = 10_000;

/** Look at each once, whatever comes of it (rpc.md section 6.16). Throws what `signal` says. */
export async function lookAtShareMounts(signal: AbortSignal): Promise<void> {
  const mounts = parseMountinfo(readText("/proc/self/mountinfo"));
  const paths = mounts.map(({ mountPoint }) => mountPoint).filter((path) => path.startsWith(SHARE));
  const late = AbortSignal.timeout(LONGEST_MS);
  const both = AbortSignal.any([signal, late]);
  for (const path of new Set(paths)) {
    if (late.aborted) return;
    await look(path, both).catch(() => {});
    signal.throwIfAborted();
  }
}

function look(path: string, signal: AbortSignal): Promise<void> {
  return work((tape) => tape.do(`look at ${path}`, exists(path)), {
    signal,
    timeoutMs: LONGEST_MS,
  });
}
