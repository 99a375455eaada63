// What a container's program has said about its end: Kubernetes mounts a file into the container for it,
// which a host without a shared file system cannot read. rpc.md 6.17.
import { within } from "../async/timeout.ts";
import { internal } from "../error.ts";
import { readFileStart } from "../kernel/file-start.ts";
import { terminationLogPath } from "../oci/annotations.ts";
import { quote } from "../oci/invalid-spec.ts";
import type { Annotations, Mount } from "../oci/spec.ts";

/** Kubernetes takes no more. */
const MOST_BYTES = 4096;
/** For a file system that hangs. */
const READ_IN_MS = 10_000;

type Described = {
  readonly annotations?: Annotations | undefined;
  readonly mounts?: readonly Mount[] | undefined;
};

/** Empty where nothing was written. Throws an AgentError. */
export async function readTerminationLog({ annotations, mounts = [] }: Described): Promise<string> {
  const path = terminationLogPath(annotations);
  if (path === undefined) throw internal("No terminationMessagePath annotation");
  const mounted = mounts.find(({ destination, source }) => destination === path && source);
  if (mounted?.source === undefined)
    throw internal(`termination message mount not found for ${quote(path)}`);
  return new TextDecoder().decode(await read(mounted.source));
}

async function read(path: string): Promise<Uint8Array> {
  let start: Uint8Array | undefined;
  const reading = readFileStart(path, MOST_BYTES).then((bytes) => void (start = bytes));
  try {
    if (await within(reading, READ_IN_MS)) return start ?? new Uint8Array(0);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw internal(`Failed to read termination log: ${reason}`);
  }
  throw internal(`Failed to read termination log: ${quote(path)} does not answer`);
}
