// Random numbers after a guest was started from a template, or restored: rpc.md 6.28.
import { internal, invalidArgument } from "../error.ts";
import { Fd } from "../kernel/fd.ts";
import { perform } from "../kernel/perform.ts";
import { AT_FDCWD } from "../linux/constants.ts";
import { openat } from "../linux/fs.ts";
import { addEntropy, reseedRandom } from "../linux/machine.ts";
import { O } from "../linux/open-flags.ts";

/** Hosts send 512 bytes, and nobody needs more. */
const MOST_BYTES = 64 << 10;

/** Throws an AgentError for none or too many bytes, a KernelError, EPERM for one, where they are not taken. */
export function reseed(data: Uint8Array): void {
  if (data.length === 0) throw internal("missing entropy data");
  if (data.length > MOST_BYTES)
    throw invalidArgument(`${data.length} bytes of entropy data, ${MOST_BYTES} are the most`);
  using random = Fd.of("open /dev/random", openat(AT_FDCWD, "/dev/random", O.RDWR));
  perform("add entropy to /dev/random", addEntropy(random.number, data));
  perform("reseed /dev/random", reseedRandom(random.number));
}
